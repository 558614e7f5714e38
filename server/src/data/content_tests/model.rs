//! Random histories, changes during uploads and power failures among them.

use std::sync::Arc;

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::data::UploadError;
use crate::data::testing::BUCKET;
use crate::store::faults::{Fault, Gate};
use crate::store::memory::Behaviour;
use crate::store::verb::Verb;
use crate::store::{Condition, ETag, ObjectMeta, StoreError};

const SIZE_MAX: u64 = 320 << 10;

#[derive(Debug, Clone)]
enum Edit {
    Write { offset: u64, len: usize, seed: u64 },
    Truncate(u64),
}

#[derive(Debug, Clone)]
enum Step {
    Edit(Edit),
    Read {
        offset: u64,
        count: u32,
    },
    Commit,
    /// An upload, during whose given request the edits happen.
    Upload {
        held: Verb,
        skip: usize,
        edits: Vec<Edit>,
    },
    /// One that fails at the given request.
    Failing {
        verb: Verb,
        skip: usize,
    },
    Materialise,
    PowerLoss,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => (0..SIZE_MAX, 0..100_000_usize, any::<u64>()).prop_map(|(offset, len, seed)| {
            let len = len.min(usize::try_from(SIZE_MAX - offset).unwrap());
            Edit::Write { offset, len, seed }
        }),
        1 => (0..SIZE_MAX).prop_map(Edit::Truncate),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(vec![Verb::Put, Verb::Copy, Verb::UploadPart, Verb::UploadPartCopy, Verb::CompleteUpload])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => edit().prop_map(Step::Edit),
        3 => (0..SIZE_MAX, 0..200_000_u32).prop_map(|(offset, count)| Step::Read { offset, count }),
        2 => Just(Step::Commit),
        3 => (verb(), 0..3_usize, prop::collection::vec(edit(), 0..4))
            .prop_map(|(held, skip, edits)| Step::Upload { held, skip, edits }),
        1 => (verb(), 0..3_usize).prop_map(|(verb, skip)| Step::Failing { verb, skip }),
        1 => Just(Step::Materialise),
        1 => Just(Step::PowerLoss),
    ]
}

struct World {
    rig: Rig,
    content: Arc<Content>,
    bytes: Vec<u8>,
    /// What a power failure must leave, with the content that is built on the bucket when the journal has none.
    durable: Vec<u8>,
    in_bucket: Option<BaseObject>,
}

impl World {
    async fn new(base: Option<usize>, copies: bool) -> Self {
        let rig =
            Rig::on(small(), Behaviour { part_size_min: 0, upload_part_copy: copies, ..Behaviour::default() }).await;
        let bytes = pattern(99, base.unwrap_or(0));
        let in_bucket = match base {
            Some(_) => Some(rig.object("key", &bytes).await),
            None => None,
        };
        let content = Arc::new(in_bucket.clone().map_or_else(Content::empty, Content::of));
        Self { rig, content, durable: bytes.clone(), bytes, in_bucket }
    }

    async fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Write { offset, len, seed } => {
                let new = pattern(*seed, *len);
                let start = usize::try_from(*offset).unwrap();
                if *len > 0 {
                    self.bytes.resize(self.bytes.len().max(start + len), 0);
                    self.bytes[start..start + len].copy_from_slice(&new);
                }
                self.content.write(&self.rig.data, *offset, new.into()).await.unwrap();
            }
            Edit::Truncate(size) => {
                self.bytes.resize(usize::try_from(*size).unwrap(), 0);
                self.content.truncate(&self.rig.data, *size).await.unwrap();
            }
        }
    }

    fn upload(&self) -> tokio::task::JoinHandle<Result<crate::data::Uploaded, UploadError>> {
        let (content, data) = (Arc::clone(&self.content), self.rig.data.clone());
        let condition =
            self.in_bucket.as_ref().map_or(Condition::IfAbsent, |base| Condition::IfMatch(base.etag.clone()));
        tokio::spawn(async move { content.upload(&data, BUCKET, "key", &ObjectMeta::default(), &condition).await })
    }

    async fn upload_with(&mut self, held: Verb, skip: usize, edits: &[Edit]) {
        let gate = Gate::default();
        self.rig.faults.script(held, skip, Fault::Hold(gate.clone()));
        let before = self.bytes.clone();
        let mut upload = self.upload();
        let early = tokio::select! {
            () = gate.arrival() => None,
            uploaded = &mut upload => Some(uploaded),
        };
        for edit in edits {
            self.edit(edit).await;
        }
        gate.open();
        let uploaded = match early {
            Some(uploaded) => uploaded.unwrap(),
            None => upload.await.unwrap(),
        };
        // A fault that no request met must not hit a later one.
        gate.open();
        self.rig.use_up_faults(held).await;
        let uploaded = match uploaded {
            Err(UploadError::Changed) => return,
            uploaded => uploaded.unwrap(),
        };
        let object = self.rig.fetched("key").await;
        assert!(object == before || object == self.bytes || edits.len() > 1, "the object is a mix");
        assert_eq!(object.len() as u64, uploaded.size);
        let etag: ETag = uploaded.written.etag.clone();
        let unchanged = uploaded.generation == self.content.generation();
        let clean = self.rig.settle(&self.content, uploaded, "key").await;
        assert!(clean || !unchanged);
        assert_eq!(clean, !self.content.is_dirty());
        self.in_bucket =
            Some(BaseObject { bucket: BUCKET.to_owned(), key: "key".to_owned(), etag, size: object.len() as u64 });
        self.durable = self.bytes.clone();
    }

    async fn failing_upload(&mut self, verb: Verb, skip: usize) {
        self.rig.faults.script(verb, skip, Fault::Before(StoreError::Unavailable("down".to_owned())));
        let uploaded = self.upload().await.unwrap();
        self.rig.use_up_faults(verb).await;
        match uploaded {
            Ok(uploaded) => {
                let etag = uploaded.written.etag.clone();
                let size = uploaded.size;
                self.rig.settle(&self.content, uploaded, "key").await;
                self.in_bucket = Some(BaseObject { bucket: BUCKET.to_owned(), key: "key".to_owned(), etag, size });
                self.durable = self.bytes.clone();
            }
            Err(error) => assert_eq!(error, UploadError::Store(StoreError::Unavailable("down".to_owned()))),
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Edit(edit) => self.edit(edit).await,
            Step::Read { offset, count } => {
                let (chunks, eof) = self.content.read(&self.rig.data, *offset, *count).await.unwrap();
                let start = self.bytes.len().min(usize::try_from(*offset).unwrap());
                let end = self.bytes.len().min(start + *count as usize);
                assert!(chunks.concat() == self.bytes[start..end], "read {offset}+{count}");
                assert_eq!(eof, u64::from(*count) + offset >= self.bytes.len() as u64);
            }
            Step::Commit => {
                self.rig.commit(&self.content).await;
                assert!(!self.rig.commit(&self.content).await);
                self.durable = self.bytes.clone();
            }
            Step::Upload { held, skip, edits } => self.upload_with(*held, *skip, edits).await,
            Step::Failing { verb, skip } => self.failing_upload(*verb, *skip).await,
            Step::Materialise => {
                self.content.materialise(&self.rig.data).await.unwrap();
                assert_eq!(self.content.base(), None);
            }
            Step::PowerLoss => {
                self.rig.restart();
                let empty_or_base = || self.in_bucket.clone().map_or_else(Content::empty, Content::of);
                self.content = Arc::new(self.rig.recover().unwrap_or_else(empty_or_base));
                self.bytes = self.durable.clone();
                self.rig.data.staging().sweep();
            }
        }
        assert_eq!(self.content.size(), self.bytes.len() as u64);
        assert_eq!(self.rig.uploads_pending().await, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_content_is_a_vector_of_bytes(
        base in prop::option::of(0..300_000_usize),
        copies in any::<bool>(),
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(base, copies).await;
            for step in &steps {
                world.step(step).await;
            }
            assert!(all(&world.content, &world.rig.data).await == world.bytes);
        });
    }
}

//! A running COMPOUND for tests of single operations, over the file system in memory.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use nfs4_protocol::nfs4::{NfsStat4, OpNum, Stateid4, Verifier4};

use crate::compound::context::{CompoundContext, Outcome, ReplyBudget, file_key};
use crate::compound::test_fs::MemoryFs;
use crate::compound::{Clock, Credentials, Service, Settings, StableClients};
use crate::fs::filesystem::{Caller, CreateHow, Filesystem, Located, SetAttributes};
use crate::state::{
    Callback40, Claim, ClientRecord, ConnectionId, Effect, Moment, OpenRequest, Principal, SetClientId, StateConfig,
};

/// The owner of what the fixture makes.
pub(in crate::compound) const OWNER: Caller = Caller { uid: 501, gid: 20, groups: Vec::new() };
/// Neither the owner nor of his group.
pub(in crate::compound) const STRANGER: Caller = Caller { uid: 777, gid: 777, groups: Vec::new() };
/// Who may do all.
pub(in crate::compound) const ROOT: Caller = Caller { uid: 0, gid: 0, groups: Vec::new() };

/// The time stands still, and no client records are kept.
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Moment {
        Moment(0)
    }
}

#[async_trait]
impl StableClients for Nothing {
    async fn load(&self) -> io::Result<Vec<ClientRecord>> {
        Ok(Vec::new())
    }

    async fn persist(&self, _effects: &[Effect]) -> io::Result<()> {
        Ok(())
    }
}

/// A service with `/demo` and `/other`, both open to everybody.
pub(in crate::compound) struct Fixture {
    pub(in crate::compound) fs: Arc<MemoryFs>,
    service: Arc<Service>,
}

impl Fixture {
    pub(in crate::compound) async fn new() -> Self {
        Self::with(Settings::new("test")).await
    }

    pub(in crate::compound) async fn with(settings: Settings) -> Self {
        let fs = MemoryFs::new();
        let service = service(fs.clone(), settings).await;
        let fixture = Self { fs, service };
        for bucket in ["/demo", "/other"] {
            fixture.set(bucket, SetAttributes { mode: Some(0o777), ..SetAttributes::default() }).await;
        }
        fixture
    }

    /// The node at a path.
    pub(in crate::compound) async fn find(&self, path: &str) -> Located {
        let mut node = self.fs.root().await.unwrap();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            node = self.fs.lookup(&node.handle, name).await.unwrap();
        }
        node
    }

    pub(in crate::compound) async fn set(&self, path: &str, set: SetAttributes) {
        self.fs.setattr(&self.find(path).await.handle, &set).await.unwrap();
    }

    /// Makes a directory that belongs to [`OWNER`].
    pub(in crate::compound) async fn mkdir(&self, dir: &str, name: &str, mode: u32) {
        let set = SetAttributes { mode: Some(mode), ..SetAttributes::default() };
        self.fs.mkdir(&self.find(dir).await.handle, name, &set, &OWNER).await.unwrap();
    }

    /// Makes a file with a size that belongs to [`OWNER`].
    pub(in crate::compound) async fn file(&self, dir: &str, name: &str, mode: u32, size: u64) {
        let set = SetAttributes { mode: Some(mode), size: Some(size), ..SetAttributes::default() };
        self.fs.create(&self.find(dir).await.handle, name, CreateHow::Guarded, &set, &OWNER).await.unwrap();
    }

    /// Makes a link that belongs to [`OWNER`].
    pub(in crate::compound) async fn symlink(&self, dir: &str, name: &str, target: &str) {
        let dir = self.find(dir).await;
        self.fs.symlink(&dir.handle, name, target, &SetAttributes::default(), &OWNER).await.unwrap();
    }

    /// An open of the file at `path` with `OPEN4_SHARE_*` rights, by a client of 4.0.
    pub(in crate::compound) async fn open(&self, path: &str, access: u32, deny: u32) -> Stateid4 {
        let node = self.find(path).await;
        let file = file_key(node.key);
        let guard = Arc::new(self.fs.open(&node.handle).await.unwrap());
        let principal = Principal::new(1, *b"test");
        let callback = Callback40 { program: 0, netid: String::new(), addr: String::new(), ident: 0 };
        let hello = SetClientId { verifier: Verifier4([1; 8]), owner: b"client", callback, principal: &principal };
        self.service.state(|state, now| {
            let made = state.setclientid(hello, now).unwrap();
            state.setclientid_confirm(made.clientid, made.confirm, &principal, now).unwrap();
            let client = made.clientid;
            let request = OpenRequest { client, owner: b"owner", file, access, deny, claim: Claim::New };
            let opened = state.open(request, guard, now).unwrap();
            match opened.needs_confirm {
                true => state.open_confirm(&opened.stateid, file, now).unwrap(),
                false => opened.stateid,
            }
        })
    }

    /// A COMPOUND that is about to run `op` on the node at `path`, with a reply of any size.
    pub(in crate::compound) async fn at(&self, minor: u32, op: OpNum, caller: Caller, path: &str) -> CompoundContext {
        self.at_with_room(minor, op, caller, path, 1 << 20).await
    }

    /// The same, with `room` bytes for the result of `op`.
    pub(in crate::compound) async fn at_with_room(
        &self,
        minor: u32,
        op: OpNum,
        caller: Caller,
        path: &str,
        room: usize,
    ) -> CompoundContext {
        let mut cx = context(&self.service, minor, op, caller, room);
        cx.set_current(self.find(path).await);
        cx
    }
}

/// A service over a file system.
pub(in crate::compound) async fn service(fs: Arc<dyn Filesystem>, settings: Settings) -> Arc<Service> {
    let state = StateConfig::new(1, [0; 16]);
    Service::start(fs, settings, state, Arc::new(Nothing), Arc::new(Nothing)).await.unwrap()
}

/// A COMPOUND that is about to run `op` without a filehandle, with `room` bytes for its result.
pub(in crate::compound) fn context(
    service: &Arc<Service>,
    minor: u32,
    op: OpNum,
    caller: Caller,
    room: usize,
) -> CompoundContext {
    let principal = Principal::new(1, caller.uid.to_be_bytes());
    let credentials = Credentials { caller, principal };
    let budget = ReplyBudget { bytes_max: room, status: NfsStat4::RepTooBig };
    let mut cx = CompoundContext::new(Arc::clone(service), minor, ConnectionId(1), credentials, budget);
    cx.start(op, 0);
    cx.set_last();
    cx
}

/// The status that an operation answers.
pub(in crate::compound) fn status<T>(cx: &CompoundContext, outcome: Outcome<T>) -> NfsStat4 {
    match outcome {
        Ok(_) => NfsStat4::Ok,
        Err(failure) => cx.status(failure),
    }
}

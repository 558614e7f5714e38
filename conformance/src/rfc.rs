//! Tests of the RFCs' rules: many small ones against one server.
//!
//! All tests of a process share a server of each kind, on a runtime that outlives them. Each has a client of its own,
//! that no other test can disturb, and an empty directory. So a test costs milliseconds.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::OnceLock;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use nfs_client_sim::{Client, ClientOptions, CompoundBuilder, Error, OpenHow, Reply};
use nfs4_protocol::nfs4::{Compound4Res, NfsArgop4, NfsFh4, NfsStat4, StableHow4};
use nfs4_protocol::rpc::{NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND};
use nfs4_protocol::xdr::{Decode, to_bytes};
use tokio::runtime::{Builder, Runtime};

use crate::bed::bucket_name;
use crate::differences::Differences;
use crate::{Bed, BedOptions, Target, statuses};

/// What a test works with: a client of the shared server and an empty directory.
pub struct Scene {
    /// The client, of user 0.
    pub client: Client,
    /// The directory, mode 0777.
    pub root: NfsFh4,
    /// The minor version.
    pub minor: u32,
    bed: &'static Bed,
}

/// Runs a test body for one kind of server and one minor version. Where there is no such server, that is said once per
/// process. A foreign server's known differences (`NFS_EXPECTED=FILE`, see [`crate`]) are taken into account.
pub fn rfc<F: AsyncFnOnce(&Scene)>(target: Target, minor: u32, body: F) {
    let Some(bed) = shared(target) else { return };
    let run = || {
        let scene = runtime().block_on(Scene::new(bed, minor));
        // Boxed: else the runtime is compiled again for each test.
        runtime().block_on(body(&scene).boxed_local());
    };
    match target {
        Target::Remote => differences().judge(test_name::<F>(), minor, catch_unwind(AssertUnwindSafe(run))),
        Target::Embedded | Target::Minio => run(),
    }
}

/// `file::function` of the test that a closure is the body of. The name of the thread would not do: it is that of the
/// whole process when tests run one by one.
fn test_name<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split_once("::{{closure}}").map_or(path, |(path, _)| path)
}

fn differences() -> &'static Differences {
    static DIFFERENCES: OnceLock<Differences> = OnceLock::new();
    DIFFERENCES.get_or_init(Differences::load)
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

fn shared(target: Target) -> Option<&'static Bed> {
    static EMBEDDED: OnceLock<Option<Bed>> = OnceLock::new();
    static MINIO: OnceLock<Option<Bed>> = OnceLock::new();
    static REMOTE: OnceLock<Option<Bed>> = OnceLock::new();
    let bed = match target {
        Target::Embedded => &EMBEDDED,
        Target::Minio => &MINIO,
        Target::Remote => &REMOTE,
    };
    bed.get_or_init(|| runtime().block_on(Bed::set_up(target, &BedOptions::default()))).as_ref()
}

impl Scene {
    async fn new(bed: &'static Bed, minor: u32) -> Self {
        let client = Client::connect(bed.addr(), minor, ClientOptions::default()).await.unwrap();
        let parent = client.resolve(bed.directory()).await.unwrap().handle;
        let root = client.mkdir(&parent, bucket_name(), 0o777).await.unwrap();
        Self { client, root, minor, bed }
    }

    /// Another client of the same server, as another machine would be, with these options.
    pub async fn client_with(&self, options: ClientOptions) -> Client {
        Client::connect(self.bed.addr(), self.minor, options).await.unwrap()
    }

    /// Another client of the same server, as another machine would be.
    pub async fn other_client(&self) -> Client {
        self.client_with(ClientOptions::default()).await
    }

    /// A client of a user without rights over others.
    pub async fn user(&self, uid: u32, gid: u32) -> Client {
        self.client_with(ClientOptions::for_user(uid, gid)).await
    }

    /// Where the server listens.
    #[must_use]
    pub const fn addr(&self) -> std::net::SocketAddr {
        self.bed.addr()
    }

    /// A compound that begins in the test's directory.
    #[must_use]
    pub fn here(&self) -> CompoundBuilder {
        CompoundBuilder::new().putfh(&self.root)
    }

    /// Sends a compound, with SEQUENCE in front in 4.1 and later.
    ///
    /// # Panics
    /// When it cannot be sent, or an operation answers a status that the RFC does not list for it.
    #[track_caller]
    pub fn call(&self, compound: CompoundBuilder) -> BoxFuture<'_, Reply> {
        call(&self.client, compound, Location::caller()).boxed()
    }

    /// Sends a compound that must succeed.
    #[track_caller]
    pub fn ok(&self, compound: CompoundBuilder) -> BoxFuture<'_, Reply> {
        answer(&self.client, compound, NfsStat4::Ok, Location::caller())
    }

    /// Sends a compound that must fail in its last operation, with this status.
    #[track_caller]
    pub fn fails(&self, compound: CompoundBuilder, status: NfsStat4) -> BoxFuture<'_, Reply> {
        answer(&self.client, compound, status, Location::caller())
    }

    /// Sends a compound for another client; its last operation must end with this status, all others with NFS4_OK.
    #[track_caller]
    pub fn answers<'a>(&self, client: &'a Client, compound: CompoundBuilder, status: NfsStat4) -> BoxFuture<'a, Reply> {
        answer(client, compound, status, Location::caller())
    }

    /// Sends operations as bytes, each with its number in front, for what no type can hold; with SEQUENCE in front in
    /// 4.1 and later, whose result is taken out unless it failed.
    pub async fn call_encoded(&self, ops: &[Bytes]) -> Result<Reply, Error> {
        let session = self.client.session();
        let slot = match &session {
            Some(session) => Some(session.slot().await?),
            None => None,
        };
        let sequence = slot.as_ref().map(|slot| to_bytes(&NfsArgop4::Sequence(slot.sequence(false))));
        let number = u32::try_from(ops.len() + usize::from(sequence.is_some())).unwrap();
        let arguments = |e: &mut nfs4_protocol::xdr::Encoder| {
            e.opaque_slice(b"");
            e.u32(self.minor);
            e.u32(number);
            sequence.iter().chain(ops).for_each(|op| e.chain(op));
        };
        let connection = self.client.connection();
        let credential = self.client.credential();
        let mut results = connection.call(NFS_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, credential, arguments).await?;
        let mut reply = Reply::new(Compound4Res::decode(&mut results)?);
        if let Some(slot) = slot {
            slot.done(reply.take_sequence().is_some());
        }
        Ok(reply)
    }

    /// Makes a file in the test's directory, mode 0644. Returns its filehandle.
    pub async fn file(&self, name: &str, body: impl Into<Bytes>) -> NfsFh4 {
        let file = self.client.open(&self.root, name, OpenHow::create()).await.unwrap();
        let body = body.into();
        if !body.is_empty() {
            let length = body.len();
            let written = file.write_at(0, body, StableHow4::FileSync).await.unwrap();
            assert_eq!(written.count as usize, length, "bytes written");
        }
        let handle = file.handle().clone();
        file.close().await.unwrap();
        handle
    }

    /// Makes a directory in the test's directory, mode 0755. Returns its filehandle.
    pub async fn dir(&self, name: &str) -> NfsFh4 {
        self.client.mkdir(&self.root, name, 0o755).await.unwrap()
    }

    /// Makes a symbolic link in the test's directory. Returns its filehandle.
    pub async fn link(&self, name: &str, target: &str) -> NfsFh4 {
        self.client.symlink(&self.root, name, target).await.unwrap()
    }

    /// The filehandle of a file that was removed.
    pub async fn stale(&self) -> NfsFh4 {
        let handle = self.file("removed", "").await;
        self.client.remove(&self.root, "removed").await.unwrap();
        handle
    }
}

async fn call(client: &Client, compound: CompoundBuilder, asked_at: &Location<'_>) -> Reply {
    let reply = client.call(compound).await.unwrap_or_else(|error| panic!("{asked_at}: {error}"));
    if let Some(unlisted) = statuses::unlisted(client.minor(), &reply) {
        panic!("{asked_at}: {unlisted}");
    }
    reply
}

/// Sends a compound; all its operations must be executed and the last one end with this status.
fn answer<'a>(
    client: &'a Client,
    compound: CompoundBuilder,
    status: NfsStat4,
    asked_at: &'static Location<'static>,
) -> BoxFuture<'a, Reply> {
    let answer = async move {
        let sent: Vec<_> = compound.clone().build(client.minor()).argarray.iter().map(NfsArgop4::opnum).collect();
        let reply = call(client, compound, asked_at).await;
        let done: Vec<_> = reply.results().iter().map(|result| (result.opnum(), result.status())).collect();
        let mut wanted: Vec<_> = sent.into_iter().map(|op| (op, NfsStat4::Ok)).collect();
        if let Some(last) = wanted.last_mut() {
            last.1 = status;
        }
        pretty_assertions::assert_eq!(done, wanted, "{asked_at}: the operations and their statuses");
        pretty_assertions::assert_eq!(reply.status(), status, "{asked_at}: the status of the compound");
        reply
    };
    answer.boxed()
}

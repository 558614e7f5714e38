//! `demo` is killed and started again on the same directory.

use conformance::{Objects, Program, data};
use nfs_client_sim::{Client, ClientOptions, OpenHow, USUAL_ATTRIBUTES};
use nfs4_protocol::nfs4::{NfsFh4, NfsStat4, StableHow4, Verifier4};
use pretty_assertions::assert_eq;
use tempfile::TempDir;

/// Seconds; the shortest, so that nobody waits long for a client that will not come back.
const LEASE: &str = "1";
const DIRECTORY: &str = "/demo";
const OWN_FILE: &str = "README.txt";
const CHANGED: &[u8] = b"changed over NFS";

/// A running demo, as a client of both of its sides sees it.
struct Demo {
    program: Program,
    client: Client,
    root: NfsFh4,
    objects: Objects,
}

impl Demo {
    async fn start(folder: &TempDir) -> Self {
        let mut command = Program::command();
        command.args(["demo", "--bind", "127.0.0.1:0", "--s3-bind", "127.0.0.1:0", "--lease-seconds", LEASE]);
        let mut program = Program::start(command.arg("--dir").arg(folder.path().join("demo")));
        let endpoint = program.told("endpoint");
        let (access_key, secret_key) = (program.told("access-key"), program.told("secret-key"));
        let objects = Objects::new(&endpoint, &access_key, &secret_key, &program.told("bucket"));
        let client = Client::connect(program.addr(), 1, ClientOptions::default()).await.unwrap();
        let root = client.resolve(DIRECTORY).await.unwrap().handle;
        Self { program, client, root, objects }
    }

    async fn handle(&self, name: &str) -> NfsFh4 {
        self.client.lookup(&self.root, name).await.unwrap().handle
    }
}

/// What was there before the crash.
struct Before {
    closed: Vec<u8>,
    committed: Vec<u8>,
    unstable: Vec<u8>,
    verifier: Verifier4,
    /// Names, and the handles that clients hold.
    handles: Vec<(&'static str, NfsFh4)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_that_is_killed_goes_on_with_all_that_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(&folder).await;
    let before = work(&demo).await;
    demo.program.kill();
    let demo = Demo::start(&folder).await;
    handles_are_valid(&demo, &before).await;
    bytes_are_there(&demo, &before).await;
    the_bucket_was_not_filled_again(&demo).await;
    // And once more, as nothing was closed since.
    demo.program.kill();
    let demo = Demo::start(&folder).await;
    handles_are_valid(&demo, &before).await;
    the_bucket_was_not_filled_again(&demo).await;
}

/// Writes and closes a file, makes bytes of an open one stable, leaves those of another unstable; changes and removes
/// files of the demo's own.
async fn work(demo: &Demo) -> Before {
    let (client, root) = (&demo.client, &demo.root);
    let (closed, committed, unstable) = (data::bytes(200_000, 1), data::bytes(3_000_000, 2), data::bytes(100_000, 3));
    client.write_file(root, OWN_FILE, CHANGED, 1).await.unwrap();
    let numbers = client.resolve(&format!("{DIRECTORY}/hello/numbers")).await.unwrap().handle;
    client.remove(&numbers, "one.txt").await.unwrap();
    client.write_file(root, "closed", closed.clone(), 1).await.unwrap();
    let file = client.open(root, "committed", OpenHow::create()).await.unwrap();
    file.write_stable(0, &committed.clone().into(), 4).await.unwrap();
    let file = client.open(root, "unstable", OpenHow::create()).await.unwrap();
    let written = file.write_at(0, unstable.clone(), StableHow4::Unstable).await.unwrap();
    assert_eq!((written.count as usize, written.committed), (unstable.len(), StableHow4::Unstable));
    let mut handles = Vec::new();
    for name in [OWN_FILE, "hello", "closed", "committed", "unstable"] {
        handles.push((name, demo.handle(name).await));
    }
    Before { closed, committed, unstable, verifier: written.writeverf, handles }
}

async fn handles_are_valid(demo: &Demo, before: &Before) {
    for (name, handle) in &before.handles {
        let node = demo.client.lookup(&demo.root, name).await.unwrap();
        assert_eq!(&node.handle, handle, "{name}");
        let attrs = demo.client.getattr(handle, USUAL_ATTRIBUTES).await.unwrap();
        assert_eq!(attrs.fileid, node.attrs.fileid, "{name}");
    }
}

async fn bytes_are_there(demo: &Demo, before: &Before) {
    for (name, body) in [("closed", &before.closed), ("committed", &before.committed)] {
        data::assert_same(name, &demo.client.read_file(&demo.root, name, 4).await.unwrap(), body);
        demo.objects.expect(name, body).await;
    }
    // The create was acknowledged, the bytes were not promised: the verifier says so, and the client writes them again.
    let file = demo.client.open(&demo.root, "unstable", OpenHow::both()).await.unwrap();
    let again = file.write_at(0, before.unstable.clone(), StableHow4::Unstable).await.unwrap();
    assert_ne!(again.writeverf, before.verifier, "the write verifier");
    file.commit().await.unwrap();
    file.close().await.unwrap();
    demo.objects.expect("unstable", &before.unstable).await;
}

async fn the_bucket_was_not_filled_again(demo: &Demo) {
    assert_eq!(demo.client.read_file(&demo.root, OWN_FILE, 1).await.unwrap(), CHANGED);
    demo.objects.expect(OWN_FILE, CHANGED).await;
    let numbers = demo.client.resolve(&format!("{DIRECTORY}/hello/numbers")).await.unwrap().handle;
    assert_eq!(conformance::status(demo.client.lookup(&numbers, "one.txt").await), NfsStat4::Noent);
    demo.objects.expect_absent("hello/numbers/one.txt").await;
}

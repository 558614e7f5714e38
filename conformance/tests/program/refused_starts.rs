//! Starts that cannot succeed: each says why in one line, the last one, and ends with a status that is not 0.

use std::net::TcpListener;
use std::process::Command;

use conformance::{Access, Program};
use rstest::rstest;
use tempfile::TempDir;

use crate::impostor::Impostor;
use crate::{BUCKET, Place};

/// What every complaint begins with.
const COMPLAINT: &str = "hafiz-nfs-gateway: ";
/// Exit status of a start that failed.
const FAILED: i32 = 1;
/// Exit status of a wrong command line.
const USAGE: i32 = 2;

/// Runs the program, which must end with this status and a complaint in which all these words are.
#[track_caller]
fn refused(command: &mut Command, status: i32, words: &[&str]) {
    let ended = Program::run(command);
    let complaints: Vec<&String> = ended.log.iter().filter(|line| line.starts_with(COMPLAINT)).collect();
    assert_eq!(complaints.len(), 1, "complaints: {:?}", ended.log);
    assert_eq!(ended.log.last(), complaints.first().copied(), "a complaint is the last line");
    // All others are lines of the log, which begin with the time.
    let other = ended.log.iter().find(|line| !line.starts_with(COMPLAINT) && !line.starts_with("20"));
    assert_eq!(other, None, "a line that is neither complaint nor log");
    for word in words {
        assert!(complaints[0].contains(word), "{word:?} is missing: {}", complaints[0]);
    }
    assert_eq!(ended.status, Some(status), "{}", complaints[0]);
}

/// With and without a bucket by name: one asks for the list of buckets, the other looks into the bucket.
#[rstest]
#[case("conformance", "wrong", "the secret key does not belong to the access key")]
#[case("nobody", "conformance-secret", "the store does not know this access key")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys(
    #[case] access_key: &'static str,
    #[case] secret_key: &'static str,
    #[case] why: &str,
    #[values(&[], &["--bucket", BUCKET])] bucket: &[&str],
) {
    let place = Place::new().await;
    let endpoint = place.store.access.endpoint.clone();
    let access = Access { endpoint, access_key, secret_key };
    refused(Program::before(&access, &place.state_dir()).args(bucket), FAILED, &[&access.endpoint, why]);
}

#[test]
fn nothing_listens_at_the_endpoint() {
    let folder = TempDir::new().unwrap();
    let endpoint = "http://127.0.0.1:1"; // tcpmux, which nobody has
    refused(&mut before(endpoint, &folder), FAILED, &[endpoint, "not available", "Connection refused"]);
}

#[test]
fn the_host_of_the_endpoint_does_not_exist() {
    let folder = TempDir::new().unwrap();
    let endpoint = "http://no-such-host.invalid:9000"; // RFC 6761 §6.4
    refused(&mut before(endpoint, &folder), FAILED, &[endpoint, "not available", "dns error"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_never_answers_is_given_up() {
    let folder = TempDir::new().unwrap();
    let mute = Impostor::mute().await;
    refused(&mut before(&mute.endpoint, &folder), FAILED, &[&mute.endpoint, "not available", "no answer within"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_no_store(#[values(&[], &["--bucket", BUCKET])] bucket: &[&str]) {
    let folder = TempDir::new().unwrap();
    let web_server = Impostor::web_server().await;
    let words = [web_server.endpoint.as_str(), "is not S3's: is this the endpoint of an S3 store?"];
    refused(before(&web_server.endpoint, &folder).args(bucket), FAILED, &words);
    let babbler = Impostor::babbler().await;
    refused(before(&babbler.endpoint, &folder).args(bucket), FAILED, &[&babbler.endpoint, "not available"]);
}

#[rstest]
#[case("s3.example:9000", "the endpoint must be http://HOST[:PORT] or https://HOST[:PORT]")]
#[case("http://s3.example/bucket", "the endpoint must be http://HOST[:PORT] or https://HOST[:PORT]")]
#[case("http://key:secret@s3.example", "keys are given apart")]
fn an_endpoint_that_makes_no_sense(#[case] endpoint: &str, #[case] why: &str) {
    let folder = TempDir::new().unwrap();
    refused(&mut before(endpoint, &folder), FAILED, &[why]);
}

#[rstest]
#[case("no-such-bucket", "no such bucket")]
#[case("No Bucket/At All", "cannot be used")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_bucket(#[case] bucket: &str, #[case] why: &str) {
    let place = Place::new().await;
    let mut command = Program::before(&place.store.access, &place.state_dir());
    refused(command.args(["--bucket", BUCKET, "--bucket", bucket]), FAILED, &[bucket, why]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use() {
    let place = Place::new().await;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let words = ["cannot listen on", &address, "Address already in use"];
    let mut command = demo(&place.folder);
    refused(command.args(["--bind", &address]), FAILED, &words);
    let mut command = demo(&place.folder);
    refused(command.args(["--bind", "127.0.0.1:0", "--s3-bind", &address]), FAILED, &words);
    let mut command = Program::before(&place.store.access, &place.state_dir());
    // The other address is free.
    refused(command.args(["--bind", &address]), FAILED, &words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_directory_that_cannot_be_made() {
    let place = Place::new().await;
    let file = place.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (path, why) in [(file.clone(), "a file is in its place"), (file.join("below"), "Not a directory")] {
        let named = path.display().to_string();
        let mut command = Program::before(&place.store.access, &path);
        refused(&mut command, FAILED, &["the state directory", &named, "cannot be used", why]);
    }
    let mut command = Program::command();
    refused(
        command.args(["demo", "--bind", "127.0.0.1:0", "--dir"]).arg(&file),
        FAILED,
        &[&file.display().to_string()],
    );
}

/// What lies in the place of the staged files must not be swept away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_directory_that_cannot_hold_staged_files() {
    let place = Place::new().await;
    std::fs::create_dir(place.state_dir()).unwrap();
    std::fs::write(place.state_dir().join("staging"), "mine").unwrap();
    refused(&mut Program::before(&place.store.access, &place.state_dir()), FAILED, &["staging"]);
    assert_eq!(std::fs::read(place.state_dir().join("staging")).unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_directory_in_use() {
    let place = Place::new().await;
    let running = Program::start(&mut Program::before(&place.store.access, &place.state_dir()));
    let mut second = Program::before(&place.store.access, &place.state_dir());
    refused(&mut second, FAILED, &["the state directory", "is in use by another gateway"]);
    assert_eq!(running.terminate().status, Some(0), "the first one goes on");
}

#[test]
fn a_demo_directory_in_use() {
    let folder = TempDir::new().unwrap();
    let running = Program::start(demo(&folder).args(["--bind", "127.0.0.1:0"]));
    let words = [folder.path().to_str().unwrap(), "another server uses this folder"];
    refused(demo(&folder).args(["--bind", "127.0.0.1:0"]), FAILED, &words);
    assert_eq!(running.terminate().status, Some(0), "the first one goes on");
}

#[rstest]
#[case::none(&[], &[], FAILED, "no credentials")]
#[case::access_key_alone(&["--access-key", "a"], &[], USAGE, "--secret-key")]
#[case::secret_key_alone(&[], &[("HAFIZ_SECRET_KEY", "s")], USAGE, "--access-key")]
#[case::empty(&[], &[("HAFIZ_ACCESS_KEY", ""), ("HAFIZ_SECRET_KEY", "")], USAGE, "--access-key")]
#[case::token_alone(&["--session-token", "t"], &[], USAGE, "--access-key")]
fn missing_keys(#[case] flags: &[&str], #[case] variables: &[(&str, &str)], #[case] status: i32, #[case] why: &str) {
    let folder = TempDir::new().unwrap();
    let mut command = Program::command();
    command.args(["--bind", "127.0.0.1:0", "--endpoint", "http://127.0.0.1:1", "--state-dir"]).arg(folder.path());
    refused(command.args(flags).envs(variables.iter().copied()), status, &[why]);
}

#[rstest]
#[case(&["--bnd", "127.0.0.1:0"], &["--bnd", "a similar argument exists: '--bind'"])]
#[case(&["--bind", "localhost:2049"], &["--bind", "localhost:2049", "invalid socket address"])]
#[case(&["--bind", "127.0.0.1:65536"], &["--bind", "127.0.0.1:65536"])]
#[case(&["--lease-seconds", "0"], &["--lease-seconds", "1..=3600"])]
#[case(&["--drain-seconds", "18446744073709551615"], &["--drain-seconds", "0..=86400"])]
#[case(&["--freshness-ms", "1s"], &["--freshness-ms", "1s"])]
#[case(&["--file-mode", "999"], &["--file-mode", "octal"])]
#[case(&["--dir-mode", "17777"], &["--dir-mode", "octal"])]
#[case(&["--uid", "-1"], &["-1"])]
#[case(&["--cache-mib", "1"], &["--cache-mib", "8.."])]
#[case(&["--bucket", ""], &["--bucket"])]
#[case(&["--endpoint", ""], &["--endpoint"])]
#[case(&["demo", "--endpoint", "http://127.0.0.1:1"], &["--endpoint"])]
#[case(&["demos"], &["demos"])]
fn wrong_flags(#[case] flags: &[&str], #[case] words: &[&str]) {
    refused(Program::command().args(flags), USAGE, words);
}

#[rstest]
#[case("HAFIZ_BIND", "2049", "--bind")]
#[case("HAFIZ_LEASE_SECONDS", "", "--lease-seconds")]
#[case("HAFIZ_VIRTUAL_HOST", "maybe", "--virtual-host")]
#[case("HAFIZ_BUCKET", "", "--bucket")]
#[case("HAFIZ_LOG", "info=info=info", "HAFIZ_LOG")]
fn wrong_variables(#[case] name: &str, #[case] value: &str, #[case] word: &str) {
    refused(Program::command().env(name, value), USAGE, &[word]);
}

/// The program before a store whose keys do not matter.
fn before(endpoint: &str, folder: &TempDir) -> Command {
    let access = Access { endpoint: endpoint.to_owned(), access_key: "a", secret_key: "s" };
    Program::before(&access, &folder.path().join("state"))
}

fn demo(folder: &TempDir) -> Command {
    let mut command = Program::command();
    command.arg("demo").arg("--dir").arg(folder.path().join("demo"));
    command
}

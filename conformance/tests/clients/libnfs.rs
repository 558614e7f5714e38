//! The programs of libnfs, a client in C (NFSv4.0): `nfs-ls`, `nfs-cat`, `nfs-cp`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use conformance::{Target, World, data, unavailable};
use pretty_assertions::assert_eq;

/// Debian's libnfs sends wrong WRITEs above 3,900 bytes.
const WRITTEN_BYTES: usize = 3_500;

/// Runs a program of libnfs; `None` where it is not installed, which is then said.
async fn libnfs(program: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    match tokio::task::spawn_blocking(move || command.output()).await.unwrap() {
        Ok(output) => Some(output),
        Err(error) => {
            unavailable(&format!("{program} of libnfs-utils: {error}"));
            None
        }
    }
}

fn url(world: &World, path: &str) -> String {
    let addr = world.bed.addr();
    format!("nfs://{}{}{path}?version=4&nfsport={}", addr.ip(), world.bed.directory(), addr.port())
}

#[track_caller]
fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ls_shows_names_kinds_and_sizes() {
    let world = World::new(Target::Embedded, 0).await.unwrap();
    world.put("file", "four").await;
    world.put("two words", "of a name").await;
    world.client.mkdir(&world.root, "directory", 0o755).await.unwrap();
    let Some(output) = libnfs("nfs-ls", &[&url(&world, "")]).await else { return };
    let mut entries: Vec<_> = good(&output).lines().map(kind_size_name).collect();
    entries.retain(|(_, _, name)| name != "." && name != "..");
    entries.sort_by(|a, b| a.2.cmp(&b.2));
    let names: Vec<_> = entries.iter().map(|(kind, _, name)| (*kind, name.as_str())).collect();
    assert_eq!(names, [('d', "directory"), ('-', "file"), ('-', "two words")]);
    let sizes: Vec<_> = entries.iter().filter(|(kind, ..)| *kind == '-').map(|(_, size, _)| *size).collect();
    assert_eq!(sizes, [4, 9]);
}

/// Of a line `-rw-r--r--  1  0  0  4 file`.
fn kind_size_name(line: &str) -> (char, u64, String) {
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap().chars().next().unwrap();
    let size = words.nth(3).unwrap().parse().unwrap();
    (kind, size, words.collect::<Vec<_>>().join(" "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_and_cp_read_what_is_in_the_bucket() {
    let world = World::new(Target::Embedded, 0).await.unwrap();
    let body = data::bytes(3 << 20, 5);
    world.put("large", &body).await;
    let Some(output) = libnfs("nfs-cat", &[&url(&world, "/large")]).await else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    data::assert_same("nfs-cat", &output.stdout, &body);

    let local = world.bed.folder().unwrap().join("copy");
    let copied = libnfs("nfs-cp", &[&url(&world, "/large"), path(&local)]).await.unwrap();
    good(&copied);
    data::assert_same("nfs-cp", &std::fs::read(&local).unwrap(), &body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cp_writes_an_object() {
    let world = World::new(Target::Embedded, 0).await.unwrap();
    let body = data::bytes(WRITTEN_BYTES, 6);
    let local = world.bed.folder().unwrap().join("source");
    std::fs::write(&local, &body).unwrap();
    let Some(output) = libnfs("nfs-cp", &[path(&local), &url(&world, "/written")]).await else { return };
    good(&output);
    world.expect("written", &body).await;
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

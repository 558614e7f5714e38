//! What flags and variables do.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use conformance::{Program, skip};
use nfs_client_sim::{Client, ClientOptions};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::{BUCKET, Place};

/// The flags in a help text, with the variable of each.
fn flags(arguments: &[&str]) -> BTreeMap<String, Option<String>> {
    let help = Program::command().args(arguments).arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    let flags = help.lines().filter_map(|line| {
        let (_, flag) = line.split_once("--")?;
        line.trim_start().starts_with('-').then_some(())?;
        // Of a secret the value is not shown, nor the equals sign.
        let variable = line.split_once("[env: ").and_then(|(_, rest)| rest.split_once(['=', ']']));
        Some((flag.split_whitespace().next()?.to_owned(), variable.map(|(name, _)| name.to_owned())))
    });
    flags.filter(|(flag, _)| !matches!(flag.as_str(), "help" | "version")).collect()
}

#[rstest]
#[case(&[], "bind", "HAFIZ_BIND")]
#[case(&["demo"], "dir", "HAFIZ_DEMO_DIR")]
fn every_flag_is_a_variable_and_in_the_readme(#[case] arguments: &[&str], #[case] one: &str, #[case] variable: &str) {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let flags = flags(arguments);
    assert_eq!(flags.get(one), Some(&Some(variable.to_owned())), "{flags:?}");
    for (flag, variable) in flags {
        let variable = variable.unwrap_or_else(|| panic!("--{flag} has no variable"));
        assert!(readme.contains(&format!("`--{flag}`")), "--{flag} is not in the README");
        assert!(readme.contains(&format!("`{variable}`")), "{variable} is not in the README");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_do_what_flags_do() {
    let place = Place::new().await;
    let access = &place.store.access;
    access.objects("other").create_bucket().await;
    let objects = access.objects(BUCKET);
    objects.put("directory/file", "content").await;
    let state_dir = place.folder.path().join("state from a variable");
    let variables = [
        ("HAFIZ_BIND", "127.0.0.1:0"),
        ("HAFIZ_ENDPOINT", &access.endpoint),
        ("HAFIZ_ACCESS_KEY", access.access_key),
        ("HAFIZ_SECRET_KEY", access.secret_key),
        ("HAFIZ_REGION", "eu-central-1"),
        ("HAFIZ_VIRTUAL_HOST", "no"),
        ("HAFIZ_BUCKET", BUCKET),
        ("HAFIZ_STATE_DIR", state_dir.to_str().unwrap()),
        ("HAFIZ_LEASE_SECONDS", "77"),
        ("HAFIZ_DRAIN_SECONDS", "7"),
        ("HAFIZ_FRESHNESS_MS", "10"),
        ("HAFIZ_ALLOW_BUCKET_CREATE", "1"),
        ("HAFIZ_UID", "1001"),
        ("HAFIZ_GID", "1002"),
        ("HAFIZ_FILE_MODE", "640"),
        ("HAFIZ_DIR_MODE", "2750"),
        ("HAFIZ_CACHE_MIB", "16"),
        ("HAFIZ_STAGING_MIB", "1"),
        ("HAFIZ_LOG", "info,hafiz_nfs_gateway::store::probe=off"),
    ];
    let program = Program::start(Program::command().envs(variables));
    let client = Client::connect(program.addr(), 2, ClientOptions::default()).await.unwrap();
    assert_eq!(client.lease().as_secs(), 77);
    let top = client.root().await.unwrap().handle;
    assert_eq!(client.names(&top).await.unwrap(), [BUCKET]);
    let root = client.resolve(&format!("/{BUCKET}")).await.unwrap().handle;
    let directory = client.lookup(&root, "directory").await.unwrap();
    let file = client.lookup(&directory.handle, "file").await.unwrap();
    for (attrs, mode) in [(directory.attrs, 0o2750), (file.attrs, 0o640)] {
        assert_eq!(
            (attrs.mode, attrs.owner, attrs.owner_group),
            (Some(mode), Some("1001".into()), Some("1002".into()))
        );
    }
    let too_much = client.write_file(&root, "too much", vec![1; 3 << 20], 1).await;
    assert_eq!(conformance::status(too_much), nfs4_protocol::nfs4::NfsStat4::Nospc);
    assert!(state_dir.join("journal.redb").is_file());
    let ended = tokio::task::spawn_blocking(|| program.terminate()).await.unwrap();
    assert!(!ended.log.iter().any(|line| line.contains("what the store can do")), "HAFIZ_LOG is not obeyed");
}

#[rstest]
#[case::one("HAFIZ_ALLOW_BUCKET_CREATE", "true", true)]
#[case::off("HAFIZ_ALLOW_BUCKET_CREATE", "off", false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_may_be_a_variable(#[case] name: &str, #[case] value: &str, #[case] on: bool) {
    let place = Place::new().await;
    let mut command = Program::before(&place.store.access, &place.state_dir());
    let program = Program::start(command.env(name, value));
    let client = Client::connect(program.addr(), 1, ClientOptions::default()).await.unwrap();
    let top = client.root().await.unwrap().handle;
    assert_eq!(client.mkdir(&top, "made-over-nfs", 0o755).await.is_ok(), on);
}

#[rstest]
#[case("[::1]:0", &[Ipv6Addr::LOCALHOST.into()])]
#[case("[::]:0", &[Ipv6Addr::LOCALHOST.into(), std::net::Ipv4Addr::LOCALHOST.into()])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipv6_addresses_are_served(#[case] bind: &str, #[case] from: &[std::net::IpAddr]) {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skip("there is no IPv6 here");
    }
    let place = Place::new().await;
    let mut command = Program::command();
    let dir = place.folder.path().join("demo");
    let program = Program::start(command.args(["demo", "--bind", bind, "--s3-bind", "[::1]:0", "--dir"]).arg(dir));
    for address in from {
        let addr = SocketAddr::new(*address, program.addr().port());
        let client = Client::connect(addr, 2, ClientOptions::default()).await.unwrap();
        let root = client.resolve("/demo").await.unwrap().handle;
        assert!(client.names(&root).await.unwrap().contains(&"README.txt".to_owned()), "{addr}");
    }
}

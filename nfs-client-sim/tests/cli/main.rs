//! The program without a server: what is wrong with a command line, and with a server that is not there.
//! Its work on a server is tested in `conformance/tests/sim_cli/`.
#![allow(clippy::unwrap_used, reason = "functions that tests share may fail as tests do")]

use std::net::TcpListener;
use std::process::{Command, Output};

use pretty_assertions::assert_eq;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nfs-client-sim")).args(args).output().unwrap()
}

/// Exit status and complaint.
fn complaint(args: &[&str]) -> (i32, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "{args:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn help_names_the_commands() {
    let output = run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for verb in ["ls", "get", "put", "lock", "bench"] {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
    }
}

#[test]
fn wrong_usage_is_2() {
    let wrong: [&[&str]; 9] = [
        &[],
        &["nap"],
        &["ls"],
        &["ls", "/srv"],
        &["ls", "nfs://:1/"],
        &["ls", "--minor", "3", "nfs://127.0.0.1/"],
        &["chmod", "999", "nfs://127.0.0.1/"],
        &["mv", "nfs://one/a", "nfs://two/a"],
        &["ln", "target", "nfs://127.0.0.1/a"],
    ];
    for args in wrong {
        assert_eq!(complaint(args).0, 2, "{args:?}");
    }
    let seventeen = (0..17).map(|gid| gid.to_string()).collect::<Vec<_>>().join(",");
    let (status, words) = complaint(&["ls", "--gids", &seventeen, "nfs://127.0.0.1/"]);
    assert_eq!((status, words.as_str()), (2, "nfs-client-sim: ls --gids: more than 16 groups\n"));
}

#[test]
fn a_server_that_is_not_there_is_3() {
    let url = format!("nfs://127.0.0.1:{}/a", closed_port());
    let there: [&[&str]; 4] = [&["ls", &url], &["cat", &url], &["bench", &url], &["lock", &url, "--", "true"]];
    for args in there {
        let (status, words) = complaint(args);
        let start = format!("nfs-client-sim: {} {url}: cannot connect to ", args[0]);
        assert!(status == 3 && words.starts_with(&start) && words.lines().count() == 1, "{args:?}: {status} {words}");
    }
}

#[test]
fn a_server_that_says_nothing_is_3() {
    // Connections are taken by the system, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nfs://{}/", silent.local_addr().unwrap());
    let (status, words) = complaint(&["ls", "--timeout", "1", &url]);
    assert_eq!((status, words), (3, format!("nfs-client-sim: ls {url}: no reply within 1s\n")));
}

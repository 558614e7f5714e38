//! `lock`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use conformance::program;
use nfs_client_sim::OpenHow;
use nfs4_protocol::nfs4::NfsLockType4;
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::sim::{Ended, Sim, arg};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_held_while_the_command_runs(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    sim.world.write("file", "0123456789").await;
    let (url, program) = (sim.url("file"), program("nfs-client-sim", "NFS_CLIENT_SIM_BIN"));
    let program = arg(&program);
    // Inside, the same lock is denied (1) and one for other bytes is granted (0).
    let inner = [program, "lock", "--now", &url];
    let outer = ["lock", "--length", "4", &url, "--"];
    let denied: Vec<&str> = outer.iter().chain(&inner).copied().collect();
    assert!(sim.bad(1, &denied).await.contains("a lock from 0 for 4 bytes is held"));
    let granted: Vec<&str> = denied.iter().copied().chain(["--offset", "4", "--", "sh", "-c", "exit 7"]).collect();
    sim.bad(7, &granted).await;
    let held = sim.json(&["lock", "--now", &url]).await;
    assert_eq!((&held[0]["offset"], &held[0]["length"]), (&0.into(), &serde_json::Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_held_until_standard_input_ends() {
    let sim = Sim::new(1).await;
    sim.world.write("file", "0123456789").await;
    let client = &sim.world.client;
    let file = client.open(&sim.world.root, "file", OpenHow::both()).await.unwrap();
    let locker = file.locker("test");
    let mut command = sim.command(&["lock", "--shared", &sim.url("file")]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let said = move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map(|_| line)
    };
    let line = tokio::task::spawn_blocking(said).await.unwrap().unwrap();
    assert!(line.contains("shared lock from 0 to the end held"), "{line}");
    assert!(!locker.test(NfsLockType4::Write, 0, 1).await.unwrap().is_granted());
    assert!(locker.test(NfsLockType4::Read, 0, 1).await.unwrap().is_granted());
    drop(stdin);
    assert!(tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success());
    assert!(locker.test(NfsLockType4::Write, 0, 1).await.unwrap().is_granted());
    file.close().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_outlives_a_restart_of_the_server(#[values(0, 1, 2)] minor: u32) {
    let mut sim = Sim::new(minor).await;
    sim.world.write("file", "0123456789").await;
    let mut command = sim.command(&["lock", &sim.url("file")]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let held = move || BufReader::new(stdout).read_line(&mut String::new());
    assert!(tokio::task::spawn_blocking(held).await.unwrap().unwrap() > 0);
    sim.world.bed.stop().await;
    sim.world.bed.start().await;
    drop(stdin);
    // It has to have the lock to be able to give it back.
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let ended = Ended::from(ended);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_not_to_be_had_in_time_is_a_failure() {
    let sim = Sim::new(2).await;
    sim.world.write("file", "0123456789").await;
    let file = sim.world.client.open(&sim.world.root, "file", OpenHow::both()).await.unwrap();
    let locker = file.locker("test");
    assert!(locker.lock(NfsLockType4::Write, 2, 3).await.unwrap().is_granted());
    let complaint = sim.bad(1, &["lock", "--wait", "1", &sim.url("file")]).await;
    assert!(complaint.contains("a lock from 2 for 3 bytes is held by \"test\""), "{complaint}");
    locker.unlock(2, 3).await.unwrap();
    sim.good(&["lock", "--wait", "1", &sim.url("file"), "--", "true"]).await;
    file.close().await.unwrap();
}

//! `bench`.

use std::process::{Command, Stdio};

use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::sim::{Ended, Sim};

/// Few and small, so that a run takes no time.
const SMALL: [&str; 8] = ["--threads", "2", "--size", "256K", "--files", "5", "--connections", "2"];

fn bench<'a>(args: &[&'a str]) -> Vec<&'a str> {
    ["bench"].iter().chain(&SMALL).chain(args).copied().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_workloads_run_and_nothing_is_left(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    let report = sim.json(&bench(&["--count", "10", &sim.url("")])).await;
    let workloads = report[0]["workloads"].as_array().unwrap();
    assert_eq!(workloads.len(), 10);
    for workload in workloads {
        let measured = &workload["measured"][0];
        assert_eq!(measured["operations"], 20, "{workload}");
        assert!(measured["latency_us"]["p50"].as_u64() <= measured["latency_us"]["max"].as_u64(), "{workload}");
        assert!(workload["ratio"].is_null(), "{workload}");
    }
    let bytes = |at: usize| workloads[at]["measured"][0]["bytes"].as_u64().unwrap();
    assert_eq!((bytes(0), bytes(1), bytes(4)), (20 << 16, 20 << 16, 20 << 12));
    assert!(sim.world.names().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_are_compared() {
    let sim = Sim::new(2).await;
    let (one, two) = (sim.url("one"), sim.url("two"));
    sim.good(&["mkdir", &one, &two]).await;
    let args = ["--count", "10", "--rounds", "2", "--fsync", "--workload", "stat,sequential-write", &one, &two];
    let report = sim.json(&bench(&args)).await;
    for workload in report[0]["workloads"].as_array().unwrap() {
        assert!(workload["ratio"]["throughput"].as_f64() > Some(0.0), "{workload}");
        assert_eq!(workload["measured"][1]["operations"], 20, "{workload}");
    }
    let table = sim.text(&bench(&args)).await;
    assert!(table.contains(&format!("b: {two} (4.2)")) && table.contains("b/a"), "{table}");
    assert!(sim.text(&["ls", &one]).await.is_empty() && sim.text(&["ls", &two]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_leaves_nothing_behind() {
    let sim = Sim::new(2).await;
    let url = sim.url("");
    let args = bench(&["--duration", "3600", "--workload", "create", &url]);
    let mut command = sim.command(&args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = || async { sim.world.names().await.is_empty().then(|| "has not begun".to_owned()) };
    sim.world.eventually("the benchmark", started).await;
    // Its handler is there before its directory is.
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let ended = Ended::from(ended);
    assert_eq!((ended.status, ended.stderr.as_str()), (130, "nfs-client-sim: bench interrupted\n"));
    assert!(sim.world.names().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_measured_is_said() {
    let sim = Sim::new(2).await;
    let complaint = sim.bad(2, &["bench", "--block", "1G", "--size", "1G", &sim.url("")]).await;
    assert!(complaint.contains("takes at most 1048576 bytes in one READ or WRITE, not 1073741824"), "{complaint}");
    sim.bad(2, &bench(&["--block", "512K", &sim.url("")])).await;
    sim.bad(2, &bench(&["--workload", "nap", &sim.url("")])).await;
    sim.bad(1, &bench(&[&sim.url("none")])).await;
    assert!(sim.world.names().await.is_empty());
}

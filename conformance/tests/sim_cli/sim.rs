//! Running the program.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use conformance::{Target, World, program};
use serde_json::Value;

/// A gateway with an empty bucket, and how to run the program on it.
pub(crate) struct Sim {
    pub(crate) world: World,
    minor: u32,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Sim {
    /// The program shall speak this minor version.
    pub(crate) async fn new(minor: u32) -> Self {
        // The embedded store is there on every machine.
        Self { world: World::new(Target::Embedded, minor).await.unwrap(), minor }
    }

    /// The URL of a path in the bucket.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("nfs://{}{}/{path}", self.world.bed.addr(), self.world.bed.directory())
    }

    /// The program with these arguments, of which the first is the command.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let (verb, rest) = args.split_first().unwrap();
        let mut command = Command::new(program("nfs-client-sim", "NFS_CLIENT_SIM_BIN"));
        command.arg(verb).args(["--minor", &self.minor.to_string()]).args(rest).stdin(Stdio::null());
        command
    }

    /// Runs it.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.command(args);
        // The gateway lives on the threads of this runtime.
        let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        Ended::from(ended)
    }

    /// Runs it and expects it to succeed. Returns what it printed.
    pub(crate) async fn good(&self, args: &[&str]) -> Vec<u8> {
        let ended = self.run(args).await;
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{args:?}");
        ended.stdout
    }

    /// As [`Sim::good`], for output that is text.
    pub(crate) async fn text(&self, args: &[&str]) -> String {
        String::from_utf8(self.good(args).await).unwrap()
    }

    /// As [`Sim::good`], with `--json`: the documents that it printed.
    pub(crate) async fn json(&self, args: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let text = self.text(&args).await;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs it and expects this exit status. Returns what it complained about.
    pub(crate) async fn bad(&self, status: i32, args: &[&str]) -> String {
        let ended = self.run(args).await;
        assert_eq!(ended.status, status, "{args:?}: {}", ended.stderr);
        ended.stderr
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { status: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr }
    }
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

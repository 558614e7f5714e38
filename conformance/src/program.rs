//! The gateway as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Access;

/// What the program is called in the folder of this profile's build.
const NAME: &str = "hafiz-nfs-gateway";
/// What stands before the address in the line that says that clients can mount.
const ADDRESS: &str = "address=";
/// How long the program may take to end.
const END_WAIT: Duration = Duration::from_secs(90);
/// How often to look whether it has.
const PAUSE: Duration = Duration::from_millis(10);

/// A running gateway. It is killed when this is dropped.
pub struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    log: Option<JoinHandle<Vec<String>>>,
    addr: Option<SocketAddr>,
}

/// A gateway that ended by itself or was ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; `None` after a signal.
    pub status: Option<i32>,
    /// What it wrote on standard error, line by line.
    pub log: Vec<String>,
}

impl Program {
    /// The program without any flag or variable: `HAFIZ_BIN`, or what was built in this test's profile.
    #[must_use]
    pub fn command() -> Command {
        let mut command = Command::new(program(NAME, "HAFIZ_BIN"));
        // Variables that the test was given are not for this gateway. There is no provider of AWS keys to be asked.
        command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program with the flags to run on a free port before this store.
    #[must_use]
    pub fn before(store: &Access, state_dir: &Path) -> Command {
        let mut command = Self::command();
        command.args(["--bind", "127.0.0.1:0", "--endpoint", &store.endpoint]);
        command.args(["--access-key", store.access_key, "--secret-key", store.secret_key]);
        command.arg("--state-dir").arg(state_dir);
        command
    }

    /// Starts the program and waits until clients can mount. Its log goes where that of the test goes.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let (heard, address) = mpsc::channel();
        let mut program = Self::spawn(command, move |line| {
            if let Some((_, address)) = line.split_once(ADDRESS) {
                // Nobody listens any more after the first.
                let _ = heard.send(address.trim().parse().unwrap());
            }
        });
        program.addr = Some(address.recv().unwrap_or_else(|_| panic!("the gateway did not start")));
        program
    }

    /// Starts the program and does not wait. Each line of its log is shown to `look` as well.
    #[must_use]
    pub fn spawn(command: &mut Command, look: impl Fn(&str) + Send + 'static) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let out = BufReader::new(child.stdout.take().unwrap());
        let log = child.stderr.take().unwrap();
        let log = thread::spawn(move || follow(log, &look));
        Self { child, out, log: Some(log), addr: None }
    }

    /// Runs the program to its end, which must come by itself.
    #[must_use]
    pub fn run(command: &mut Command) -> Ended {
        Self::spawn(command, |_| {}).ended()
    }

    /// Where it listens first.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr.unwrap()
    }

    /// What it says on standard output after `what` and a colon. Lines before that are passed over.
    pub fn told(&mut self, what: &str) -> String {
        for line in self.out.by_ref().lines() {
            if let Some((name, value)) = line.unwrap().split_once(": ")
                && name == what
            {
                return value.to_owned();
            }
        }
        panic!("the gateway did not tell its {what}");
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A line of the kernel's account of the process, such as `VmHWM`, the most that was resident at any time.
    #[must_use]
    pub fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Sends SIGTERM and waits for the end.
    #[must_use]
    pub fn terminate(self) -> Ended {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.ended()
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.ended().status, None, "the gateway had ended before it was killed");
    }

    /// Waits for the end.
    fn ended(mut self) -> Ended {
        let give_up = Instant::now() + END_WAIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < give_up, "the gateway still runs after {END_WAIT:?}");
            thread::sleep(PAUSE);
        };
        Ended { status, log: self.log.take().unwrap().join().unwrap() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log to its end, or the gateway would wait for room in the pipe.
fn follow(log: ChildStderr, look: &impl Fn(&str)) -> Vec<String> {
    let lines = BufReader::new(log).lines().map_while(Result::ok);
    lines.inspect(|line| eprintln!("{line}")).inspect(|line| look(line)).collect()
}

/// The program that the environment variable names, or the one of this package that was built in this test's profile.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn program(package: &str, variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.ancestors().nth(2).unwrap().join(package)
        },
        PathBuf::from,
    );
    let how = format!("build it with `cargo build --package {package}`, or name one in {variable}");
    assert!(path.is_file(), "no program at {}: {how}", path.display());
    path
}

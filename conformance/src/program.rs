//! The gateway as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use conformance::program;

/// What stands before the address in the line that says that clients can mount.
const ADDRESS: &str = "address=";

/// The store to put behind the gateway.
pub(crate) struct Store {
    pub(crate) endpoint: String,
    pub(crate) access_key: &'static str,
    pub(crate) secret_key: &'static str,
}

/// A running gateway. It is killed when this is dropped.
pub(crate) struct Program {
    addr: SocketAddr,
    child: Child,
}

impl Program {
    /// Starts the gateway and waits until clients can mount. Its log goes where that of the test goes.
    pub(crate) fn start(store: &Store, state_dir: &Path) -> Self {
        let path = program("hafiz-nfs-gateway", "HAFIZ_BIN");
        let mut child = Command::new(&path)
            .args(["--bind", "127.0.0.1:0", "--endpoint", &store.endpoint])
            .args(["--access-key", store.access_key, "--secret-key", store.secret_key])
            .arg("--state-dir")
            .arg(state_dir)
            // Flags that the test was given as variables are not for this gateway.
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let log = child.stderr.take().unwrap();
        let mut log = BufReader::new(log).lines().map_while(Result::ok).inspect(|line| eprintln!("{line}"));
        let addr = log.find_map(|line| Some(line.split_once(ADDRESS)?.1.trim().parse().unwrap()));
        // Read on, or the gateway would wait for room in the pipe.
        thread::spawn(move || log.for_each(drop));
        Self { addr: addr.unwrap_or_else(|| panic!("the gateway did not start")), child }
    }

    /// Where it listens.
    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A line of the kernel's account of the process, such as `VmHWM`, the most that was resident at any time.
    pub(crate) fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! `lock`: holds a byte-range lock.

use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;
use nfs_client_sim::{Client, LockOutcome, Locker, OpenHow};
use nfs4_protocol::nfs4::{Lock4Denied, NfsLockType4};
use serde::Serialize;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::amount::Amount;
use super::download::closing;
use super::text::Shown;
use super::{CliError, ClientArgs, NfsContext, NfsUrl, Output, place};

/// The pause between two requests for a lock that somebody else holds.
const PAUSE: Duration = Duration::from_millis(500);
/// The name of the lock-owner; the client's own name makes it unique.
const OWNER: &str = "nfs-client-sim lock";

/// Holds a byte-range lock while a command runs, or until standard input ends
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// The file
    url: NfsUrl,
    /// The command and its arguments; its exit status is that of `lock`
    #[arg(last = true)]
    command: Vec<String>,
    /// A lock for reading, which others may hold as well
    #[arg(long)]
    shared: bool,
    /// The first byte
    #[arg(long, default_value = "0")]
    offset: Amount,
    /// The number of bytes; without it to the end, wherever that moves
    #[arg(long)]
    length: Option<Amount>,
    /// Fails at once when somebody else holds a lock in the range
    #[arg(short, long, conflicts_with = "wait")]
    now: bool,
    /// Fails when the lock is not to be had within this many seconds; without it waits for ever
    #[arg(short, long, value_name = "SECONDS")]
    wait: Option<u64>,
    #[command(flatten)]
    client: ClientArgs,
}

/// A lock that is held.
#[derive(Debug, Serialize)]
struct Held {
    url: String,
    shared: bool,
    offset: u64,
    /// None: to the end.
    length: Option<u64>,
}

pub(crate) async fn run(args: LockArgs, output: &Output) -> Result<ExitCode, CliError> {
    args.client.with_client(&args.url, async |client: &Client| hold(client, &args, output).await).await
}

async fn hold(client: &Client, args: &LockArgs, output: &Output) -> Result<ExitCode, CliError> {
    let how = if args.shared { OpenHow::read() } else { OpenHow::both() };
    let (file, _) = place::open(client, &args.url, how).await?;
    let locker = file.locker(OWNER);
    let length = args.length.map_or(u64::MAX, |length| length.0);
    let held = async {
        tokio::select! {
            granted = acquire(&locker, args, length) => granted?,
            _ = tokio::signal::ctrl_c() => return Err(CliError::Interrupted),
        }
        let result = meanwhile(args, output).await;
        let unlocked = locker.unlock(args.offset.0, length).await;
        closing(result, unlocked.at(format!("{}: the lock was lost meanwhile", args.url)))
    };
    let held = held.await;
    closing(held, file.close().await.at(&args.url))
}

/// Asks for the lock until it is granted.
async fn acquire(locker: &Locker<'_>, args: &LockArgs, length: u64) -> Result<(), CliError> {
    let until = args.wait.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let locktype = match (args.shared, args.now) {
        (true, true) => NfsLockType4::Read,
        (true, false) => NfsLockType4::Readw,
        (false, true) => NfsLockType4::Write,
        (false, false) => NfsLockType4::Writew,
    };
    loop {
        match locker.lock(locktype, args.offset.0, length).await.at(&args.url)? {
            LockOutcome::Granted => return Ok(()),
            LockOutcome::Denied(denied) => {
                if args.now || until.is_some_and(|until| Instant::now() + PAUSE > until) {
                    return Err(CliError::Failed(format!("{}: {}", args.url, in_the_way(&denied))));
                }
                sleep(PAUSE).await;
            }
        }
    }
}

fn in_the_way(denied: &Lock4Denied) -> String {
    let kind = if denied.locktype.is_write() { "a lock" } else { "a shared lock" };
    let length = match denied.length {
        u64::MAX => "to the end".to_owned(),
        length => format!("for {length} bytes"),
    };
    let (offset, clientid) = (denied.offset, denied.owner.clientid);
    format!(
        "{kind} from {offset} {length} is held by {:?} of client {clientid:x}",
        Shown(&denied.owner.owner).to_string()
    )
}

/// What the lock is held for.
async fn meanwhile(args: &LockArgs, output: &Output) -> Result<ExitCode, CliError> {
    let Some((program, arguments)) = args.command.split_first() else {
        let (url, length) = (args.url.to_string(), args.length.map(|length| length.0));
        output.print(&Held { url, shared: args.shared, offset: args.offset.0, length })?;
        tokio::select! {
            read = tokio::task::spawn_blocking(read_to_end) => {
                read.map_err(std::io::Error::from).flatten().at("standard input")?;
            }
            _ = tokio::signal::ctrl_c() => {}
        }
        return Ok(ExitCode::SUCCESS);
    };
    let child = Command::new(program).args(arguments).status();
    let interrupts = async {
        // Ctrl-C is for the command; the lock goes when it has ended.
        while tokio::signal::ctrl_c().await.is_ok() {}
        std::future::pending().await
    };
    let status = tokio::select! {
        status = child => status.at(program)?,
        never = interrupts => never,
    };
    Ok(ExitCode::from(code(status)))
}

/// Reads standard input until it ends, and forgets what it says.
fn read_to_end() -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    while std::io::stdin().lock().read(&mut buffer)? > 0 {}
    Ok(())
}

/// The exit status as a shell tells it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.shared { "shared lock" } else { "lock" };
        write!(f, "{}: {kind} from {} ", self.url, self.offset)?;
        match self.length {
            Some(length) => write!(f, "for {length} bytes"),
            None => f.write_str("to the end"),
        }?;
        f.write_str(" held until standard input ends")
    }
}

#[cfg(test)]
mod tests {
    use nfs4_protocol::nfs4::StateOwner4;

    use super::*;

    #[test]
    fn the_exit_status_of_the_command_is_told_as_a_shell_does() {
        let raw = |raw| code(ExitStatus::from_raw(raw));
        assert_eq!((raw(0), raw(7 << 8), raw(9)), (0, 7, 137));
    }

    #[test]
    fn the_lock_in_the_way_is_described() {
        let owner = StateOwner4 { clientid: 0xab, owner: "me".into() };
        let denied = Lock4Denied { offset: 4, length: u64::MAX, locktype: NfsLockType4::Read, owner };
        assert_eq!(in_the_way(&denied), "a shared lock from 4 to the end is held by \"me\" of client ab");
    }
}

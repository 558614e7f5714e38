//! The flags of all commands that speak to a server, and how they connect.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use nfs_client_sim::{Client, ClientOptions, Connection, Error, Recovery};
use nfs4_protocol::nfs4::{MINOR_VERSION_MAX, NfsStat4};

use super::{CliError, NfsUrl, Output};

/// The most groups of an AUTH_SYS credential (RFC 5531 §14).
const GIDS_MAX: usize = 16;
/// How long a server may take to answer, for commands that have no flag for that.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Client")]
pub(crate) struct ClientArgs {
    /// The minor version: 0, 1 or 2; `auto` is the highest that the server takes
    #[arg(long, default_value = "auto", value_name = "MINOR")]
    minor: Minor,
    /// The user of all calls
    #[arg(long, default_value_t = 0)]
    uid: u32,
    /// The user's group
    #[arg(long, default_value_t = 0)]
    gid: u32,
    /// The user's further groups, separated by commas, at most 16
    #[arg(long, value_delimiter = ',', value_name = "GID")]
    gids: Vec<u32>,
    /// Seconds to wait for a reply, and for a server that asks to come back later
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: u64,
}

/// Which minor version to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Minor {
    Auto,
    Only(u32),
}

impl FromStr for Minor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // 4.1 is how mount options write it.
        match text.strip_prefix("4.").unwrap_or(text).parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(minor) if minor <= MINOR_VERSION_MAX => Ok(Self::Only(minor)),
            _ => Err("neither 0, 1, 2 nor auto".to_owned()),
        }
    }
}

impl ClientArgs {
    /// The minor version, where the flags name one.
    pub(crate) const fn only_minor(&self) -> Option<u32> {
        match self.minor {
            Minor::Only(minor) => Some(minor),
            Minor::Auto => None,
        }
    }

    /// The client that the flags describe, with a name of its own. It recovers from lost connections and restarts.
    ///
    /// # Errors
    /// [`CliError::Usage`].
    pub(crate) fn options(&self) -> Result<ClientOptions, CliError> {
        if self.gids.len() > GIDS_MAX {
            return Err(CliError::Usage(format!("--gids: more than {GIDS_MAX} groups")));
        }
        let wait = Duration::from_secs(self.timeout);
        let user = ClientOptions::for_user(self.uid, self.gid);
        let gids = self.gids.clone();
        Ok(ClientOptions { gids, reply_wait: wait, patience: wait, recovery: Recovery::Full, ..user })
    }

    /// Connects to the server of `url`.
    ///
    /// # Errors
    /// [`CliError::Usage`], [`CliError::Server`].
    pub(crate) async fn connect(&self, url: &NfsUrl) -> Result<Client, CliError> {
        self.connect_as(url, self.options()?).await
    }

    /// Connects with options that were changed.
    ///
    /// # Errors
    /// [`CliError::Server`].
    pub(crate) async fn connect_as(&self, url: &NfsUrl, options: ClientOptions) -> Result<Client, CliError> {
        let mut failure = None;
        for addr in addresses(url).await? {
            match self.connect_to(addr, &options).await {
                // The next address may do; what is there and refuses will refuse at every address.
                Err(error @ Error::Connect { .. }) => failure = Some(error),
                result => return result.map_err(|error| CliError::server(url, error)),
            }
        }
        let nothing = || Error::Connect { addr: url.host().to_owned(), reason: "the name has no address".to_owned() };
        Err(CliError::server(url, failure.unwrap_or_else(nothing)))
    }

    async fn connect_to(&self, addr: SocketAddr, options: &ClientOptions) -> Result<Client, Error> {
        let mut minor = match self.minor {
            Minor::Only(minor) => return Client::connect(addr, minor, options.clone()).await,
            Minor::Auto => MINOR_VERSION_MAX,
        };
        loop {
            match Client::connect(addr, minor, options.clone()).await {
                Err(error) if minor > 0 && error.status() == Some(NfsStat4::MinorVersMismatch) => minor -= 1,
                result => return result,
            }
        }
    }

    /// Connects, does something, and takes leave of the server however that ended.
    ///
    /// # Errors
    /// [`CliError::Usage`], [`CliError::Server`]; those of `work`.
    pub(crate) async fn with_client<T>(
        &self,
        url: &NfsUrl,
        work: impl AsyncFnOnce(&Client) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let client = self.connect(url).await?;
        let result = work(&client).await;
        if let Err(error) = client.leave().await {
            tracing::debug!(%error, "the server keeps this client until its lease ends");
        }
        result
    }

    /// Does something with one place after the other. What fails at one of them is said at once, and the next one has
    /// its turn, unless the server is gone.
    ///
    /// # Errors
    /// As [`ClientArgs::with_client`], and those of the output.
    pub(crate) async fn each(
        &self,
        urls: &[NfsUrl],
        output: &Output,
        work: impl AsyncFn(&Client, &NfsUrl) -> Result<(), CliError>,
    ) -> Result<ExitCode, CliError> {
        let mut status = ExitCode::SUCCESS;
        for urls in urls.chunk_by(NfsUrl::same_server) {
            let Some(first) = urls.first() else { continue };
            let on_one_server = async |client: &Client| {
                for url in urls {
                    match work(client, url).await {
                        Err(error @ (CliError::Nfs { .. } | CliError::Failed(_))) if error.exit_status() == 1 => {
                            status = ExitCode::from(output.failure(&error));
                        }
                        result => result?,
                    }
                }
                Ok(())
            };
            self.with_client(first, on_one_server).await?;
        }
        Ok(status)
    }
}

/// The addresses of the server.
///
/// # Errors
/// [`CliError::Server`] when its name is not known.
pub(crate) async fn addresses(url: &NfsUrl) -> Result<Vec<SocketAddr>, CliError> {
    let found = tokio::net::lookup_host((url.host(), url.port())).await;
    let unknown = |error: std::io::Error| Error::Connect { addr: url.host().to_owned(), reason: error.to_string() };
    found.map(Iterator::collect).map_err(|error| CliError::server(url, unknown(error)))
}

/// The first address of the server that takes a connection.
///
/// # Errors
/// [`CliError::Server`].
pub(crate) async fn reachable(url: &NfsUrl) -> Result<SocketAddr, CliError> {
    let mut failure = Error::Connect { addr: url.host().to_owned(), reason: "the name has no address".to_owned() };
    for addr in addresses(url).await? {
        match Connection::open(addr, CONNECT_WAIT).await {
            Ok(_) => return Ok(addr),
            Err(error) => failure = error,
        }
    }
    Err(CliError::server(url, failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_versions_are_read_as_numbers_and_as_mount_options_write_them() {
        let read = |text: &str| text.parse::<Minor>().ok();
        assert_eq!(read("auto"), Some(Minor::Auto));
        assert_eq!(
            (read("0"), read("2"), read("4.1")),
            (Some(Minor::Only(0)), Some(Minor::Only(2)), Some(Minor::Only(1)))
        );
        assert_eq!((read("3"), read("4"), read("-1"), read("")), (None, None, None, None));
    }
}

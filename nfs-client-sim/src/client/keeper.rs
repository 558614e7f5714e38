//! What goes on in the background: the lease, the server's wishes, recalled delegations.

use std::sync::{Arc, Weak};
use std::time::Duration;

use nfs4_protocol::nfs4::NfsStat4;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Inner;
use crate::files::OpenState;
use crate::{Client, Error};

/// The lease is renewed this many times in its length.
const RENEWALS_PER_LEASE: u32 = 3;

/// Keeps the lease, and does what the server asks for, as long as the client lives.
pub(crate) async fn keep(
    client: Weak<Inner>,
    attention: Arc<tokio::sync::Notify>,
    mut returns: mpsc::UnboundedReceiver<Arc<OpenState>>,
    lease: Duration,
) {
    let mut renewal = Instant::now() + lease / RENEWALS_PER_LEASE;
    // What was seen to already. The server goes on showing it until it notices; once a renewal it is seen to again.
    let mut seen = 0;
    loop {
        let due = tokio::select! {
            () = tokio::time::sleep_until(renewal) => Due::Renewal,
            () = attention.notified() => Due::Attention,
            Some(file) = returns.recv() => Due::Return(file),
        };
        let Some(client) = client.upgrade().map(|inner| Client { inner }) else { return };
        match due {
            Due::Renewal => {
                renewal = Instant::now() + lease / RENEWALS_PER_LEASE;
                seen = 0;
                client.keep_lease().await;
            }
            Due::Attention => {
                let flags = client.session().map_or(0, |session| session.status_flags());
                if flags & !seen != 0 {
                    seen = flags;
                    client.report("the server's wishes", client.heed(flags).await);
                }
                seen &= flags;
            }
            // In a task of its own, as it may have to wait.
            Due::Return(file) => drop(tokio::spawn(async move {
                client.report("a delegation", client.return_delegation(&file).await);
            })),
        }
    }
}

/// What there is to do.
enum Due {
    Renewal,
    Attention,
    Return(Arc<OpenState>),
}

impl Client {
    pub(super) async fn keep_lease(&self) {
        if !self.options().renew {
            return;
        }
        match self.renew().await {
            Err(Error::Status { status: NfsStat4::CbPathDown, .. }) if self.minor() == 0 => {
                self.report("the callback path", self.announce_callbacks().await);
            }
            result => self.report("the lease", result),
        }
    }

    fn report(&self, what: &str, result: crate::Result<()>) {
        if let Err(error) = result {
            tracing::debug!(%error, clientid = self.clientid(), "{what} was not seen to");
        }
    }
}

//! What a failed reply says about the state that client and server share.

use nfs4_protocol::nfs4::{NfsStat4, OpNum};

use crate::{Error, Reply};

/// What is wrong, where the client can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing: the same request will do, made anew.
    Again,
    /// The connection is not bound to the session.
    Unbound,
    /// The session is gone, or its slots are in disorder.
    Session,
    /// The server does not know the client: it restarted.
    Forgotten,
    /// The lease ran out, and the state with it.
    Expired,
    /// A stateid is not good.
    Stateid,
}

impl Trouble {
    /// The trouble behind a reply, if it is one. `kept`: whether the request asked to keep its reply for a retry.
    pub(crate) fn of_reply(minor: u32, reply: &Reply, kept: bool) -> Option<Self> {
        let (op, status) = reply.failure()?;
        match status {
            // The first try was executed, and its reply is gone, as the operation after SEQUENCE says (RFC 8881
            // §2.10.6.1.3). What need not be kept can be executed again.
            NfsStat4::RetryUncachedRep => (!kept).then_some(Self::Again),
            NfsStat4::SeqFalseRetry if op == OpNum::Sequence => (!kept).then_some(Self::Again),
            _ => Self::of_status(minor, status),
        }
    }

    /// The trouble behind an error of a compound that changes nothing but state.
    pub(crate) fn of_error(minor: u32, error: &Error) -> Option<Self> {
        match error {
            Error::NoSlot => Some(Self::Session),
            error => Self::of_status(minor, error.status()?),
        }
    }

    const fn of_status(minor: u32, status: NfsStat4) -> Option<Self> {
        Some(match status {
            NfsStat4::ConnNotBoundToSession => Self::Unbound,
            NfsStat4::Badsession
            | NfsStat4::Deadsession
            | NfsStat4::Badslot
            | NfsStat4::BadHighSlot
            | NfsStat4::SeqMisordered => Self::Session,
            NfsStat4::StaleClientid => Self::Forgotten,
            NfsStat4::StaleStateid if minor == 0 => Self::Forgotten,
            NfsStat4::Expired if minor == 0 => Self::Expired,
            NfsStat4::StaleStateid
            | NfsStat4::Expired
            | NfsStat4::BadStateid
            | NfsStat4::OldStateid
            | NfsStat4::AdminRevoked
            | NfsStat4::DelegRevoked => Self::Stateid,
            _ => return None,
        })
    }

    /// Whether it concerns all that the client has, not one file.
    pub(crate) const fn is_of_all(self) -> bool {
        matches!(self, Self::Unbound | Self::Session | Self::Forgotten | Self::Expired)
    }
}

/// Whether an error says that the server forgot the state that the request was about.
pub(crate) fn is_forgetting(error: &Error) -> bool {
    // Of 4.0, where opens have to be confirmed.
    Trouble::of_error(0, error).is_some()
}

//! Share reservations: what an open lets its owner do, and what it denies to others (RFC 7530 §9.9).

use nfs4_protocol::nfs4::{NfsStat4, OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_BOTH};

use super::State;
use super::identity::{ClientId, FileKey, StateKey};
use super::moment::Moment;

/// The share reservation of an open, and the OPENs that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    access: u32,
    deny: u32,
    /// One bit for each pair of access and deny that some OPEN had.
    opened: u16,
}

impl Share {
    /// A reservation of one OPEN. Error: INVAL when a field has other bits than those of BOTH, or access has none.
    pub(super) fn new(access: u32, deny: u32) -> Result<Self, NfsStat4> {
        if access == 0 || access & !OPEN4_SHARE_ACCESS_BOTH != 0 || deny & !OPEN4_SHARE_DENY_BOTH != 0 {
            return Err(NfsStat4::Inval);
        }
        Ok(Self { access, deny, opened: 1 << (access << 2 | deny) })
    }

    /// What the owner may do: the access bits of OPEN.
    pub(super) fn access(self) -> u32 {
        self.access
    }

    /// Whether the two cannot stand beside each other.
    pub(super) fn conflicts(self, access: u32, deny: u32) -> bool {
        self.access & deny != 0 || self.deny & access != 0
    }

    /// The reservation after one more OPEN by the same owner: the union (RFC 7530 §9.11).
    pub(super) fn union(self, other: Self) -> Self {
        Self { access: self.access | other.access, deny: self.deny | other.deny, opened: self.opened | other.opened }
    }

    /// The reservation after OPEN_DOWNGRADE to `target`. Error: INVAL unless `target` is the union of some of the OPENs
    /// (RFC 7530 §16.19.4).
    pub(super) fn downgrade(self, target: Self) -> Result<Self, NfsStat4> {
        // If any subset has the wanted union, then the one of all OPENs within it has.
        let within = (1..=OPEN4_SHARE_ACCESS_BOTH)
            .flat_map(|access| (0..=OPEN4_SHARE_DENY_BOTH).map(move |deny| (access, deny)))
            .filter(|(access, deny)| access & !target.access == 0 && deny & !target.deny == 0)
            .filter_map(|(access, deny)| Self::new(access, deny).ok())
            .filter(|share| self.opened & share.opened != 0)
            .reduce(Self::union);
        within.filter(|share| share.access == target.access && share.deny == target.deny).ok_or(NfsStat4::Inval)
    }
}

impl<P> State<P> {
    /// Whether no open of the file, but for `own`, conflicts with the access and deny bits. Clients whose lease ran out
    /// lose their state to a conflict (RFC 7530 §9.6.3.1).
    pub(super) fn clear_share_conflicts(
        &mut self,
        file: FileKey,
        access: u32,
        deny: u32,
        own: Option<StateKey>,
        now: Moment,
    ) -> bool {
        let opens = self.files.get(&file).map(|file| file.opens.as_slice()).unwrap_or_default();
        let mut holders: Vec<ClientId> = opens
            .iter()
            .filter(|key| Some(**key) != own)
            .filter_map(|key| self.opens.get(key))
            .filter(|open| open.share.conflicts(access, deny))
            .map(|open| open.client)
            .collect();
        if !holders.iter().all(|client| self.is_expired(*client, now)) {
            return false;
        }
        holders.dedup();
        for client in holders {
            if self.clients.get(client).is_some() {
                self.evict_client(client);
            }
        }
        true
    }
}

//! Who may do what: the POSIX permission bits of a node against the identity of a request.

use nfs4_protocol::nfs4::{
    ACCESS4_DELETE, ACCESS4_EXECUTE, ACCESS4_EXTEND, ACCESS4_LOOKUP, ACCESS4_MODIFY, ACCESS4_READ, NfsStat4,
    OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_ACCESS_WRITE,
};

use super::{CompoundContext, Outcome};
use crate::fs::filesystem::{Attributes, Caller, FsError, Handle, Located, NodeKind};

/// Read a file, list a directory.
pub(super) const READ: u32 = 4;
/// Write a file, change the entries of a directory.
pub(super) const WRITE: u32 = 2;
/// Execute a file, search a directory.
pub(super) const EXECUTE: u32 = 1;

/// The user who may do all.
const ROOT: u32 = 0;
/// Who may execute, of all three classes.
const ANY_EXECUTE: u32 = 0o111;
/// The sticky bit: entries of such a directory belong to their owners.
const STICKY: u32 = 0o1000;
const SET_GID: u32 = 0o2000;
const SET_UID: u32 = 0o4000;

/// Whether the caller is the one who may do all.
pub(super) fn is_root(caller: &Caller) -> bool {
    caller.uid == ROOT
}

/// Whether the caller owns the node, or may do all.
pub(super) fn owns(attributes: &Attributes, caller: &Caller) -> bool {
    is_root(caller) || caller.uid == attributes.uid
}

/// Whether the caller belongs to a group.
pub(super) fn is_member(caller: &Caller, gid: u32) -> bool {
    caller.gid == gid || caller.groups.contains(&gid)
}

/// Whether the mode grants all of `want` ([`READ`], [`WRITE`], [`EXECUTE`]) to the caller. Only the bits of the first
/// class that fits count: owner, group, others. Root needs at least one execute bit to execute a file (RFC 8881
/// §18.1.3).
pub(super) fn check(attributes: &Attributes, caller: &Caller, want: u32) -> bool {
    let granted = if is_root(caller) {
        let executes = attributes.kind == NodeKind::Directory || attributes.mode & ANY_EXECUTE != 0;
        READ | WRITE | if executes { EXECUTE } else { 0 }
    } else if caller.uid == attributes.uid {
        attributes.mode >> 6
    } else if is_member(caller, attributes.gid) {
        attributes.mode >> 3
    } else {
        attributes.mode
    };
    granted & want == want
}

/// Whether the caller may open a file with `access` (`OPEN4_SHARE_ACCESS_*`). Who may execute a file may read it: its
/// program runs on the client (RFC 7530 §6.3.1.1, RFC 8881 §6.3.1.1 and §18.1.3).
pub(super) fn may_open(attributes: &Attributes, caller: &Caller, access: u32) -> bool {
    let reads = access & OPEN4_SHARE_ACCESS_READ != 0;
    let writes = access & OPEN4_SHARE_ACCESS_WRITE != 0;
    (!reads || check(attributes, caller, READ) || check(attributes, caller, EXECUTE))
        && (!writes || check(attributes, caller, WRITE))
}

/// Whether the caller may read a file's bytes without an open for it. The owner keeps what he had when he opened the
/// file, which nobody can tell from such a request (RFC 8881 §6.3.1.1).
pub(super) fn may_read(attributes: &Attributes, caller: &Caller) -> bool {
    owns(attributes, caller) || may_open(attributes, caller, OPEN4_SHARE_ACCESS_READ)
}

/// Whether the caller may write a file's bytes without an open for it; the owner as in [`may_read`].
pub(super) fn may_write(attributes: &Attributes, caller: &Caller) -> bool {
    owns(attributes, caller) || check(attributes, caller, WRITE)
}

/// NFS4ERR_ACCESS unless `may` says that the caller may. Root, who may do all with directories and with the bytes of
/// files, is not asked about: that saves to fetch attributes, which may mean to list a directory.
pub(super) async fn require<F>(cx: &CompoundContext, node: &Handle, may: F) -> Outcome<()>
where
    F: FnOnce(&Attributes, &Caller) -> bool,
{
    if is_root(cx.caller()) {
        return Ok(());
    }
    let attributes = cx.fs().getattr(node).await?;
    if may(&attributes, cx.caller()) { Ok(()) } else { Err(NfsStat4::Access.into()) }
}

/// NFS4ERR_ACCESS unless the caller may do `want` with a directory.
pub(super) async fn require_in_directory(cx: &CompoundContext, dir: &Located, want: u32) -> Outcome<()> {
    require(cx, &dir.handle, |attributes, caller| check(attributes, caller, want)).await
}

/// NFS4ERR_ACCESS unless the caller may take the entry `name` away from a directory: write and search it, and where the
/// directory is sticky own it or the entry. A name that does not exist may be taken away.
pub(super) async fn require_removal(cx: &CompoundContext, dir: &Located, name: &str) -> Outcome<()> {
    let caller = cx.caller();
    if is_root(caller) {
        return Ok(());
    }
    let attributes = cx.fs().getattr(&dir.handle).await?;
    if !check(&attributes, caller, WRITE | EXECUTE) {
        return Err(NfsStat4::Access.into());
    }
    if attributes.mode & STICKY == 0 || owns(&attributes, caller) {
        return Ok(());
    }
    match owner_of_entry(cx, &dir.handle, name).await? {
        Some(owner) if owner != caller.uid => Err(NfsStat4::Access.into()),
        _ => Ok(()),
    }
}

async fn owner_of_entry(cx: &CompoundContext, dir: &Handle, name: &str) -> Outcome<Option<u32>> {
    let node = match cx.fs().lookup(dir, name).await {
        Ok(node) => node,
        Err(FsError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(cx.fs().getattr(&node.handle).await?.uid))
}

/// The bits of ACCESS that have a meaning for a kind of node. Those of extended attributes are not among them: there
/// are none. Whether a file can be deleted is a matter of its directory (RFC 8881 §18.1.4).
pub(super) fn access_supported(kind: NodeKind) -> u32 {
    match kind {
        NodeKind::Directory => ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE,
        NodeKind::File | NodeKind::Symlink => ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_EXECUTE,
    }
}

/// Those of the `asked` bits of ACCESS that the caller is granted.
pub(super) fn access_granted(attributes: &Attributes, caller: &Caller, asked: u32) -> u32 {
    // To take an entry away needs search permission as well; so does to add one.
    let change = if attributes.kind == NodeKind::Directory { WRITE | EXECUTE } else { WRITE };
    let needs = [
        (ACCESS4_READ, READ),
        (ACCESS4_LOOKUP, EXECUTE),
        (ACCESS4_MODIFY, change),
        (ACCESS4_EXTEND, change),
        (ACCESS4_DELETE, change),
        (ACCESS4_EXECUTE, EXECUTE),
    ];
    let asked = asked & access_supported(attributes.kind);
    needs
        .iter()
        .filter(|(bit, want)| asked & bit != 0 && check(attributes, caller, *want))
        .fold(0, |granted, (bit, _)| granted | bit)
}

/// The mode that a file gets when somebody else than root sets `mode`: set-gid only for members of the group, as POSIX
/// has it for chmod.
pub(super) fn mode_to_set(attributes: &Attributes, caller: &Caller, gid: u32, mode: u32) -> u32 {
    let keeps = is_root(caller) || attributes.kind == NodeKind::Directory || is_member(caller, gid);
    if keeps { mode } else { mode & !SET_GID }
}

/// The mode that a file is left with when its owner or group changes: set-uid and set-gid were granted to the old one.
pub(super) fn mode_after_chown(attributes: &Attributes, caller: &Caller) -> Option<u32> {
    let granted = attributes.mode & (SET_UID | SET_GID) != 0;
    let loses = granted && attributes.kind == NodeKind::File && !is_root(caller);
    loses.then_some(attributes.mode & !(SET_UID | SET_GID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::filesystem::NodeKey;
    use crate::timestamp::Timestamp;

    fn node(kind: NodeKind, mode: u32) -> Attributes {
        let time = Timestamp::default();
        let key = NodeKey { fsid: 1, fileid: 2 };
        Attributes {
            key,
            kind,
            size: 0,
            space_used: 0,
            change: 1,
            mode,
            nlink: 1,
            uid: 10,
            gid: 20,
            atime: time,
            mtime: time,
            ctime: time,
            mounted_on_fileid: 2,
        }
    }

    fn caller(uid: u32, gid: u32, groups: &[u32]) -> Caller {
        Caller { uid, gid, groups: groups.to_vec() }
    }

    #[test]
    fn only_the_first_class_that_fits_counts() {
        let file = node(NodeKind::File, 0o047);
        assert!(!check(&file, &caller(10, 20, &[]), READ));
        assert!(check(&file, &caller(11, 20, &[]), READ));
        assert!(!check(&file, &caller(11, 20, &[]), WRITE));
        assert!(check(&file, &caller(11, 1, &[2, 20]), READ));
        assert!(!check(&file, &caller(11, 1, &[2, 20]), EXECUTE));
        assert!(check(&file, &caller(11, 1, &[]), READ | WRITE | EXECUTE));
    }

    #[test]
    fn root_may_do_all_but_execute_what_nobody_may() {
        let root = caller(0, 0, &[]);
        assert!(check(&node(NodeKind::File, 0), &root, READ | WRITE));
        assert!(!check(&node(NodeKind::File, 0o666), &root, EXECUTE));
        assert!(check(&node(NodeKind::File, 0o010), &root, EXECUTE));
        assert!(check(&node(NodeKind::Directory, 0), &root, READ | WRITE | EXECUTE));
    }

    #[test]
    fn access_answers_what_it_can_tell_and_no_more() {
        let all = 0x1ff;
        let file = node(NodeKind::File, 0o754);
        assert_eq!(access_supported(NodeKind::File), 0x2d);
        assert_eq!(access_granted(&file, &caller(10, 1, &[]), all), 0x2d);
        assert_eq!(access_granted(&file, &caller(1, 20, &[]), all), ACCESS4_READ | ACCESS4_EXECUTE);
        assert_eq!(access_granted(&file, &caller(1, 1, &[]), all), ACCESS4_READ);
        assert_eq!(access_granted(&file, &caller(10, 1, &[]), ACCESS4_EXTEND), ACCESS4_EXTEND);
    }

    #[test]
    fn a_directory_is_changed_only_by_who_may_search_it_too() {
        let dir = node(NodeKind::Directory, 0o263);
        let asked = ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_DELETE | ACCESS4_EXECUTE;
        assert_eq!(access_granted(&dir, &caller(10, 1, &[]), asked), 0);
        assert_eq!(access_granted(&dir, &caller(1, 1, &[]), asked), ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_DELETE);
    }

    #[test]
    fn to_open_for_reading_takes_a_bit_for_reading_or_executing_and_to_write_one_for_writing() {
        const READ: u32 = OPEN4_SHARE_ACCESS_READ;
        const WRITE: u32 = OPEN4_SHARE_ACCESS_WRITE;
        for (mode, allowed) in [
            (0o007, &[READ, WRITE, READ | WRITE][..]),
            (0o006, &[READ, WRITE, READ | WRITE]),
            (0o005, &[READ]),
            (0o004, &[READ]),
            (0o003, &[READ, WRITE, READ | WRITE]),
            (0o002, &[WRITE]),
            (0o001, &[READ]),
            (0o770, &[]),
        ] {
            for access in [READ, WRITE, READ | WRITE] {
                let may = may_open(&node(NodeKind::File, mode), &caller(1, 1, &[]), access);
                assert_eq!(may, allowed.contains(&access), "mode {mode:o} access {access}");
            }
        }
        assert!(!may_open(&node(NodeKind::File, 0o077), &caller(10, 1, &[]), READ), "the owner is no exception");
    }

    #[test]
    fn bytes_may_be_read_by_who_may_execute_and_by_the_owner() {
        let file = node(NodeKind::File, 0o011);
        assert!(may_read(&file, &caller(1, 1, &[])));
        assert!(may_read(&file, &caller(10, 1, &[])));
        assert!(may_write(&file, &caller(10, 1, &[])));
        assert!(!may_write(&file, &caller(1, 1, &[])));
        assert!(!may_read(&node(NodeKind::File, 0o700), &caller(1, 1, &[])));
    }

    #[test]
    fn set_uid_and_set_gid_go_when_they_no_longer_fit() {
        let file = node(NodeKind::File, 0o6755);
        assert_eq!(mode_after_chown(&file, &caller(10, 1, &[])), Some(0o755));
        assert_eq!(mode_after_chown(&file, &caller(0, 0, &[])), None);
        assert_eq!(mode_to_set(&file, &caller(10, 1, &[]), 20, 0o2755), 0o755);
        assert_eq!(mode_to_set(&file, &caller(10, 20, &[]), 20, 0o2755), 0o2755);
        assert_eq!(mode_to_set(&node(NodeKind::Directory, 0), &caller(10, 1, &[]), 20, 0o2755), 0o2755);
    }
}

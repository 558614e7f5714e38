//! Access control lists.

use bytes::Bytes;

use crate::nfs4::PRINCIPAL_MAX;
use crate::xdr::xdr_struct;

/// The most entries of an access control list that are decoded.
pub const ACL_ACES_MAX: usize = 4096;

xdr_struct! {
    /// `nfsace4`: one entry of an access control list.
    pub struct Nfsace4 {
        /// What the entry does: `ACE4_*_ACE_TYPE`.
        acetype: u32,
        /// Inheritance and audit bits.
        flag: u32,
        /// The operations it is about.
        access_mask: u32,
        /// Whom it is about: `user@domain`, `OWNER@`.
        who: Bytes [PRINCIPAL_MAX],
    }

    /// `nfsacl41`: the value of `dacl` and `sacl`.
    pub struct Nfsacl41 {
        /// `ACL4_AUTO_INHERIT` and its like.
        flag: u32,
        aces: Vec<Nfsace4> [ACL_ACES_MAX],
    }
}

/// `aclsupport`: entries that allow.
pub const ACL4_SUPPORT_ALLOW_ACL: u32 = 0x1;
/// `aclsupport`: entries that deny.
pub const ACL4_SUPPORT_DENY_ACL: u32 = 0x2;
/// `aclsupport`: entries that log.
pub const ACL4_SUPPORT_AUDIT_ACL: u32 = 0x4;
/// `aclsupport`: entries that alarm.
pub const ACL4_SUPPORT_ALARM_ACL: u32 = 0x8;

/// The entry allows.
pub const ACE4_ACCESS_ALLOWED_ACE_TYPE: u32 = 0;
/// The entry denies.
pub const ACE4_ACCESS_DENIED_ACE_TYPE: u32 = 1;
/// The entry logs.
pub const ACE4_SYSTEM_AUDIT_ACE_TYPE: u32 = 2;
/// The entry alarms.
pub const ACE4_SYSTEM_ALARM_ACE_TYPE: u32 = 3;

/// Files created in the directory inherit the entry.
pub const ACE4_FILE_INHERIT_ACE: u32 = 0x01;
/// Directories created in the directory inherit the entry.
pub const ACE4_DIRECTORY_INHERIT_ACE: u32 = 0x02;
/// Those that inherit the entry do not pass it on.
pub const ACE4_NO_PROPAGATE_INHERIT_ACE: u32 = 0x04;
/// The entry is for inheriting only.
pub const ACE4_INHERIT_ONLY_ACE: u32 = 0x08;
/// Log or alarm on success.
pub const ACE4_SUCCESSFUL_ACCESS_ACE_FLAG: u32 = 0x10;
/// Log or alarm on failure.
pub const ACE4_FAILED_ACCESS_ACE_FLAG: u32 = 0x20;
/// `who` is a group.
pub const ACE4_IDENTIFIER_GROUP: u32 = 0x40;
/// The entry was inherited.
pub const ACE4_INHERITED_ACE: u32 = 0x80;

/// Read data, or list a directory (`ACE4_LIST_DIRECTORY`).
pub const ACE4_READ_DATA: u32 = 0x0000_0001;
/// Write data, or add a file (`ACE4_ADD_FILE`).
pub const ACE4_WRITE_DATA: u32 = 0x0000_0002;
/// Append data, or add a directory (`ACE4_ADD_SUBDIRECTORY`).
pub const ACE4_APPEND_DATA: u32 = 0x0000_0004;
/// Read named attributes.
pub const ACE4_READ_NAMED_ATTRS: u32 = 0x0000_0008;
/// Write named attributes.
pub const ACE4_WRITE_NAMED_ATTRS: u32 = 0x0000_0010;
/// Execute a file, or pass through a directory.
pub const ACE4_EXECUTE: u32 = 0x0000_0020;
/// Delete an entry of the directory.
pub const ACE4_DELETE_CHILD: u32 = 0x0000_0040;
/// Read attributes.
pub const ACE4_READ_ATTRIBUTES: u32 = 0x0000_0080;
/// Change times and the like.
pub const ACE4_WRITE_ATTRIBUTES: u32 = 0x0000_0100;
/// Change the retention.
pub const ACE4_WRITE_RETENTION: u32 = 0x0000_0200;
/// Change the retention hold.
pub const ACE4_WRITE_RETENTION_HOLD: u32 = 0x0000_0400;
/// Delete the object.
pub const ACE4_DELETE: u32 = 0x0001_0000;
/// Read the access control list.
pub const ACE4_READ_ACL: u32 = 0x0002_0000;
/// Change the access control list and the mode.
pub const ACE4_WRITE_ACL: u32 = 0x0004_0000;
/// Change owner and group.
pub const ACE4_WRITE_OWNER: u32 = 0x0008_0000;
/// Wait on the object.
pub const ACE4_SYNCHRONIZE: u32 = 0x0010_0000;

/// The list inherits automatically.
pub const ACL4_AUTO_INHERIT: u32 = 0x1;
/// The list is protected from automatic inheritance.
pub const ACL4_PROTECTED: u32 = 0x2;
/// The list came from a default.
pub const ACL4_DEFAULTED: u32 = 0x4;

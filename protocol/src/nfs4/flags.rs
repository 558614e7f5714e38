//! Bits and constants that several operations share.

macro_rules! bits {
    ($( $(#[$meta:meta])* $name:ident = $value:expr; )*) => {$(
        $(#[$meta])*
        #[doc = concat!("(`", stringify!($name), "`)")]
        pub const $name: u32 = $value;
    )*};
}

// The bits of ACCESS (RFC 7531; RFC 8276 for extended attributes).
bits! {
    /// Read data, list a directory.
    ACCESS4_READ = 0x0001;
    /// Look a name up in a directory.
    ACCESS4_LOOKUP = 0x0002;
    /// Rewrite data, change directory entries.
    ACCESS4_MODIFY = 0x0004;
    /// Write new data, add directory entries.
    ACCESS4_EXTEND = 0x0008;
    /// Delete a directory entry.
    ACCESS4_DELETE = 0x0010;
    /// Execute a file.
    ACCESS4_EXECUTE = 0x0020;
    /// Read the value of an extended attribute.
    ACCESS4_XAREAD = 0x0040;
    /// Change or remove an extended attribute.
    ACCESS4_XAWRITE = 0x0080;
    /// List the names of extended attributes.
    ACCESS4_XALIST = 0x0100;
}

// Share reservations and delegation wishes of OPEN (RFC 7531, RFC 5662, RFC 7863, RFC 9754).
bits! {
    /// The open reads.
    OPEN4_SHARE_ACCESS_READ = 0x0001;
    /// The open writes.
    OPEN4_SHARE_ACCESS_WRITE = 0x0002;
    /// The open reads and writes.
    OPEN4_SHARE_ACCESS_BOTH = 0x0003;
    /// Others may do anything.
    OPEN4_SHARE_DENY_NONE = 0x0000;
    /// Others may not read.
    OPEN4_SHARE_DENY_READ = 0x0001;
    /// Others may not write.
    OPEN4_SHARE_DENY_WRITE = 0x0002;
    /// Others may neither read nor write.
    OPEN4_SHARE_DENY_BOTH = 0x0003;
    /// The bits of `share_access` that hold a wish for a delegation (4.1).
    OPEN4_SHARE_ACCESS_WANT_DELEG_MASK = 0xff00;
    /// No wish.
    OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE = 0x0000;
    /// A read delegation, please.
    OPEN4_SHARE_ACCESS_WANT_READ_DELEG = 0x0100;
    /// A write delegation, please.
    OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG = 0x0200;
    /// Any delegation, please.
    OPEN4_SHARE_ACCESS_WANT_ANY_DELEG = 0x0300;
    /// No delegation, please.
    OPEN4_SHARE_ACCESS_WANT_NO_DELEG = 0x0400;
    /// Forget an earlier wish.
    OPEN4_SHARE_ACCESS_WANT_CANCEL = 0x0500;
    /// Tell me when the delegation can be had.
    OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL = 0x0001_0000;
    /// Give the delegation by callback once nothing conflicts.
    OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED = 0x0002_0000;
    /// The holder wants to report times (RFC 9754).
    OPEN4_SHARE_ACCESS_WANT_DELEG_TIMESTAMPS = 0x0010_0000;
    /// A delegation is enough, without an open stateid (RFC 9754).
    OPEN4_SHARE_ACCESS_WANT_OPEN_XOR_DELEGATION = 0x0020_0000;
}

// The flags in the result of OPEN.
bits! {
    /// The open must be confirmed with OPEN_CONFIRM (4.0).
    OPEN4_RESULT_CONFIRM = 0x0002;
    /// Byte-range locks are split and merged as POSIX does.
    OPEN4_RESULT_LOCKTYPE_POSIX = 0x0004;
    /// The file lives on after REMOVE until it is closed (4.1).
    OPEN4_RESULT_PRESERVE_UNLINKED = 0x0008;
    /// There is a delegation and no open stateid (RFC 9754).
    OPEN4_RESULT_NO_OPEN_STATEID = 0x0010;
    /// CB_NOTIFY_LOCK may be sent (4.1).
    OPEN4_RESULT_MAY_NOTIFY_LOCK = 0x0020;
}

// The permission bits (`mode4`).
bits! {
    /// Set user id on execution.
    MODE4_SUID = 0o4000;
    /// Set group id on execution.
    MODE4_SGID = 0o2000;
    /// Save swapped text: the sticky bit.
    MODE4_SVTX = 0o1000;
    /// The owner reads.
    MODE4_RUSR = 0o400;
    /// The owner writes.
    MODE4_WUSR = 0o200;
    /// The owner executes.
    MODE4_XUSR = 0o100;
    /// The group reads.
    MODE4_RGRP = 0o040;
    /// The group writes.
    MODE4_WGRP = 0o020;
    /// The group executes.
    MODE4_XGRP = 0o010;
    /// Others read.
    MODE4_ROTH = 0o004;
    /// Others write.
    MODE4_WOTH = 0o002;
    /// Others execute.
    MODE4_XOTH = 0o001;
}

// `fh_expire_type`.
bits! {
    /// Filehandles stay valid as long as the object exists.
    FH4_PERSISTENT = 0x0000;
    /// Filehandles of open files do not expire.
    FH4_NOEXPIRE_WITH_OPEN = 0x0001;
    /// Filehandles may expire at any time.
    FH4_VOLATILE_ANY = 0x0002;
    /// Filehandles expire on migration.
    FH4_VOL_MIGRATION = 0x0004;
    /// Filehandles expire on rename.
    FH4_VOL_RENAME = 0x0008;
}

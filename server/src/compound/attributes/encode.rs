//! What GETATTR, READDIR, VERIFY and NVERIFY answer.

use nfs4_protocol::nfs4::*;

use super::FILE_BYTES_MAX;
use super::supported::{suppattr_exclcreat, supported};
use crate::compound::{CompoundContext, identity};
use crate::fs::filesystem::{Attributes, Located, NAME_BYTES_MAX, NodeKind, Space};
use crate::timestamp::Timestamp;

/// Attributes whose values a listing alone cannot tell.
const OF_NODE: &[u32] = &[
    FATTR4_TYPE,
    FATTR4_CHANGE,
    FATTR4_SIZE,
    FATTR4_MODE,
    FATTR4_NUMLINKS,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_SPACE_USED,
    FATTR4_TIME_ACCESS,
    FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY,
];

/// Attributes that tell of the room in the file system.
const OF_SPACE: &[u32] = &[
    FATTR4_FILES_AVAIL,
    FATTR4_FILES_FREE,
    FATTR4_FILES_TOTAL,
    FATTR4_SPACE_AVAIL,
    FATTR4_SPACE_FREE,
    FATTR4_SPACE_TOTAL,
];

/// The finest difference of times, in nanoseconds.
const TIME_DELTA_NS: u32 = 1;
/// Links that a file can have: its one name.
const LINKS_MAX: u32 = 1;

/// What is known of a node.
#[derive(Debug, Clone, Copy)]
pub(in crate::compound) struct Facts<'a> {
    /// Which node.
    pub(in crate::compound) node: &'a Located,
    /// Its attributes; what depends on them is left out of the answer without.
    pub(in crate::compound) attributes: Option<&'a Attributes>,
    /// The room in its file system; what depends on it is left out of the answer without.
    pub(in crate::compound) space: Option<Space>,
}

/// A request for attributes, to be answered for any number of nodes.
#[derive(Debug)]
pub(in crate::compound) struct Query {
    mask: Bitmap4,
    /// Those of the asked attributes that are the same for all nodes.
    constants: Attrs,
    domain: Option<String>,
}

impl Query {
    /// Takes a client's mask. Attributes that are not supported are left out of the answer (RFC 7530 §16.7.4).
    ///
    /// # Errors
    /// NFS4ERR_INVAL when it asks for an attribute that can only be set (RFC 7530 §5.5).
    pub(in crate::compound) fn new(cx: &CompoundContext, asked: &Bitmap4) -> Result<Self, NfsStat4> {
        let minor = cx.minor();
        if asked.iter().filter_map(attribute).any(|info| info.since_minor <= minor && !info.readable()) {
            return Err(NfsStat4::Inval);
        }
        let mask = asked.and(&supported(minor));
        let mut constants = constants(cx);
        constants.retain(&mask);
        Ok(Self { mask, constants, domain: cx.settings().nfs4_domain.clone() })
    }

    fn asks_for(&self, numbers: &[u32]) -> bool {
        numbers.iter().any(|number| self.mask.contains(*number))
    }

    /// Whether [`Facts::attributes`] are needed.
    pub(in crate::compound) fn wants_attributes(&self) -> bool {
        self.asks_for(OF_NODE)
    }

    /// Whether [`Facts::space`] is needed.
    pub(in crate::compound) fn wants_space(&self) -> bool {
        self.asks_for(OF_SPACE)
    }

    /// Whether the handle is part of the answer.
    pub(in crate::compound) fn wants_handle(&self) -> bool {
        self.mask.contains(FATTR4_FILEHANDLE)
    }

    /// Whether `mounted_on_fileid` is part of the answer; at the root of a file system it takes attributes to tell it.
    pub(in crate::compound) fn wants_mounted_on_fileid(&self) -> bool {
        self.mask.contains(FATTR4_MOUNTED_ON_FILEID)
    }

    /// Whether the client takes an error in place of an entry's attributes (RFC 8881 §5.8.1.12).
    pub(in crate::compound) fn takes_errors(&self) -> bool {
        self.mask.contains(FATTR4_RDATTR_ERROR)
    }

    /// Whether the answer has all of the `asked` attributes.
    pub(in crate::compound) fn is_complete(&self, asked: &Bitmap4) -> bool {
        asked.same_bits(&self.mask)
    }

    /// Roughly how many bytes an answer takes.
    pub(in crate::compound) fn answer_bytes_estimate(&self) -> usize {
        const NUMBER: usize = 8;
        const HANDLE: usize = 64;
        self.mask.iter().map(|number| if number == FATTR4_FILEHANDLE { HANDLE } else { NUMBER }).sum()
    }

    /// The answer for a node.
    pub(in crate::compound) fn answer(&self, facts: Facts<'_>) -> Fattr4 {
        self.attrs(facts).to_fattr4()
    }

    /// The answer for a node, typed.
    pub(in crate::compound) fn attrs(&self, facts: Facts<'_>) -> Attrs {
        let mut attrs = self.constants.clone();
        let key = facts.node.key;
        attrs.fsid = Some(Fsid4 { major: key.fsid, minor: 0 });
        attrs.fileid = Some(key.fileid);
        attrs.mounted_on_fileid = Some(key.fileid);
        if self.wants_handle() {
            attrs.filehandle = Some(NfsFh4(facts.node.handle.as_bytes().clone()));
        }
        if let Some(attributes) = facts.attributes {
            self.describe(&mut attrs, attributes);
        }
        if let Some(space) = facts.space {
            describe_space(&mut attrs, space);
        }
        attrs.retain(&self.mask);
        attrs
    }

    /// The answer for a directory entry whose attributes cannot be had: nothing but why.
    pub(in crate::compound) fn error(&self, status: NfsStat4) -> Fattr4 {
        Attrs { rdattr_error: Some(status), ..Attrs::default() }.to_fattr4()
    }

    fn describe(&self, attrs: &mut Attrs, attributes: &Attributes) {
        attrs.ftype = Some(match attributes.kind {
            NodeKind::Directory => NfsFtype4::Dir,
            NodeKind::File => NfsFtype4::Reg,
            NodeKind::Symlink => NfsFtype4::Lnk,
        });
        attrs.change = Some(attributes.change);
        attrs.size = Some(attributes.size);
        attrs.mode = Some(attributes.mode);
        attrs.numlinks = Some(attributes.nlink);
        if self.mask.contains(FATTR4_OWNER) {
            attrs.owner = Some(identity::owner(attributes.uid, self.domain.as_deref()));
        }
        if self.mask.contains(FATTR4_OWNER_GROUP) {
            attrs.owner_group = Some(identity::owner_group(attributes.gid));
        }
        attrs.space_used = Some(attributes.space_used);
        attrs.time_access = Some(nfstime(attributes.atime));
        attrs.time_metadata = Some(nfstime(attributes.ctime));
        attrs.time_modify = Some(nfstime(attributes.mtime));
        attrs.mounted_on_fileid = Some(attributes.mounted_on_fileid);
    }
}

fn describe_space(attrs: &mut Attrs, space: Space) {
    attrs.files_avail = Some(space.files_free);
    attrs.files_free = Some(space.files_free);
    attrs.files_total = Some(space.files_total);
    attrs.space_avail = Some(space.bytes_free);
    attrs.space_free = Some(space.bytes_free);
    attrs.space_total = Some(space.bytes_total);
}

fn nfstime(time: Timestamp) -> Nfstime4 {
    Nfstime4 { seconds: time.seconds, nseconds: time.nanos }
}

/// The attributes that are the same for all nodes.
fn constants(cx: &CompoundContext) -> Attrs {
    let settings = cx.settings();
    Attrs {
        supported_attrs: Some(supported(cx.minor())),
        fh_expire_type: Some(FH4_PERSISTENT),
        link_support: Some(false),
        symlink_support: Some(true),
        named_attr: Some(false),
        unique_handles: Some(true),
        lease_time: Some(cx.lease_seconds()),
        rdattr_error: Some(NfsStat4::Ok),
        // No kind of ACL.
        aclsupport: Some(0),
        cansettime: Some(true),
        case_insensitive: Some(false),
        case_preserving: Some(true),
        chown_restricted: Some(true),
        homogeneous: Some(true),
        maxfilesize: Some(FILE_BYTES_MAX),
        maxlink: Some(LINKS_MAX),
        maxname: u32::try_from(NAME_BYTES_MAX).ok(),
        maxread: Some(u64::from(settings.read_bytes_max)),
        maxwrite: Some(u64::from(settings.write_bytes_max)),
        no_trunc: Some(true),
        // There are no devices, but clients ask for it with every file.
        rawdev: Some(Specdata4::default()),
        time_delta: Some(Nfstime4 { seconds: 0, nseconds: TIME_DELTA_NS }),
        suppattr_exclcreat: Some(suppattr_exclcreat(cx.minor())),
        ..Attrs::default()
    }
}

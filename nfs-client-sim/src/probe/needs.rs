//! What client systems need of a server, and how much of it was seen.
//!
//! The table is that of the project's notes on clients: what their source, their vendors or captures show them to
//! insist on.

use nfs4_protocol::nfs4::{
    Bitmap4, FATTR4_CASE_INSENSITIVE, FATTR4_FILEID, FATTR4_FSID, FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE,
    FATTR4_MODE, FATTR4_MODE_UMASK, FATTR4_MOUNTED_ON_FILEID, FATTR4_NUMLINKS, FATTR4_OWNER, FATTR4_OWNER_GROUP,
    FATTR4_RAWDEV, FATTR4_SPACE_USED, FATTR4_SUPPATTR_EXCLCREAT, FATTR4_TIME_ACCESS, FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY, OpNum,
};

use super::features::Feature as F;
use super::report::{Minor, Need, Offer, Operation, Report, Seen, System, Verdict, name};

/// A client system.
struct Client {
    name: &'static str,
    minor: u32,
    needs: &'static [&'static [Wish]],
}

/// Something that a client needs.
struct Wish {
    what: &'static str,
    of: Of,
}

/// Of what it consists.
enum Of {
    /// These operations are offered.
    Operations(&'static [OpNum]),
    /// The server does these.
    Features(&'static [F]),
    /// These attributes are supported.
    Attributes(&'static [u32]),
    /// This attribute can be set in an exclusive creation.
    Exclcreat(u32),
    /// The server does these, if it offers an operation.
    If(OpNum, &'static [F]),
    /// The server does it, or says of this operation that it is not supported.
    OrNot(F, OpNum),
}

use Of::{Attributes, Exclcreat, Features, If, Operations, OrNot};

const fn wish(what: &'static str, of: Of) -> Wish {
    Wish { what, of }
}

const ALL: &[Wish] = &[
    wish("filehandles are stable and at most 128 bytes", Features(&[F::HandlesStable, F::HandlesShort])),
    wish("fileids are unique and not 0", Features(&[F::Fileids, F::FsidAlways])),
    wish("at least one link, mode bits below 010000", Features(&[F::LinksAndMode])),
    wish(
        "change rises with every modification",
        Features(&[F::ChangeWithData, F::ChangeWithAttributes, F::ChangeWithNames]),
    ),
    wish("size, times and change keep still otherwise", Features(&[F::AttributesStill])),
    wish("open files outlive their name", Features(&[F::UnlinkedOpen, F::ReplacedOpen])),
    wish("bitmaps of any length", Features(&[F::LongBitmaps, F::PaddedVerify])),
    wish("unknown attributes are ignored, or ATTRNOTSUPP", Features(&[F::UnknownBitsIgnored, F::UnknownBitsRefused])),
    wish("ports that need no privilege", Features(&[F::OtherPorts])),
    wish("PROG_MISMATCH, MINOR_VERS_MISMATCH", Features(&[F::ProgMismatch, F::MinorMismatch])),
    wish("READDIR goes on with verifier 0", Features(&[F::ZeroVerifier])),
    wish("no READDIR cookies below 3", Features(&[F::CookiesAboveTwo])),
    wish("exact eof", Features(&[F::EofExact])),
    wish("writes out of order, COMMIT in between", Features(&[F::OutOfOrderWrites])),
    wish("AUTH_SYS", Features(&[F::Secinfo, F::SysAllowed])),
];

const SESSIONS: &[Wish] = &[
    wish("a legal pNFS role", Features(&[F::PnfsRole])),
    wish("no flags of CREATE_SESSION that were not asked for", Features(&[F::SessionFlags, F::SessionSequence])),
    wish("no needless status flags in SEQUENCE", Features(&[F::NoAlarm])),
    wish("at least 8 operations per request", Features(&[F::EightOperations])),
    wish("PRESERVE_UNLINKED", Features(&[F::PreserveUnlinked])),
    wish("SP4_NONE is taken", Features(&[F::StateProtection])),
];

const MACOS: &[Wish] = &[
    wish("the filehandle as an attribute (it creates without GETFH)", Features(&[F::HandleAttribute])),
    wish("GETATTR behind CLOSE", Features(&[F::GetattrAfterClose])),
    wish("times can be set after CLOSE", Features(&[F::TimesAfterClose])),
    wish("OPEN_DOWNGRADE, LOOKUPP, SECINFO", Operations(&[OpNum::OpenDowngrade, OpNum::Lookupp, OpNum::Secinfo])),
    wish("CLAIM_PREVIOUS is answered", Features(&[F::Reclaims])),
    wish("owners by number, both ways", Features(&[F::NumericOwners, F::NumericOwnersSet])),
    wish("owners and times of every object", Attributes(MACOS_ATTRIBUTES)),
    wish("aclsupport 0, or real ACLs", Features(&[F::AclsHonest])),
    wish("archive, hidden, time_create, time_backup only if they can be set", Features(&[F::SettableOnly])),
    wish("names ._x and .DS_Store", Features(&[F::AppleNames])),
    wish("blocking locks", Features(&[F::Locks, F::BlockingLocks])),
    wish("named attributes, or a clean NOTSUPP", OrNot(F::NamedAttributes, OpNum::Openattr)),
];

/// What macOS asks for with every GETATTR.
const MACOS_ATTRIBUTES: &[u32] = &[
    FATTR4_FSID,
    FATTR4_FILEID,
    FATTR4_MODE,
    FATTR4_NUMLINKS,
    FATTR4_OWNER,
    FATTR4_OWNER_GROUP,
    FATTR4_RAWDEV,
    FATTR4_SPACE_USED,
    FATTR4_TIME_ACCESS,
    FATTR4_TIME_METADATA,
    FATTR4_TIME_MODIFY,
    FATTR4_MOUNTED_ON_FILEID,
];

const MACOS_40: &[Wish] = &[wish(
    "OPEN_CONFIRM, RENEW, RELEASE_LOCKOWNER",
    Operations(&[OpNum::OpenConfirm, OpNum::Renew, OpNum::ReleaseLockowner]),
)];

const MACOS_41: &[Wish] = &[
    wish("SECINFO_NO_NAME, FREE_STATEID", Operations(&[OpNum::SecinfoNoName, OpNum::FreeStateid])),
    wish("EXCLUSIVE4_1 with attributes", Features(&[F::CreateExclusiveAttributes])),
    wish("suppattr_exclcreat", Attributes(&[FATTR4_SUPPATTR_EXCLCREAT])),
    wish("NONE_EXT only where a delegation was wished for", Features(&[F::NoneExtOnlyWhenWanted])),
    wish("CLAIM_FH", Features(&[F::ClaimFh])),
];

const LINUX: &[Wish] = &[
    wish("lease_time, maxread, maxwrite", Attributes(&[FATTR4_LEASE_TIME, FATTR4_MAXREAD, FATTR4_MAXWRITE])),
    wish("GETFH after PUTROOTFH", Features(&[F::RootHandle])),
    wish("exclusive creation", Features(&[F::CreateExclusive, F::CreateGuarded])),
    wish("locks", Features(&[F::Locks])),
    wish("the probe for RPC-with-TLS is answered", Features(&[F::TlsAnswered])),
];

const LINUX_40: &[Wish] = &[wish(
    "RENEW, OPEN_CONFIRM, SECINFO, RELEASE_LOCKOWNER",
    Operations(&[OpNum::Renew, OpNum::OpenConfirm, OpNum::Secinfo, OpNum::ReleaseLockowner]),
)];

const LINUX_SESSIONS: &[Wish] = &[
    wish("a back channel with room for what was asked", Features(&[F::BackChannelRoom, F::BackChannel])),
    wish("BIND_CONN_TO_SESSION binds both channels", Features(&[F::BindConnection])),
    wish("TEST_STATEID, FREE_STATEID", Operations(&[OpNum::TestStateid, OpNum::FreeStateid])),
    wish("TEST_STATEID answers", Features(&[F::TestStateid])),
    wish("CLAIM_FH", Features(&[F::ClaimFh])),
    wish("EXCLUSIVE4_1 with attributes", Features(&[F::CreateExclusiveAttributes])),
    wish("suppattr_exclcreat", Attributes(&[FATTR4_SUPPATTR_EXCLCREAT])),
    wish("the same owner and scope everywhere (trunking)", Features(&[F::SameOwner])),
];

const LINUX_42: &[Wish] = &[
    wish("mode_umask in an exclusive creation", Exclcreat(FATTR4_MODE_UMASK)),
    wish(
        "rights to extended attributes in ACCESS, if there are any",
        If(OpNum::Setxattr, &[F::XattrAccess, F::Xattrs]),
    ),
    wish("clone_blksize, if there is CLONE", If(OpNum::Clone, &[F::CloneBlock])),
    wish("COPY is done before the reply, if there is COPY", If(OpNum::Copy, &[F::Copy])),
    wish("no open_arguments and no times of delegations without the rest", Features(&[F::NothingFromDrafts])),
];

const ESXI: &[Wish] = &[
    wish("RECLAIM_COMPLETE with one_fs", Features(&[F::ReclaimOneFs])),
    wish("SEQ_MISORDERED for CREATE_SESSION out of order", Features(&[F::SessionOrder])),
    wish("BIND_CONN_TO_SESSION", Features(&[F::BindConnection])),
    wish("DENY_BOTH does not deny itself", Features(&[F::DenyBoth])),
    wish("a replaced file that is open is reachable", Features(&[F::ReplacedOpen])),
    wish("VERIFY with padded bitmaps", Features(&[F::PaddedVerify])),
    wish("VERIFY, NVERIFY", Operations(&[OpNum::Verify, OpNum::Nverify])),
    wish("the same owner, scope and filehandles everywhere", Features(&[F::SameOwner, F::HandlesStable])),
    wish("root is not squashed", Features(&[F::RootIsRoot])),
    wish("CLAIM_FH", Features(&[F::ClaimFh])),
];

const MS_NFS41: &[Wish] = &[
    wish("16384 operations are clamped, to no less than 64", Features(&[F::SixtyFourOperations])),
    wish("fileid and fsid of every object", Features(&[F::FsidAlways])),
    wish("named attributes, or a clean NOTSUPP", OrNot(F::NamedAttributes, OpNum::Openattr)),
    wish("case_insensitive is told", Attributes(&[FATTR4_CASE_INSENSITIVE])),
];

static CLIENTS: &[Client] = &[
    Client { name: "Linux 4.0", minor: 0, needs: &[ALL, LINUX, LINUX_40] },
    Client { name: "Linux 4.1", minor: 1, needs: &[ALL, SESSIONS, LINUX, LINUX_SESSIONS] },
    Client { name: "Linux 4.2", minor: 2, needs: &[ALL, SESSIONS, LINUX, LINUX_SESSIONS, LINUX_42] },
    Client { name: "macOS 15 (4.0)", minor: 0, needs: &[ALL, MACOS, MACOS_40] },
    Client { name: "macOS 26 (4.1)", minor: 1, needs: &[ALL, SESSIONS, MACOS, MACOS_41] },
    Client { name: "ESXi (4.1)", minor: 1, needs: &[ALL, SESSIONS, ESXI] },
    Client { name: "Windows, ms-nfs41-client (4.1)", minor: 1, needs: &[ALL, SESSIONS, MS_NFS41] },
];

/// What each client system needs, and whether it is there.
pub(super) fn judge(report: &Report) -> Vec<System> {
    CLIENTS
        .iter()
        .map(|client| {
            let minor = report.minors.iter().find(|minor| minor.minor == client.minor && minor.offered);
            let mut needs = vec![version(client.minor, minor)];
            if let Some(minor) = minor {
                needs.extend(client.needs.iter().copied().flatten().map(|wish| need(wish, report, minor)));
                needs.push(Need {
                    what: "another write verifier and the same handles after a restart",
                    verdict: Verdict::NotSeen,
                    why: "the server would have to be restarted".into(),
                });
            }
            System { name: client.name, needs }
        })
        .collect()
}

fn version(number: u32, minor: Option<&Minor>) -> Need {
    let (verdict, why) = match minor {
        Some(Minor { trouble: Some(trouble), .. }) => (Verdict::NotSeen, trouble.clone()),
        Some(_) => (Verdict::Met, format!("4.{number} answers")),
        None => (Verdict::Missing, format!("4.{number} is not offered")),
    };
    Need { what: "the minor version", verdict, why }
}

fn need(wish: &Wish, report: &Report, minor: &Minor) -> Need {
    let (verdict, why) = match &wish.of {
        Operations(ops) => all(ops.iter().map(|op| operation(*op, minor))),
        Features(features) => all(features.iter().map(|feature| seen(*feature, report, minor))),
        Attributes(numbers) => all(numbers.iter().map(|number| attribute(*number, &minor.supported_attrs.0))),
        Exclcreat(number) => attribute(*number, &minor.suppattr_exclcreat.0),
        If(op, features) => match operation(*op, minor) {
            (Verdict::Missing, why) => (Verdict::Met, why),
            (Verdict::Met, _) => all(features.iter().map(|feature| seen(*feature, report, minor))),
            unseen => unseen,
        },
        OrNot(feature, op) => match operation(*op, minor) {
            (Verdict::Missing, why) => (Verdict::Met, why),
            _ => seen(*feature, report, minor),
        },
    };
    Need { what: wish.what, verdict, why }
}

/// The worst of several verdicts, and why; of good ones, the reasons of all.
fn all(verdicts: impl Iterator<Item = (Verdict, String)>) -> (Verdict, String) {
    let verdicts: Vec<_> = verdicts.collect();
    let of = |wanted| -> Vec<&str> {
        verdicts.iter().filter(|(verdict, _)| *verdict == wanted).map(|(_, why)| why.as_str()).collect()
    };
    for verdict in [Verdict::Missing, Verdict::NotSeen] {
        let reasons = of(verdict);
        if !reasons.is_empty() {
            return (verdict, reasons.join("; "));
        }
    }
    let mut reasons = of(Verdict::Met);
    reasons.dedup();
    (Verdict::Met, reasons.join("; "))
}

fn operation(op: OpNum, minor: &Minor) -> (Verdict, String) {
    let name = op.name();
    match minor.operations.iter().find(|operation| operation.name == name) {
        Some(Operation { offer: Offer::Offered, status, .. }) => (Verdict::Met, format!("{name}: {status}")),
        Some(Operation { offer: Offer::Unclear, status, .. }) => (Verdict::NotSeen, format!("{name}: {status}")),
        Some(Operation { status, .. }) => (Verdict::Missing, format!("{name}: {status}")),
        None => (Verdict::NotSeen, format!("{name} was not tried")),
    }
}

fn seen(feature: F, report: &Report, minor: &Minor) -> (Verdict, String) {
    match minor.notes.finding(feature).or_else(|| report.rpc.finding(feature)) {
        None if report.wrote => (Verdict::NotSeen, "it was not tried".into()),
        None => (Verdict::NotSeen, "only seen with --write".into()),
        Some(finding) => {
            let verdict = match finding.seen {
                Seen::Yes => Verdict::Met,
                Seen::No => Verdict::Missing,
                Seen::Unknown => Verdict::NotSeen,
            };
            (verdict, finding.detail.clone())
        }
    }
}

fn attribute(number: u32, set: &Bitmap4) -> (Verdict, String) {
    if set.contains(number) {
        (Verdict::Met, name(number))
    } else if set.is_empty() {
        (Verdict::NotSeen, "no attributes were told".into())
    } else {
        (Verdict::Missing, format!("{} is not told", name(number)))
    }
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;

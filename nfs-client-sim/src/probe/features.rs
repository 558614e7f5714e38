//! What a server may do or not do, as far as it is seen from outside.

use serde::Serialize;

macro_rules! features {
    ($( $feature:ident: $words:literal; )*) => {
        /// Something that a server does or does not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Feature {$(
            #[doc = concat!("The server: ", $words, ".")]
            $feature,
        )*}

        impl Feature {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$feature ),*];

            /// It in words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self {
                    $( Self::$feature => $words, )*
                }
            }
        }
    };
}

features! {
    ProgMismatch: "answers other NFS versions with PROG_MISMATCH";
    MinorMismatch: "answers unknown minor versions with MINOR_VERS_MISMATCH";
    OtherPorts: "takes calls from ports that need no privilege";
    TlsAnswered: "answers the probe for RPC-with-TLS as RFC 9289 wants";
    Tls: "offers RPC-with-TLS";
    PnfsRole: "names exactly one legal role in pNFS";
    SessionFlags: "grants no flags of CREATE_SESSION that were not asked for";
    SessionSequence: "repeats the sequence ID of CREATE_SESSION";
    SessionOrder: "answers CREATE_SESSION out of order with SEQ_MISORDERED";
    EightOperations: "allows at least 8 operations in a session's request";
    SixtyFourOperations: "clamps 16384 operations, to no less than 64";
    BackChannelRoom: "grants the back channel the reply size that was asked for";
    BackChannel: "takes the connection for callbacks when CREATE_SESSION asks";
    BindConnection: "binds a connection to both channels";
    NoAlarm: "sets no status flags in SEQUENCE without need";
    ReclaimOneFs: "takes RECLAIM_COMPLETE of one file system after that of all";
    TestStateid: "answers TEST_STATEID";
    StateProtection: "takes a client without state protection";
    SameOwner: "has the same server owner and scope on each connection";
    Callbacks: "calls the client back";
    Delegations: "gives delegations";
    Recalls: "recalls a delegation when another client wants the file";
    HandlesStable: "gives the same filehandle on each connection";
    HandlesShort: "has filehandles of at most 128 bytes";
    HandleAttribute: "tells the filehandle as an attribute";
    RootHandle: "answers GETFH after PUTROOTFH";
    Fileids: "has fileids that are unique and not 0";
    LinksAndMode: "has at least one link and no unknown mode bits";
    FsidAlways: "tells fsid and fileid of every object";
    AttributesStill: "keeps change, size and times while nothing happens";
    LongBitmaps: "takes bitmaps that are longer than needed";
    UnknownBitsIgnored: "ignores unknown attributes in GETATTR";
    UnknownBitsRefused: "refuses unknown attributes in VERIFY with ATTRNOTSUPP";
    PaddedVerify: "compares with VERIFY whatever the bitmap's length";
    CookiesAboveTwo: "gives no READDIR cookies 0, 1 and 2";
    ZeroVerifier: "goes on with READDIR at a cookie with verifier 0";
    ParentOfRoot: "answers LOOKUPP at the root with NOENT";
    Secinfo: "tells the security of a name";
    SysAllowed: "lists AUTH_SYS";
    NumericOwners: "names owners by number";
    AclsHonest: "says what ACLs it has";
    XattrAccess: "tells the rights to extended attributes in ACCESS";
    CloneBlock: "tells clone_blksize";
    NothingFromDrafts: "advertises no open_arguments and no times of delegations";
    ClaimFh: "opens by filehandle";
    PreserveUnlinked: "says that open files outlive their name";
    UnlinkedOpen: "serves a removed file until it is closed";
    ReplacedOpen: "serves a replaced file until it is closed";
    ChangeWithData: "moves the change attribute with each write";
    ChangeWithAttributes: "moves the change attribute with attributes";
    ChangeWithNames: "moves a directory's change attribute with its names";
    CreateGuarded: "refuses GUARDED4 where the name is taken";
    CreateExclusive: "knows an exclusive creation again by its verifier";
    CreateExclusiveAttributes: "sets attributes with EXCLUSIVE4_1";
    GetattrAfterClose: "answers GETATTR behind CLOSE";
    TimesAfterClose: "sets times after CLOSE";
    NumericOwnersSet: "takes owners by number";
    RootIsRoot: "lets root be root";
    AppleNames: "takes the names ._x and .DS_Store";
    SettableOnly: "can set archive, hidden and the times of creation and backup where it tells them";
    Locks: "keeps locks apart between owners";
    BlockingLocks: "takes the blocking lock types";
    DenyBoth: "lets the opener that denies all others write and truncate";
    Reclaims: "answers a reclaim without a restart with NO_GRACE";
    NoneExtOnlyWhenWanted: "tells why there is no delegation only to those who wished";
    OutOfOrderWrites: "takes writes in any order, with COMMIT in between";
    EofExact: "tells eof exactly";
    HardLinks: "makes hard links";
    SymbolicLinks: "makes symbolic links";
    NamedAttributes: "has named attributes";
    NamedAttributesClean: "has named attributes, or says NOTSUPP";
    Xattrs: "has extended attributes";
    Seek: "finds holes and data";
    Allocate: "reserves space";
    Deallocate: "makes holes";
    Copy: "copies on its side, before it answers";
    Clone: "clones on its side";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_features_have_the_same_words() {
        let words: BTreeSet<_> = Feature::ALL.iter().map(|feature| feature.words()).collect();
        assert_eq!(words.len(), Feature::ALL.len());
    }
}

//! OPEN and what belongs to it: CLOSE, OPEN_CONFIRM, OPEN_DOWNGRADE and delegations.

use super::{
    Bitmap4, COMPONENT_MAX, ChangeInfo4, Clientid4, Component4, Fattr4, Nfsace4, OpResult, OpenOwner4, Seqid4,
    Stateid4, Verifier4,
};
use crate::xdr::{xdr_enum, xdr_struct, xdr_union};

xdr_enum! {
    /// `createmode4`.
    pub enum Createmode4 {
        Unchecked = 0 => UNCHECKED4,
        Guarded = 1 => GUARDED4,
        Exclusive = 2 => EXCLUSIVE4,
        Exclusive41 = 3 => EXCLUSIVE4_1,
    }

    /// `opentype4`.
    pub enum Opentype4 {
        Nocreate = 0 => OPEN4_NOCREATE,
        Create = 1 => OPEN4_CREATE,
    }

    /// `limit_by4`.
    pub enum LimitBy4 {
        Size = 1 => NFS_LIMIT_SIZE,
        Blocks = 2 => NFS_LIMIT_BLOCKS,
    }

    /// `open_delegation_type4`.
    pub enum OpenDelegationType4 {
        None = 0 => OPEN_DELEGATE_NONE,
        Read = 1 => OPEN_DELEGATE_READ,
        Write = 2 => OPEN_DELEGATE_WRITE,
        NoneExt = 3 => OPEN_DELEGATE_NONE_EXT,
        /// With leave to report times (RFC 9754).
        ReadAttrsDeleg = 4 => OPEN_DELEGATE_READ_ATTRS_DELEG,
        /// With leave to report times (RFC 9754).
        WriteAttrsDeleg = 5 => OPEN_DELEGATE_WRITE_ATTRS_DELEG,
    }

    /// `open_claim_type4`.
    pub enum OpenClaimType4 {
        Null = 0 => CLAIM_NULL,
        Previous = 1 => CLAIM_PREVIOUS,
        DelegateCur = 2 => CLAIM_DELEGATE_CUR,
        DelegatePrev = 3 => CLAIM_DELEGATE_PREV,
        Fh = 4 => CLAIM_FH,
        DelegCurFh = 5 => CLAIM_DELEG_CUR_FH,
        DelegPrevFh = 6 => CLAIM_DELEG_PREV_FH,
    }

    /// `why_no_delegation4`.
    pub enum WhyNoDelegation4 {
        NotWanted = 0 => WND4_NOT_WANTED,
        Contention = 1 => WND4_CONTENTION,
        Resource = 2 => WND4_RESOURCE,
        NotSuppFtype = 3 => WND4_NOT_SUPP_FTYPE,
        WriteDelegNotSuppFtype = 4 => WND4_WRITE_DELEG_NOT_SUPP_FTYPE,
        NotSuppUpgrade = 5 => WND4_NOT_SUPP_UPGRADE,
        NotSuppDowngrade = 6 => WND4_NOT_SUPP_DOWNGRADE,
        Cancelled = 7 => WND4_CANCELLED,
        IsDir = 8 => WND4_IS_DIR,
    }
}

xdr_union! {
    /// `createhow4`: what to do when the file exists already.
    pub enum Createhow4 switch Createmode4 {
        /// Open it, and set the size if that is among the attributes.
        case Createmode4::Unchecked => Unchecked(Fattr4),
        /// NFS4ERR_EXIST.
        case Createmode4::Guarded => Guarded(Fattr4),
        /// NFS4ERR_EXIST, unless it was made with this verifier.
        case Createmode4::Exclusive => Exclusive(Verifier4),
        /// The same, and sets attributes (4.1).
        case Createmode4::Exclusive41 => Exclusive41(Creatverfattr),
    }

    /// `openflag4`.
    pub enum Openflag4 switch Opentype4 {
        case Opentype4::Nocreate => Nocreate,
        case Opentype4::Create => Create(Createhow4),
    }

    /// `open_claim4`: which file, and by what right.
    pub enum OpenClaim4 switch OpenClaimType4 {
        /// A name in the current directory.
        case OpenClaimType4::Null => Null(Component4 [COMPONENT_MAX]),
        /// The current file, open before the server restarted, with this delegation.
        case OpenClaimType4::Previous => Previous(OpenDelegationType4),
        /// A name, under a delegation that the client has.
        case OpenClaimType4::DelegateCur => DelegateCur(OpenClaimDelegateCur4),
        /// A name, under a delegation from before the client restarted.
        case OpenClaimType4::DelegatePrev => DelegatePrev(Component4 [COMPONENT_MAX]),
        /// The current file (4.1).
        case OpenClaimType4::Fh => Fh,
        /// The current file, under a delegation that the client has (4.1).
        case OpenClaimType4::DelegCurFh => DelegCurFh(Stateid4),
        /// The current file, under a delegation from before the client restarted (4.1).
        case OpenClaimType4::DelegPrevFh => DelegPrevFh,
    }

    /// `nfs_space_limit4`: how far a file under a write delegation may grow unflushed.
    #[derive(Copy)]
    pub enum NfsSpaceLimit4 switch LimitBy4 {
        /// Bytes of the file.
        case LimitBy4::Size => Size(u64),
        case LimitBy4::Blocks => Blocks(NfsModifiedLimit4),
    }

    /// `open_none_delegation4`: why there is no delegation (4.1).
    #[derive(Copy)]
    pub enum OpenNoneDelegation4 switch WhyNoDelegation4, default Other {
        /// Whether the server will push the delegation later.
        case WhyNoDelegation4::Contention => Contention(bool),
        /// Whether the server will signal when it can be had.
        case WhyNoDelegation4::Resource => Resource(bool),
    }

    /// `open_delegation4`.
    pub enum OpenDelegation4 switch OpenDelegationType4 {
        case OpenDelegationType4::None => None,
        case OpenDelegationType4::Read => Read(OpenReadDelegation4),
        case OpenDelegationType4::Write => Write(OpenWriteDelegation4),
        case OpenDelegationType4::NoneExt => NoneExt(OpenNoneDelegation4),
        case OpenDelegationType4::ReadAttrsDeleg => ReadAttrsDeleg(OpenReadDelegation4),
        case OpenDelegationType4::WriteAttrsDeleg => WriteAttrsDeleg(OpenWriteDelegation4),
    }
}

xdr_struct! {
    /// `creatverfattr`: the verifier and the attributes of EXCLUSIVE4_1.
    pub struct Creatverfattr {
        verf: Verifier4,
        attrs: Fattr4,
    }

    /// `nfs_modified_limit4`.
    #[derive(Copy)]
    pub struct NfsModifiedLimit4 {
        num_blocks: u32,
        bytes_per_block: u32,
    }

    /// `open_claim_delegate_cur4`.
    pub struct OpenClaimDelegateCur4 {
        delegate_stateid: Stateid4,
        file: Component4 [COMPONENT_MAX],
    }

    /// `open_read_delegation4`.
    pub struct OpenReadDelegation4 {
        stateid: Stateid4,
        /// Whether the delegation is recalled already.
        recall: bool,
        /// Who may open for reading without asking.
        permissions: Nfsace4,
    }

    /// `open_write_delegation4`.
    pub struct OpenWriteDelegation4 {
        stateid: Stateid4,
        /// Whether the delegation is recalled already.
        recall: bool,
        space_limit: NfsSpaceLimit4,
        /// Who may open without asking.
        permissions: Nfsace4,
    }

    /// `OPEN4args`.
    pub struct Open4Args {
        /// Of the open-owner in 4.0; ignored in later minor versions.
        seqid: Seqid4,
        /// `OPEN4_SHARE_ACCESS_*`.
        share_access: u32,
        /// `OPEN4_SHARE_DENY_*`.
        share_deny: u32,
        owner: OpenOwner4,
        openhow: Openflag4,
        claim: OpenClaim4,
    }

    /// `OPEN4resok`.
    pub struct Open4Resok {
        stateid: Stateid4,
        /// Of the directory.
        cinfo: ChangeInfo4,
        /// `OPEN4_RESULT_*`.
        rflags: u32,
        /// The attributes that creation set.
        attrset: Bitmap4,
        delegation: OpenDelegation4,
    }

    /// `OPEN_CONFIRM4args`.
    #[derive(Copy)]
    pub struct OpenConfirm4Args {
        open_stateid: Stateid4,
        seqid: Seqid4,
    }

    /// `OPEN_CONFIRM4resok`.
    #[derive(Copy)]
    pub struct OpenConfirm4Resok {
        open_stateid: Stateid4,
    }

    /// `OPEN_DOWNGRADE4args`.
    #[derive(Copy)]
    pub struct OpenDowngrade4Args {
        open_stateid: Stateid4,
        seqid: Seqid4,
        share_access: u32,
        share_deny: u32,
    }

    /// `OPEN_DOWNGRADE4resok`.
    #[derive(Copy)]
    pub struct OpenDowngrade4Resok {
        open_stateid: Stateid4,
    }

    /// `CLOSE4args`.
    #[derive(Copy)]
    pub struct Close4Args {
        seqid: Seqid4,
        open_stateid: Stateid4,
    }

    /// `DELEGPURGE4args`.
    #[derive(Copy)]
    pub struct Delegpurge4Args {
        clientid: Clientid4,
    }

    /// `DELEGRETURN4args`.
    #[derive(Copy)]
    pub struct Delegreturn4Args {
        deleg_stateid: Stateid4,
    }
}

/// `OPEN4res`.
pub type Open4Res = OpResult<Open4Resok>;
/// `OPEN_CONFIRM4res`.
pub type OpenConfirm4Res = OpResult<OpenConfirm4Resok>;
/// `OPEN_DOWNGRADE4res`.
pub type OpenDowngrade4Res = OpResult<OpenDowngrade4Resok>;
/// `CLOSE4res`.
pub type Close4Res = OpResult<Stateid4>;
/// `DELEGPURGE4res`.
pub type Delegpurge4Res = OpResult<()>;
/// `DELEGRETURN4res`.
pub type Delegreturn4Res = OpResult<()>;

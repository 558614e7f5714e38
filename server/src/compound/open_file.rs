//! Finding or making the file of an OPEN, with the permission checks that go with it.

use nfs4_protocol::nfs4::{
    Bitmap4, ChangeInfo4, Createhow4, FATTR4_SIZE, Fattr4, NfsStat4, OPEN4_SHARE_ACCESS_WRITE, Open4Args, OpenClaim4,
    Openflag4,
};

use super::context::{CompoundContext, Failure, Outcome, regular};
use super::names::{change_info, name};
use super::open::Wish;
use super::{attributes, permission};
use crate::fs::filesystem::{CreateHow, DirChange, FsError, Handle, Located, SetAttributes};

/// The file to open.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) node: Located,
    /// The directory around it; `None` when no name was involved.
    pub(super) change: Option<ChangeInfo4>,
    /// The attributes that creation set.
    pub(super) attrset: Option<Bitmap4>,
    /// Whether the file exists and is to be cut to nothing once it is open.
    pub(super) truncate: bool,
}

/// How OPEN creates, taken apart.
struct Creation {
    how: CreateHow,
    set: SetAttributes,
    /// The attributes that `set` stands for.
    bits: Bitmap4,
}

/// Finds or makes the file, and checks that the caller may open it so.
pub(super) async fn find(cx: &CompoundContext, args: &Open4Args, wish: Wish) -> Outcome<Found> {
    let component = match &args.claim {
        OpenClaim4::Null(component) => component,
        claim => {
            let node = cx.current_regular()?;
            match claim {
                OpenClaim4::Previous(_) => permit_reopen(cx, &node.handle, wish.access).await?,
                _ => permit_open(cx, &node.handle, wish.access).await?,
            }
            return Ok(Found { node, change: None, attrset: None, truncate: false });
        }
    };
    let dir = cx.current_dir()?;
    let name = name(component)?;
    match &args.openhow {
        Openflag4::Nocreate => {
            permission::require_in_directory(cx, &dir, permission::EXECUTE).await?;
            let node = cx.fs().lookup(&dir.handle, name).await?;
            existing(cx, &dir, node, wish, false).await
        }
        Openflag4::Create(how) => {
            let creation = Creation::parse(cx, how)?;
            create(cx, &dir, name, creation, wish).await
        }
    }
}

impl Creation {
    fn parse(cx: &CompoundContext, how: &Createhow4) -> Result<Self, NfsStat4> {
        let with = |how, attrs: &Fattr4| {
            let (set, bits) = attributes::decode(cx, attrs)?;
            Ok(Self { how, set, bits })
        };
        match how {
            Createhow4::Unchecked(attrs) => with(CreateHow::Unchecked, attrs),
            Createhow4::Guarded(attrs) => with(CreateHow::Guarded, attrs),
            Createhow4::Exclusive(verifier) => {
                Ok(Self { how: CreateHow::Exclusive(verifier.0), set: SetAttributes::default(), bits: Bitmap4::new() })
            }
            // The union of 4.0 has no such arm.
            Createhow4::Exclusive41(_) if cx.minor() == 0 => Err(NfsStat4::Badxdr),
            Createhow4::Exclusive41(args) => {
                let allowed = attributes::suppattr_exclcreat(cx.minor());
                if !args.attrs.attrmask.and_not(&allowed).is_empty() {
                    return Err(NfsStat4::Inval); // RFC 8881 §18.16.3
                }
                with(CreateHow::Exclusive(args.verf.0), &args.attrs)
            }
        }
    }

    /// Whether an existing file is to be cut to nothing: of all attributes UNCHECKED4 heeds only a size of 0 then
    /// (RFC 7530 §16.16.5).
    fn truncates(&self) -> bool {
        self.how == CreateHow::Unchecked && self.set.size == Some(0)
    }
}

/// OPEN4_CREATE.
async fn create(cx: &CompoundContext, dir: &Located, name: &str, creation: Creation, wish: Wish) -> Outcome<Found> {
    permission::require_in_directory(cx, dir, permission::EXECUTE).await?;
    let is_taken = match cx.fs().lookup(&dir.handle, name).await {
        Ok(node) if creation.how == CreateHow::Unchecked => {
            return existing(cx, dir, node, wish, creation.truncates()).await;
        }
        Ok(_) if creation.how == CreateHow::Guarded => return Err(FsError::Exists.into()),
        // Whether an exclusive creation made it before is for the file system to tell.
        Ok(_) => true,
        Err(FsError::NotFound) => false,
        Err(error) => return Err(error.into()),
    };
    match permission::require_in_directory(cx, dir, permission::WRITE | permission::EXECUTE).await {
        // As in POSIX: that the name is taken is told also to who could not add it.
        Err(Failure::Status(NfsStat4::Access)) if is_taken => return Err(FsError::Exists.into()),
        permitted => permitted?,
    }
    let made = cx.fs().create(&dir.handle, name, creation.how, &creation.set, cx.caller()).await?;
    let node = regular(made.node)?;
    match creation.how {
        // Somebody else made it meanwhile.
        CreateHow::Unchecked if !made.new => return existing(cx, dir, node, wish, creation.truncates()).await,
        CreateHow::Exclusive(_) => permit_reopen(cx, &node.handle, wish.access).await?,
        // The mode binds those who come after its maker: POSIX has a file of mode 0444 made and written by one open.
        CreateHow::Unchecked | CreateHow::Guarded => {}
    }
    Ok(Found { node, change: Some(change_info(made.change)), attrset: Some(creation.bits), truncate: false })
}

/// A file that is there already. `truncate` says that it is to be cut to nothing, which is to write it.
async fn existing(cx: &CompoundContext, dir: &Located, node: Located, wish: Wish, truncate: bool) -> Outcome<Found> {
    let node = regular(node)?;
    let access = if truncate { wish.access | OPEN4_SHARE_ACCESS_WRITE } else { wish.access };
    permit_open(cx, &node.handle, access).await?;
    let change = cx.fs().getattr(&dir.handle).await?.change;
    let attrset = truncate.then(|| [FATTR4_SIZE].into_iter().collect());
    Ok(Found { node, change: Some(change_info(DirChange { before: change, after: change })), attrset, truncate })
}

/// Whether the caller may open an existing file so.
async fn permit_open(cx: &CompoundContext, file: &Handle, access: u32) -> Outcome<()> {
    permission::require(cx, file, |attributes, caller| permission::may_open(attributes, caller, access)).await
}

/// Whether the caller may open a file so that he says he opened before: in the first try of an exclusive creation, of
/// which only the verifier tells, or before a restart of the server. Anybody can say so, and whatever the mode, only the
/// owner is believed: he may have made the file with a mode that forbids him what he made it for.
async fn permit_reopen(cx: &CompoundContext, file: &Handle, access: u32) -> Outcome<()> {
    permission::require(cx, file, |attributes, caller| {
        permission::owns(attributes, caller) || permission::may_open(attributes, caller, access)
    })
    .await
}

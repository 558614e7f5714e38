//! READDIR of a directory that fails in places.

use std::sync::Arc;

use async_trait::async_trait;
use nfs4_protocol::nfs4::*;

use super::*;
use crate::compound::Settings;
use crate::compound::filehandle::fixture::{OWNER, context, service};
use crate::fs::filesystem::*;
use crate::timestamp::Timestamp;

/// rdattr_error and size.
const WITH_ERRORS: u32 = 1 << FATTR4_RDATTR_ERROR | 1 << FATTR4_SIZE;
/// size.
const WITHOUT_ERRORS: u32 = 1 << FATTR4_SIZE;

/// What happens at a place of the directory.
#[derive(Clone)]
enum Place {
    /// A file of this size.
    File(u64),
    /// An entry whose attributes cannot be had.
    Broken(FsError),
    /// The listing fails when it comes here.
    End(FsError),
}

/// A directory whose entries are numbered from 3; their attributes never come with the listing.
struct Faulty(Vec<Place>);

fn located(fileid: u64) -> Located {
    let kind = if fileid == 1 { NodeKind::Directory } else { NodeKind::File };
    let handle = Handle::new(Bytes::copy_from_slice(&fileid.to_be_bytes())).unwrap();
    Located { handle, key: NodeKey { fsid: 1, fileid }, kind }
}

fn attributes(node: &Located, size: u64) -> Attributes {
    let time = Timestamp::default();
    Attributes {
        key: node.key,
        kind: node.kind,
        size,
        space_used: size,
        change: 1,
        mode: 0o755,
        nlink: 1,
        uid: 0,
        gid: 0,
        atime: time,
        mtime: time,
        ctime: time,
        mounted_on_fileid: node.key.fileid,
    }
}

impl Faulty {
    fn place(&self, id: u64) -> Option<&Place> {
        self.0.get(usize::try_from(id.checked_sub(3)?).unwrap())
    }
}

#[async_trait]
impl Filesystem for Faulty {
    async fn root(&self) -> FsResult<Located> {
        Ok(located(1))
    }

    async fn getattr(&self, node: &Handle) -> FsResult<Attributes> {
        let id = u64::from_be_bytes(node.as_bytes().as_ref().try_into().unwrap());
        match self.place(id) {
            Some(Place::File(size)) => Ok(attributes(&located(id), *size)),
            Some(Place::Broken(error) | Place::End(error)) => Err(error.clone()),
            None => Ok(attributes(&located(1), 0)),
        }
    }

    async fn readdir(&self, _dir: &Handle, cookie: u64, limit: usize, _want: DirWant) -> FsResult<DirPage> {
        let mut page = DirPage::default();
        for id in cookie.max(2) + 1.. {
            match self.place(id) {
                Some(Place::End(error)) if page.entries.is_empty() => return Err(error.clone()),
                Some(Place::End(_)) => break,
                _ if page.entries.len() == limit => break,
                Some(_) => {
                    let entry = DirEntry { name: format!("f{id}"), cookie: id, node: located(id), attributes: None };
                    page.entries.push(entry);
                }
                None => {
                    page.eof = true;
                    break;
                }
            }
        }
        Ok(page)
    }

    async fn resolve(&self, _: &Handle) -> FsResult<Located> {
        Err(FsError::NotSupported)
    }
    async fn lookup(&self, _: &Handle, _: &str) -> FsResult<Located> {
        Err(FsError::NotSupported)
    }
    async fn parent(&self, _: &Handle) -> FsResult<Located> {
        Err(FsError::NotSupported)
    }
    async fn setattr(&self, _: &Handle, _: &SetAttributes) -> FsResult<()> {
        Err(FsError::NotSupported)
    }
    async fn create(&self, _: &Handle, _: &str, _: CreateHow, _: &SetAttributes, _: &Caller) -> FsResult<Created> {
        Err(FsError::NotSupported)
    }
    async fn mkdir(&self, _: &Handle, _: &str, _: &SetAttributes, _: &Caller) -> FsResult<Created> {
        Err(FsError::NotSupported)
    }
    async fn symlink(&self, _: &Handle, _: &str, _: &str, _: &SetAttributes, _: &Caller) -> FsResult<Created> {
        Err(FsError::NotSupported)
    }
    async fn readlink(&self, _: &Handle) -> FsResult<Bytes> {
        Err(FsError::NotSupported)
    }
    async fn remove(&self, _: &Handle, _: &str) -> FsResult<DirChange> {
        Err(FsError::NotSupported)
    }
    async fn rename(&self, _: &Handle, _: &str, _: &Handle, _: &str) -> FsResult<(DirChange, DirChange)> {
        Err(FsError::NotSupported)
    }
    async fn open(&self, _: &Handle) -> FsResult<OpenGuard> {
        Err(FsError::NotSupported)
    }
    async fn read(&self, _: &Handle, _: u64, _: u32) -> FsResult<ReadOutcome> {
        Err(FsError::NotSupported)
    }
    async fn write(&self, _: &Handle, _: u64, _: Bytes, _: Stability) -> FsResult<WriteOutcome> {
        Err(FsError::NotSupported)
    }
    async fn commit(&self, _: &Handle) -> FsResult<[u8; 8]> {
        Err(FsError::NotSupported)
    }
    async fn space(&self, _: &Handle) -> FsResult<Space> {
        Err(FsError::NotSupported)
    }
}

/// The answer, with each entry's cookie and its size or error.
type Found = (Vec<(u64, Result<u64, NfsStat4>)>, bool);

async fn list(places: &[Place], cookie: u64, mask: u32) -> Result<Found, NfsStat4> {
    let fs = Arc::new(Faulty(places.to_vec()));
    let service = service(fs, Settings::new("test")).await;
    let mut cx = context(&service, 1, OpNum::Readdir, OWNER, 4096);
    cx.set_current(located(1));
    let attr_request = Bitmap4::from_words(&[mask]);
    let args = Readdir4Args { cookie, cookieverf: Verifier4::default(), dircount: 0, maxcount: 4096, attr_request };
    let found = readdir(&mut cx, args).await.map_err(|failure| cx.status(failure))?;
    let entries = found.reply.entries.iter().map(|entry| {
        let attrs = entry.attrs.parse().unwrap();
        (entry.cookie, attrs.size.ok_or_else(|| attrs.rdattr_error.unwrap()))
    });
    Ok((entries.collect(), found.reply.eof))
}

fn delay() -> FsError {
    FsError::Delay("not yet".to_owned())
}

#[tokio::test]
async fn an_error_stands_in_place_of_the_attributes_where_the_client_takes_it() {
    // RFC 8881 §18.23.3.
    let places = [Place::File(1), Place::Broken(delay()), Place::File(3)];
    let (entries, eof) = list(&places, 0, WITH_ERRORS).await.unwrap();
    assert_eq!(entries, [(3, Ok(1)), (4, Err(NfsStat4::Delay)), (5, Ok(3))]);
    assert!(eof);
}

#[tokio::test]
async fn elsewhere_the_listing_ends_before_the_error_and_then_fails() {
    for places in
        [vec![Place::File(1), Place::Broken(delay()), Place::File(3)], vec![Place::File(1), Place::End(delay())]]
    {
        assert_eq!(list(&places, 0, WITHOUT_ERRORS).await.unwrap(), (vec![(3, Ok(1))], false));
        assert_eq!(list(&places, 3, WITHOUT_ERRORS).await, Err(NfsStat4::Delay));
    }
}

#[tokio::test]
async fn what_went_meanwhile_is_left_out() {
    let places = [Place::Broken(FsError::Stale), Place::File(2), Place::Broken(FsError::NotFound)];
    for mask in [WITH_ERRORS, WITHOUT_ERRORS] {
        assert_eq!(list(&places, 0, mask).await.unwrap(), (vec![(4, Ok(2))], true));
    }
}

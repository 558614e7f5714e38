//! A server under test, a client of it and an empty directory.

use std::future::Future;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use nfs_client_sim::{Client, ClientOptions, Error};
use nfs4_protocol::nfs4::{NfsFh4, NfsStat4};

use crate::bed::bucket_name;
use crate::objects::until;
use crate::{Bed, BedOptions, Objects, Target, data};

/// Requests in flight of [`World::write`] and [`World::read`].
const IN_FLIGHT: usize = 8;

/// A server under test, a client of it and an empty directory.
pub struct World {
    /// The server.
    pub bed: Bed,
    /// The client, of user 0.
    pub client: Client,
    /// The directory: the root of a bucket, or a new directory below what `NFS_TARGET` names.
    pub root: NfsFh4,
    minor: u32,
}

impl World {
    /// A world with the usual options, or `None` when there is no such server here.
    pub async fn new(target: Target, minor: u32) -> Option<Self> {
        Self::with(target, minor, &BedOptions::default()).await
    }

    /// A world, or `None` when there is no such server here.
    pub fn with(target: Target, minor: u32, options: &BedOptions) -> BoxFuture<'_, Option<Self>> {
        let make = async move {
            let bed = Bed::set_up(target, options).await?;
            let client = Client::connect(bed.addr(), minor, ClientOptions::default()).await.unwrap();
            let directory = client.resolve(bed.directory()).await.unwrap().handle;
            let root = match bed.objects() {
                Some(_) => directory,
                None => client.mkdir(&directory, bucket_name(), 0o777).await.unwrap(),
            };
            Some(Self { bed, client, root, minor })
        };
        make.boxed()
    }

    /// The bucket, where the target shows it.
    #[must_use]
    pub fn objects(&self) -> Option<&Objects> {
        self.bed.objects()
    }

    /// Another client of the same server, as another machine would be.
    pub async fn other_client(&self) -> Client {
        Client::connect(self.bed.addr(), self.minor, ClientOptions::default()).await.unwrap()
    }

    /// Makes a file over NFS.
    pub fn write<'a>(&'a self, name: &'a str, body: impl AsRef<[u8]>) -> BoxFuture<'a, ()> {
        self.write_bytes(name, Bytes::copy_from_slice(body.as_ref()))
    }

    fn write_bytes<'a>(&'a self, name: &'a str, body: Bytes) -> BoxFuture<'a, ()> {
        async move { self.client.write_file(&self.root, name, body, IN_FLIGHT).await.unwrap() }.boxed()
    }

    /// Makes a file: as an object where the target shows its bucket, else over NFS. Waits until NFS shows it.
    pub fn put<'a>(&'a self, name: &'a str, body: impl AsRef<[u8]>) -> BoxFuture<'a, ()> {
        self.put_bytes(name, Bytes::copy_from_slice(body.as_ref()))
    }

    fn put_bytes<'a>(&'a self, name: &'a str, body: Bytes) -> BoxFuture<'a, ()> {
        let put = async move {
            match self.objects() {
                Some(objects) => objects.put(name, body).await,
                None => self.write(name, body).await,
            }
            let missing = || async {
                let names = self.names().await;
                (!names.iter().any(|found| found == name)).then(|| "is not seen".to_owned())
            };
            until(name, missing).await;
        };
        put.boxed()
    }

    /// Reads a file over NFS.
    pub fn read<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<u8>> {
        async move { self.client.read_file(&self.root, name, IN_FLIGHT).await.unwrap() }.boxed()
    }

    /// Checks a file over NFS, and waits until the object of this name is the same, where the target shows its bucket.
    pub fn expect<'a>(&'a self, name: &'a str, body: impl AsRef<[u8]>) -> BoxFuture<'a, ()> {
        self.expect_bytes(name, Bytes::copy_from_slice(body.as_ref()))
    }

    fn expect_bytes<'a>(&'a self, name: &'a str, body: Bytes) -> BoxFuture<'a, ()> {
        let expect = async move {
            data::assert_same(name, &self.read(name).await, &body);
            if let Some(objects) = self.objects() {
                objects.expect(name, &body).await;
            }
        };
        expect.boxed()
    }

    /// Checks that a name is not there over NFS, and waits until the object is gone, where the target shows its bucket.
    pub async fn expect_absent(&self, name: &str) {
        let error = self.client.lookup(&self.root, name).await.unwrap_err();
        assert_eq!(error.status(), Some(NfsStat4::Noent), "{name}");
        if let Some(objects) = self.objects() {
            objects.expect_absent(name).await;
        }
    }

    /// Waits until `wrong` finds nothing wrong any more, as changes of other S3 clients are seen only after a while.
    pub async fn eventually<F: Future<Output = Option<String>>>(&self, what: &str, wrong: impl Fn() -> F) {
        until(what, wrong).await;
    }

    /// The names in the directory, sorted.
    pub async fn names(&self) -> Vec<String> {
        let mut names = self.client.names(&self.root).await.unwrap();
        names.sort();
        names
    }
}

/// The NFS status of something that must fail.
#[track_caller]
pub fn status<T>(result: Result<T, Error>) -> NfsStat4 {
    let Err(error) = result else { panic!("it did not fail") };
    error.status().unwrap_or_else(|| panic!("{error}"))
}

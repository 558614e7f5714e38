//! The way through the gateway: the NFS client.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use conformance::Objects;
use futures::stream::{self, StreamExt, TryStreamExt};
use nfs_client_sim::{Client, OpenHow, USUAL_ATTRIBUTES};
use nfs4_protocol::nfs4::NfsFh4;

use crate::{SMALL, STREAMS};

/// How often to look whether an object is in the bucket.
const PAUSE: Duration = Duration::from_millis(5);

/// An NFS client, and an S3 client that looks into the same bucket.
pub(crate) struct Through {
    pub(crate) client: Client,
    pub(crate) root: NfsFh4,
    /// A file to ask for attributes.
    pub(crate) file: NfsFh4,
    pub(crate) objects: Objects,
}

impl Through {
    /// Writes a large file, to COMMIT and CLOSE.
    pub(crate) async fn write_large(&self, name: &str, body: &Bytes) {
        self.client.write_file(&self.root, name, body.clone(), STREAMS).await.unwrap();
    }

    /// Reads a large file.
    pub(crate) async fn read_large(&self, name: &str, len: usize) {
        let file = self.client.open(&self.root, name, OpenHow::read()).await.unwrap();
        let mut got = 0;
        {
            let mut pieces = pin!(file.read_range(0..len as u64, STREAMS));
            while let Some(piece) = pieces.try_next().await.unwrap() {
                got += piece.len();
            }
        }
        file.close().await.unwrap();
        assert_eq!(got, len);
    }

    /// Writes small files, to COMMIT and CLOSE.
    pub(crate) async fn write_small(&self, names: &[String], bodies: &[Bytes]) {
        let writes = names.iter().zip(bodies).map(|(name, body)| async move {
            self.client.write_file(&self.root, name, body.clone(), 1).await.unwrap();
        });
        stream::iter(writes).buffer_unordered(STREAMS).collect::<()>().await;
    }

    /// Reads small files.
    pub(crate) async fn read_small(&self, names: &[String]) {
        let reads =
            names.iter().map(|name| async move { self.client.read_file(&self.root, name, 1).await.unwrap().len() });
        let got: Vec<usize> = stream::iter(reads).buffer_unordered(STREAMS).collect().await;
        assert!(got.iter().all(|len| *len == SMALL));
    }

    /// Waits until all objects are in the bucket with this size.
    pub(crate) async fn in_bucket(&self, keys: &[String], len: u64) {
        let (client, bucket) = (self.objects.client(), self.objects.bucket());
        for key in keys {
            loop {
                let head = client.head_object().bucket(bucket).key(key).send().await;
                if head.is_ok_and(|head| head.content_length().is_some_and(|got| got.cast_unsigned() == len)) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Calls NULL.
    pub(crate) async fn nulls(&self, calls: u32, in_flight: usize) {
        let connection = self.client.connection();
        let calls = (0..calls).map(|_| async { connection.null().await.unwrap() });
        stream::iter(calls).buffer_unordered(in_flight).collect::<()>().await;
    }

    /// Asks for the attributes of a file.
    pub(crate) async fn getattrs(&self, calls: u32, in_flight: usize) {
        let calls = (0..calls).map(|_| async {
            self.client.getattr(&self.file, USUAL_ATTRIBUTES).await.unwrap();
        });
        stream::iter(calls).buffer_unordered(in_flight).collect::<()>().await;
    }
}

//! The bucket as an S3 client sees it.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::data;

/// How long what was closed may take to get into the bucket, and what was changed in it to be seen.
const WAIT: Duration = Duration::from_secs(30);
/// How often to look meanwhile.
const PAUSE: Duration = Duration::from_millis(20);
/// Requests in flight.
const IN_FLIGHT: usize = 16;

/// An S3 client of one bucket.
///
/// The futures of requests are boxed: else each crate with tests compiles the SDK's again.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

impl Objects {
    /// A client for a bucket that need not be there yet.
    #[must_use]
    pub fn new(endpoint: &str, access_key: &str, secret_key: &str, bucket: &str) -> Self {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "conformance"))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(true)
            .build();
        Self { client: Client::from_conf(config), bucket: bucket.to_owned() }
    }

    /// The SDK's client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Makes the bucket.
    pub async fn create_bucket(&self) {
        self.client.create_bucket().bucket(&self.bucket).send().await.unwrap();
    }

    /// Puts an object.
    pub fn put<'a>(&'a self, key: &'a str, body: impl Into<Bytes>) -> BoxFuture<'a, ()> {
        self.put_bytes(key, body.into())
    }

    fn put_bytes<'a>(&'a self, key: &'a str, body: Bytes) -> BoxFuture<'a, ()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body));
        async { drop(put.send().await.unwrap()) }.boxed()
    }

    /// Puts an object with a content type and user metadata.
    pub fn put_described<'a>(
        &'a self,
        key: &'a str,
        body: &'a [u8],
        content_type: &'a str,
        metadata: &[(&str, &str)],
    ) -> BoxFuture<'a, ()> {
        let metadata: HashMap<String, String> =
            metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let put = put.set_metadata(Some(metadata)).body(body.to_vec().into());
        async { drop(put.send().await.unwrap()) }.boxed()
    }

    /// Puts objects whose body is their key.
    pub fn put_all(&self, keys: Vec<String>) -> BoxFuture<'_, ()> {
        let puts = stream::iter(keys).map(move |key| async move { self.put(&key, key.clone()).await });
        puts.buffer_unordered(IN_FLIGHT).for_each(|()| async {}).boxed()
    }

    /// Deletes an object.
    pub fn delete(&self, key: &str) -> BoxFuture<'_, ()> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        async { drop(delete.send().await.unwrap()) }.boxed()
    }

    /// An object's bytes, if it is there.
    pub fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Vec<u8>>> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let get = async move {
            match get.send().await {
                Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => None,
                Err(error) => panic!("GET {key}: {error:?}"),
            }
        };
        get.boxed()
    }

    /// What HEAD says of an object.
    pub fn head(&self, key: &str) -> BoxFuture<'_, HeadObjectOutput> {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        async { head.send().await.unwrap() }.boxed()
    }

    /// All keys that begin with `prefix`, in the order of the listing.
    pub fn keys(&self, prefix: &str) -> BoxFuture<'_, Vec<String>> {
        let pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let keys = async {
            let pages: Vec<_> = pages.try_collect().await.unwrap();
            let contents = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
            contents.filter_map(|object| object.key).collect()
        };
        keys.boxed()
    }

    /// Waits until the object is exactly this.
    pub fn expect<'a>(&'a self, key: &'a str, body: &'a [u8]) -> BoxFuture<'a, ()> {
        let wrong = move || async move {
            match self.get(key).await {
                None => Some("is not there".to_owned()),
                Some(got) => data::difference(&got, body),
            }
        };
        async move { until(&format!("object {key:?}"), wrong).await }.boxed()
    }

    /// Waits until there is no such object.
    pub async fn expect_absent(&self, key: &str) {
        let wrong = || async { self.get(key).await.map(|_| "is still there".to_owned()) };
        until(&format!("object {key:?}"), wrong).await;
    }

    /// Waits until exactly these keys begin with `prefix`.
    pub async fn expect_keys(&self, prefix: &str, expected: &[&str]) {
        let wrong = || async {
            let keys = self.keys(prefix).await;
            (keys != expected).then(|| format!("are {keys:?}, expected {expected:?}"))
        };
        until(&format!("keys under {prefix:?}"), wrong).await;
    }
}

/// Waits until `wrong` finds nothing wrong any more, or panics with what it finds.
pub(crate) async fn until<F: Future<Output = Option<String>>>(what: &str, wrong: impl Fn() -> F) {
    let end = Instant::now() + WAIT;
    while let Some(finding) = wrong().await {
        assert!(Instant::now() < end, "{what}: {finding}, after {WAIT:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

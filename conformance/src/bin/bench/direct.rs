//! The direct way: aws-sdk-s3, as fast as it goes.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use conformance::Objects;
use futures::stream::{self, StreamExt};

use crate::STREAMS;

/// Bytes of a part, and of a ranged GET.
const PART: usize = 8 << 20;

/// An S3 client without a gateway.
pub(crate) struct Direct {
    pub(crate) objects: Objects,
}

impl Direct {
    /// Puts a large object in parts.
    pub(crate) async fn put_large(&self, key: &str, body: &Bytes) {
        let (client, bucket) = (self.objects.client(), self.objects.bucket());
        let upload = client.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
        let id = upload.upload_id().unwrap();
        let parts = (1..).zip((0..body.len()).step_by(PART)).map(|(number, from)| {
            let part = body.slice(from..body.len().min(from + PART));
            async move {
                let put = client.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
                let done = put.body(ByteStream::from(part)).send().await.unwrap();
                CompletedPart::builder().part_number(number).set_e_tag(done.e_tag).build()
            }
        });
        let parts: Vec<CompletedPart> = stream::iter(parts).buffered(STREAMS).collect().await;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
        complete.multipart_upload(parts).send().await.unwrap();
    }

    /// Gets a large object in ranges.
    pub(crate) async fn get_large(&self, key: &str, len: usize) {
        let (client, bucket) = (self.objects.client(), self.objects.bucket());
        let ranges = (0..len).step_by(PART).map(|from| async move {
            let range = format!("bytes={from}-{}", len.min(from + PART) - 1);
            let mut object = client.get_object().bucket(bucket).key(key).range(range).send().await.unwrap();
            let mut got = 0;
            while let Some(piece) = object.body.next().await {
                got += piece.unwrap().len();
            }
            got
        });
        let got: usize = stream::iter(ranges).buffer_unordered(STREAMS).collect::<Vec<_>>().await.iter().sum();
        assert_eq!(got, len);
    }

    /// Puts small objects.
    pub(crate) async fn put_small(&self, keys: &[String], bodies: &[Bytes]) {
        let puts = keys.iter().zip(bodies).map(|(key, body)| self.objects.put(key, body.clone()));
        stream::iter(puts).buffer_unordered(STREAMS).collect::<()>().await;
    }

    /// Gets small objects.
    pub(crate) async fn get_small(&self, keys: &[String]) {
        let gets = keys.iter().map(|key| async move { self.objects.get(key).await.unwrap().len() });
        let got: Vec<usize> = stream::iter(gets).buffer_unordered(STREAMS).collect().await;
        assert!(got.iter().all(|len| *len == crate::SMALL));
    }
}

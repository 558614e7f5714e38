//! Verbs on whole buckets.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::errors::{Subject, store_error};
use super::{AwsStore, timestamp};
use crate::store::{BucketInfo, StoreError, StoreResult};

/// The region that must not be named as the place of a new bucket.
const REGION_UNNAMED: &str = "us-east-1";

/// Buckets that are listed at most.
const BUCKETS_MAX: usize = 100_000;

impl AwsStore {
    pub(super) async fn all_buckets(&self) -> StoreResult<Vec<BucketInfo>> {
        let mut buckets = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_buckets().set_continuation_token(token);
            let page = request.send().await.map_err(|error| store_error(Subject::Service, error))?;
            for bucket in page.buckets() {
                if let Some(name) = bucket.name() {
                    buckets.push(BucketInfo { name: name.to_owned(), created: timestamp(bucket.creation_date()) });
                }
            }
            token = page.continuation_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() || buckets.len() >= BUCKETS_MAX {
                break;
            }
        }
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(buckets)
    }

    pub(super) async fn see_bucket(&self, bucket: &str) -> StoreResult<()> {
        let request = self.client.head_bucket().bucket(bucket);
        request.send().await.map_err(|error| store_error(Subject::Bucket, error))?;
        Ok(())
    }

    pub(super) async fn make_bucket(&self, bucket: &str) -> StoreResult<()> {
        let place = (self.region != REGION_UNNAMED).then(|| {
            let region = BucketLocationConstraint::from(self.region.as_str());
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let request = self.client.create_bucket().bucket(bucket).set_create_bucket_configuration(place);
        request.send().await.map_err(|error| store_error(Subject::Bucket, error))?;
        Ok(())
    }

    pub(super) async fn drop_bucket(&self, bucket: &str) -> StoreResult<()> {
        let request = self.client.delete_bucket().bucket(bucket);
        match request.send().await.map_err(|error| store_error(Subject::Bucket, error)) {
            // A bare 409 on this verb has one meaning.
            Err(StoreError::Refused(detail)) if detail.starts_with("409") => Err(StoreError::BucketNotEmpty),
            answer => answer.map(|_| ()),
        }
    }
}

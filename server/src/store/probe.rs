//! Finds out, at start, what a store can be relied on for.
//!
//! Nothing is assumed from a name or a version: a server may answer 200 to a conditional write and overwrite all the
//! same. Each capability is tried on keys under [`PROBE_PREFIX`], with a request that must succeed and one that must
//! fail, and counts only when both do and the object afterwards is what it should be.

mod parts;

use std::sync::Arc;

use bytes::Bytes;

use super::dialect::{Capabilities, Dialect, Payload, Polyglot};
use super::{Condition, CopySource, ETag, ListRequest, ObjectMeta, ObjectStore, StoreError, StoreResult, Written};

/// Where the probe's keys are, while it runs. Hidden from clients.
pub const PROBE_PREFIX: &str = ".hafiz-probe/";

/// Keys that one page of the final sweep removes.
const SWEEP_PAGE: u16 = 1000;

/// Tries what `store` can do, in `bucket`, and says so in the log. Leaves nothing behind.
///
/// A bucket that may not be written has no capabilities, which is a warning; other failures are errors.
pub async fn probe(store: &dyn Polyglot, bucket: &str) -> StoreResult<Capabilities> {
    let run = format!("{PROBE_PREFIX}{:016x}/", fastrand::u64(..));
    let mut probe = Probe { store, bucket, run, dialect: Dialect::default() };
    let found = match probe.put("base", "base", &Condition::Always).await {
        Err(StoreError::AccessDenied(reason)) => {
            tracing::warn!(bucket, reason, "the bucket may not be written: it is served read-only");
            return Ok(Capabilities::default());
        }
        Err(error) => Err(error),
        Ok(base) => probe.capabilities(&base).await,
    };
    if let Err(error) = probe.sweep().await {
        tracing::warn!(bucket, prefix = probe.run, %error, "the probe's objects could not be removed");
    }
    let found = found?;
    report(bucket, &found);
    Ok(found)
}

fn report(bucket: &str, found: &Capabilities) {
    tracing::info!(
        bucket,
        conditional_create = found.conditional_create,
        conditional_overwrite = found.conditional_overwrite,
        conditional_delete = found.conditional_delete,
        conditional_copy = found.conditional_copy,
        conditional_complete = found.conditional_complete,
        copy = found.copy,
        copy_source_condition = found.copy_source_condition,
        multipart = found.multipart,
        upload_part_copy = found.upload_part_copy,
        unsigned_payload_checksum = found.unsigned_payload_checksum(),
        dialect = ?found.dialect,
        "what the store can do"
    );
    if !(found.conditional_create && found.conditional_overwrite) {
        tracing::warn!(
            bucket,
            "the store ignores conditions on writes: a change that another writer makes at the same moment can be lost"
        );
    }
}

/// One run of the probe, with what it has learned of the dialect so far.
struct Probe<'a> {
    store: &'a dyn Polyglot,
    bucket: &'a str,
    run: String,
    dialect: Dialect,
}

/// Whether a request that had to be refused was.
fn refused<T>(answer: StoreResult<T>) -> StoreResult<bool> {
    match answer {
        Ok(_) => Ok(false),
        Err(error @ StoreError::Unavailable(_)) => Err(error),
        Err(error) => Ok(error == StoreError::PreconditionFailed),
    }
}

/// Whether a request that had to succeed did.
fn accepted<T>(answer: StoreResult<T>) -> StoreResult<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error @ StoreError::Unavailable(_)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// A tag that no version has.
fn no_version() -> ETag {
    ETag::new("00000000000000000000000000000000")
}

impl Probe<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.run)
    }

    /// The store as it is spoken to by now.
    fn speaking(&self) -> Arc<dyn ObjectStore> {
        self.store.speaking(self.dialect)
    }

    async fn put(&self, name: &str, body: &'static str, condition: &Condition) -> StoreResult<Written> {
        let body = Bytes::from_static(body.as_bytes());
        self.speaking().put(self.bucket, &self.key(name), body, &ObjectMeta::default(), condition).await
    }

    async fn tag(&self, name: &str) -> StoreResult<Option<ETag>> {
        match self.speaking().head(self.bucket, &self.key(name)).await {
            Ok(head) => Ok(Some(head.info.etag)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn capabilities(&mut self, base: &Written) -> StoreResult<Capabilities> {
        let conditional_create = self.conditional_create(base).await?;
        let conditional_overwrite = self.conditional_overwrite().await?;
        if self.unsigned_put().await? {
            self.dialect.put = Payload::Crc32c;
        }
        self.dialect.literal_plus = self.literal_plus().await?;
        let conditional_delete = self.conditional_delete().await?;
        let copy = accepted(self.copy("base", base, "copied", &Condition::Always).await)?;
        let copy_source_condition = copy && self.copy_source_condition().await?;
        let conditional_copy = copy && self.conditional_copy(base).await?;
        let parts = self.parts(base).await?;
        self.dialect = parts.dialect;
        let conditional_complete = parts.upload && self.conditional_complete().await?;
        Ok(Capabilities {
            writable: true,
            conditional_create,
            conditional_overwrite,
            conditional_delete,
            conditional_copy,
            conditional_complete,
            copy,
            copy_source_condition,
            multipart: parts.upload,
            upload_part_copy: parts.copy,
            dialect: self.dialect,
        })
    }

    async fn conditional_create(&self, base: &Written) -> StoreResult<bool> {
        let kept = refused(self.put("base", "other", &Condition::IfAbsent).await)?;
        if !kept {
            // Later trials copy from it.
            self.put("base", "base", &Condition::Always).await?;
        }
        let unchanged = self.tag("base").await? == Some(base.etag.clone());
        Ok(kept && unchanged && accepted(self.put("created", "new", &Condition::IfAbsent).await)?)
    }

    /// Tries tags with quotes, which the standard wants, and then without.
    async fn conditional_overwrite(&mut self) -> StoreResult<bool> {
        for unquoted_if_match in [false, true] {
            self.dialect.unquoted_if_match = unquoted_if_match;
            let first = self.put("overwritten", "first", &Condition::Always).await?;
            let kept = refused(self.put("overwritten", "other", &Condition::IfMatch(no_version())).await)?;
            let kept = kept && self.tag("overwritten").await?.as_ref() == Some(&first.etag);
            if kept && accepted(self.put("overwritten", "second", &Condition::IfMatch(first.etag)).await)? {
                return Ok(true);
            }
        }
        self.dialect.unquoted_if_match = false;
        Ok(false)
    }

    /// Whether an unsigned payload is taken under a right checksum and refused under a wrong one.
    async fn unsigned_put(&self) -> StoreResult<bool> {
        let body = Bytes::from_static(b"checked");
        let key = self.key("checked");
        let in_dialect = |put: Payload| self.store.speaking(Dialect { put, ..self.dialect });
        let always = Condition::Always;
        let meta = ObjectMeta::default();
        let wrong = in_dialect(Payload::WrongCrc32c).put(self.bucket, &key, body.clone(), &meta, &always).await;
        // However the store says no: what counts is that it has not kept the bytes.
        if wrong.is_ok() || self.tag("checked").await?.is_some() {
            return Ok(false);
        }
        accepted(in_dialect(Payload::Crc32c).put(self.bucket, &key, body, &meta, &always).await)
    }

    async fn literal_plus(&self) -> StoreResult<bool> {
        let key = self.key("plus+sign");
        self.put("plus+sign", "plus", &Condition::Always).await?;
        let store = self.store.speaking(Dialect { literal_plus: true, ..self.dialect });
        let page = store.list(&self.listing(&self.key("plus"))).await?;
        Ok(page.objects.iter().any(|object| object.key == key) && !self.lists(&key).await?)
    }

    async fn lists(&self, key: &str) -> StoreResult<bool> {
        let page = self.speaking().list(&self.listing(&self.key("plus"))).await?;
        Ok(page.objects.iter().any(|object| object.key == key))
    }

    fn listing(&self, prefix: &str) -> ListRequest {
        let (bucket, prefix) = (self.bucket.to_owned(), prefix.to_owned());
        ListRequest { bucket, prefix, max_keys: SWEEP_PAGE, ..ListRequest::default() }
    }

    async fn conditional_delete(&self) -> StoreResult<bool> {
        let store = self.speaking();
        let key = self.key("deleted");
        let there = self.put("deleted", "deleted", &Condition::Always).await?;
        let kept = refused(store.delete(self.bucket, &key, &Condition::IfMatch(no_version())).await)?;
        if !kept || self.tag("deleted").await?.is_none() {
            return Ok(false);
        }
        let gone = accepted(store.delete(self.bucket, &key, &Condition::IfMatch(there.etag)).await)?;
        Ok(gone && self.tag("deleted").await?.is_none())
    }

    async fn copy(&self, from: &str, version: &Written, to: &str, condition: &Condition) -> StoreResult<Written> {
        let (bucket, etag) = (self.bucket.to_owned(), version.etag.clone());
        let source = CopySource { bucket, key: self.key(from), etag };
        self.speaking().copy(&source, self.bucket, &self.key(to), &ObjectMeta::default(), condition).await
    }

    async fn copy_source_condition(&self) -> StoreResult<bool> {
        let wrong = Written { etag: no_version() };
        let kept = refused(self.copy("base", &wrong, "uncopied", &Condition::Always).await)?;
        Ok(kept && self.tag("uncopied").await?.is_none())
    }

    /// Both conditions on the destination, each where it holds and where it does not.
    async fn conditional_copy(&self, base: &Written) -> StoreResult<bool> {
        let there = self.put("onto", "there", &Condition::Always).await?;
        for condition in [Condition::IfAbsent, Condition::IfMatch(no_version())] {
            let kept = refused(self.copy("base", base, "onto", &condition).await)?;
            if !kept || self.tag("onto").await?.as_ref() != Some(&there.etag) {
                return Ok(false);
            }
        }
        Ok(accepted(self.copy("base", base, "onto", &Condition::IfMatch(there.etag)).await)?
            && accepted(self.copy("base", base, "beside", &Condition::IfAbsent).await)?)
    }

    /// Removes what this run has written. Only its own keys: other gateways may be probing.
    async fn sweep(&self) -> StoreResult<()> {
        let store = self.speaking();
        loop {
            let page = store.list(&self.listing(&self.run)).await?;
            for object in &page.objects {
                store.delete(self.bucket, &object.key, &Condition::Always).await?;
            }
            if page.next.is_none() || page.objects.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;

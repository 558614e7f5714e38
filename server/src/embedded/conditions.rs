//! Conditions of reads, writes and copies on the state of an object.

use s3s::S3ErrorCode;
use s3s::dto::{ETagCondition, Timestamp};

use super::fault::Fault;
use super::record::{Summary, timestamp};

/// `If-Match` and `If-None-Match` of a request that changes an object.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteCondition {
    /// The object must exist, with this ETag.
    pub(super) if_match: Option<ETagCondition>,
    /// The object must not exist (`*`), or not with this ETag.
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteCondition {
    /// Decides on the current state of the object.
    ///
    /// # Errors
    /// `NoSuchKey` for `If-Match` on a missing object, else `PreconditionFailed`.
    pub(super) fn check(&self, current: Option<&Summary>) -> Result<(), Fault> {
        if let Some(condition) = &self.if_match {
            let current = current.ok_or_else(Fault::no_such_key)?;
            if !matches(condition, current) {
                return Err(Fault::precondition());
            }
        }
        match (&self.if_none_match, current) {
            (Some(condition), Some(current)) if matches(condition, current) => Err(Fault::precondition()),
            _ => Ok(()),
        }
    }
}

/// The four conditions of a read, or of the source of a copy.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadCondition {
    /// The object must have this ETag.
    pub(super) if_match: Option<ETagCondition>,
    /// The object must not have this ETag.
    pub(super) if_none_match: Option<ETagCondition>,
    /// The object must be newer.
    pub(super) if_modified_since: Option<Timestamp>,
    /// The object must not be newer; ignored beside `if_match`.
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// What to answer when a read is not wanted because the object is the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unchanged {
    /// 304, for GET and HEAD.
    NotModified,
    /// 412, for the source of a copy.
    PreconditionFailed,
}

impl ReadCondition {
    /// Decides in the order of RFC 9110 §13.2.2.
    ///
    /// # Errors
    /// `PreconditionFailed`, or what `unchanged` says.
    pub(super) fn check(&self, current: &Summary, unchanged: Unchanged) -> Result<(), Fault> {
        let modified = timestamp(current.modified_ms);
        let refused = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition, current),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if refused {
            return Err(Fault::precondition());
        }
        let known = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, current),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        match (known, unchanged) {
            (false, _) => Ok(()),
            (true, Unchanged::PreconditionFailed) => Err(Fault::precondition()),
            (true, Unchanged::NotModified) => Err(Fault::refused(S3ErrorCode::NotModified, "the object is unchanged")),
        }
    }
}

fn matches(condition: &ETagCondition, current: &Summary) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|etag| etag.value() == current.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Summary {
        Summary { size: 0, etag: "one".into(), modified_ms: 10_500 }
    }

    fn etag(text: &str) -> Option<ETagCondition> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn if_none_match_star_wants_no_object() {
        let create = WriteCondition { if_none_match: etag("*"), ..WriteCondition::default() };
        assert!(create.check(None).is_ok());
        assert!(create.check(Some(&object())).is_err());
    }

    #[test]
    fn if_match_wants_this_object() {
        let overwrite = WriteCondition { if_match: etag("\"one\""), ..WriteCondition::default() };
        assert!(overwrite.check(Some(&object())).is_ok());
        assert!(matches!(overwrite.check(None), Err(Fault::Refused { code: S3ErrorCode::NoSuchKey, .. })));
        assert!(overwrite.check(Some(&Summary { etag: "two".into(), ..object() })).is_err());
    }

    #[test]
    fn an_etag_condition_goes_before_a_date() {
        let read = ReadCondition {
            if_match: etag("\"one\""),
            if_unmodified_since: Some(timestamp(5_000)),
            if_none_match: etag("\"two\""),
            if_modified_since: Some(timestamp(20_000)),
        };
        assert!(read.check(&object(), Unchanged::NotModified).is_ok());
    }

    #[test]
    fn dates_compare_in_whole_seconds() {
        let since = |ms| ReadCondition { if_modified_since: Some(timestamp(ms)), ..ReadCondition::default() };
        assert!(since(9_000).check(&object(), Unchanged::NotModified).is_ok());
        let same = since(10_000).check(&object(), Unchanged::NotModified);
        assert!(matches!(same, Err(Fault::Refused { code: S3ErrorCode::NotModified, .. })));
        let copy = since(10_000).check(&object(), Unchanged::PreconditionFailed);
        assert!(matches!(copy, Err(Fault::Refused { code: S3ErrorCode::PreconditionFailed, .. })));
    }
}

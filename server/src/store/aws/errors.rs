//! The one place where answers of S3 become [`StoreError`]s.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};

use crate::store::StoreError;

/// Bytes of foreign text that a message may hold.
const DETAIL_MAX: usize = 300;

/// What to ask oneself when something answers that does not speak S3.
pub(super) const ASK_ENDPOINT: &str = "is this the endpoint of an S3 store?";

/// What a request was about. It tells what a 404 without a code means: the answer to a HEAD has no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The store as a whole.
    Service,
    /// A bucket.
    Bucket,
    /// An object.
    Object,
    /// A multipart upload.
    Upload,
}

/// Why a request of the SDK failed, in the store's words.
pub(super) fn store_error<E>(subject: Subject, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => match (answer.raw().status().as_u16(), answer.err().code()) {
            (status @ 200..=299, None) => not_s3(status, answer.err()),
            (status, code) => {
                let message = answer.err().message().unwrap_or_default();
                classify(subject, status, code, &format!("{status} {} {message}", code.unwrap_or_default()))
            }
        },
        SdkError::ResponseError(answer) => match answer.raw().status().as_u16() {
            status @ 200..=299 => not_s3(status, &error),
            status => classify(subject, status, None, &format!("{status} {}", causes(&error))),
        },
        SdkError::TimeoutError(_) => StoreError::Unavailable("the request timed out".to_owned()),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().and_then(Error::source);
            StoreError::Unavailable(causes(cause.unwrap_or(&error)))
        }
        SdkError::ConstructionFailure(_) if comes_from::<BuildError>(&error) => StoreError::Refused(causes(&error)),
        _ => StoreError::Unavailable(causes(&error)),
    }
}

/// A success that nobody can read: a proxy or a web server may be answering.
fn not_s3(status: u16, error: &(dyn Error + 'static)) -> StoreError {
    tracing::debug!(status, error = causes(error), "an answer that is not S3's");
    StoreError::Unavailable(format!("an answer of status {status} is not S3's: {ASK_ENDPOINT}"))
}

/// The table: S3's codes first, then what the bare status says.
fn classify(subject: Subject, status: u16, code: Option<&str>, detail: &str) -> StoreError {
    let detail = clipped(detail);
    match (code.unwrap_or_default(), status) {
        ("NoSuchKey", _) => StoreError::NotFound,
        ("NoSuchBucket", _) => StoreError::NoSuchBucket,
        ("NoSuchUpload", _) => StoreError::NoSuchUpload,
        ("PreconditionFailed" | "ConditionalRequestConflict", _) | (_, 304 | 412) => StoreError::PreconditionFailed,
        ("BucketNotEmpty", _) => StoreError::BucketNotEmpty,
        ("BucketAlreadyExists" | "BucketAlreadyOwnedByYou", _) => StoreError::BucketExists,
        // The second is how servers made with s3s say it.
        ("InvalidAccessKeyId" | "NotSignedUp", _) => {
            StoreError::AccessDenied(format!("the store does not know this access key ({detail})"))
        }
        ("SignatureDoesNotMatch", _) => {
            StoreError::AccessDenied(format!("the secret key does not belong to the access key ({detail})"))
        }
        ("RequestTimeTooSkewed", _) => {
            StoreError::AccessDenied(format!("the clocks of this machine and of the store differ too much ({detail})"))
        }
        ("AuthorizationHeaderMalformed", _) => {
            StoreError::AccessDenied(format!("the region is probably not the store's ({detail})"))
        }
        ("ExpiredToken" | "InvalidToken", _) => {
            StoreError::AccessDenied(format!("the session token is not valid ({detail})"))
        }
        // The bytes were damaged on their way, or cut off: the next try may be luckier.
        ("BadDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch" | "IncompleteBody", _) => {
            StoreError::Unavailable(detail)
        }
        ("SlowDown" | "RequestTimeout" | "OperationAborted" | "InternalError" | "ServiceUnavailable", _) => {
            StoreError::Unavailable(detail)
        }
        ("NotImplemented", _) | (_, 405 | 501) => StoreError::NotSupported(detail),
        (_, 401 | 403) => StoreError::AccessDenied(detail),
        (_, 404 | 410) => match subject {
            Subject::Object => StoreError::NotFound,
            Subject::Bucket => StoreError::NoSuchBucket,
            Subject::Upload => StoreError::NoSuchUpload,
            Subject::Service => StoreError::Refused(detail),
        },
        (_, 301 | 302 | 307 | 308) => {
            StoreError::Refused(format!("another region or endpoint has this bucket ({detail})"))
        }
        // An error inside a 200 comes from work that the store began and did not finish.
        (_, 200..=299 | 408 | 425 | 429 | 500..) => StoreError::Unavailable(detail),
        _ => StoreError::Refused(detail),
    }
}

/// An error and what it came from, each once.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) && text.len() < DETAIL_MAX {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    clipped(&text)
}

fn comes_from<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<T>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Foreign text as one short line.
fn clipped(text: &str) -> String {
    let mut line = String::new();
    for c in text.trim().chars() {
        if line.len() >= DETAIL_MAX {
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: &StoreError) -> &'static str {
        match error {
            StoreError::NotFound => "NotFound",
            StoreError::NoSuchBucket => "NoSuchBucket",
            StoreError::NoSuchUpload => "NoSuchUpload",
            StoreError::PreconditionFailed => "PreconditionFailed",
            StoreError::BucketNotEmpty => "BucketNotEmpty",
            StoreError::BucketExists => "BucketExists",
            StoreError::AccessDenied(_) => "AccessDenied",
            StoreError::Refused(_) => "Refused",
            StoreError::Unavailable(_) => "Unavailable",
            StoreError::NotSupported(_) => "NotSupported",
        }
    }

    #[test]
    fn each_answer_has_one_meaning() {
        let rows = [
            (Subject::Object, 404, Some("NoSuchKey"), "NotFound"),
            (Subject::Object, 404, Some("NoSuchBucket"), "NoSuchBucket"),
            (Subject::Object, 404, None, "NotFound"),
            (Subject::Object, 404, Some("NotFound"), "NotFound"),
            (Subject::Bucket, 404, None, "NoSuchBucket"),
            (Subject::Upload, 404, None, "NoSuchUpload"),
            (Subject::Upload, 404, Some("NoSuchBucket"), "NoSuchBucket"),
            (Subject::Service, 404, None, "Refused"),
            (Subject::Object, 412, None, "PreconditionFailed"),
            (Subject::Object, 409, Some("ConditionalRequestConflict"), "PreconditionFailed"),
            (Subject::Object, 200, Some("PreconditionFailed"), "PreconditionFailed"),
            (Subject::Object, 200, None, "Unavailable"),
            (Subject::Object, 409, Some("OperationAborted"), "Unavailable"),
            (Subject::Bucket, 409, Some("BucketNotEmpty"), "BucketNotEmpty"),
            (Subject::Bucket, 409, Some("BucketAlreadyOwnedByYou"), "BucketExists"),
            (Subject::Service, 403, Some("NotSignedUp"), "AccessDenied"),
            (Subject::Object, 403, None, "AccessDenied"),
            (Subject::Object, 401, Some("Whatever"), "AccessDenied"),
            (Subject::Object, 400, Some("AuthorizationHeaderMalformed"), "AccessDenied"),
            (Subject::Object, 400, Some("BadDigest"), "Unavailable"),
            (Subject::Object, 400, Some("KeyTooLongError"), "Refused"),
            (Subject::Object, 400, Some("RequestTimeout"), "Unavailable"),
            (Subject::Object, 429, None, "Unavailable"),
            (Subject::Object, 503, Some("SlowDown"), "Unavailable"),
            (Subject::Object, 507, Some("XMinioStorageFull"), "Unavailable"),
            (Subject::Object, 501, None, "NotSupported"),
            (Subject::Object, 405, Some("MethodNotAllowed"), "NotSupported"),
            (Subject::Bucket, 301, Some("PermanentRedirect"), "Refused"),
        ];
        for (subject, status, code, wanted) in rows {
            assert_eq!(kind(&classify(subject, status, code, "")), wanted, "{subject:?} {status} {code:?}");
        }
    }

    #[test]
    fn foreign_text_is_one_short_line() {
        let text = clipped(&format!("a\r\nb{}", "ü".repeat(1000)));
        assert!(text.starts_with("a  b") && text.len() <= DETAIL_MAX + 1, "{}", text.len());
    }
}

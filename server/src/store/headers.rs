//! Which user metadata may travel as HTTP headers.

use super::{ObjectMeta, StoreError, StoreResult};

/// Refuses user metadata that would not come back as it was sent.
///
/// Many servers take only ASCII in headers, and HTTP drops white space around a value. Callers encode what is not
/// plain.
pub(super) fn check_user_metadata(meta: &ObjectMeta) -> StoreResult<()> {
    for (name, value) in &meta.user {
        let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(StoreError::Refused(format!("{name:?} is no name for user metadata")));
        }
        if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || value.trim() != value {
            return Err(StoreError::Refused(format!("the user metadata {name:?} is not plain ASCII")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(name: &str, value: &str) -> ObjectMeta {
        ObjectMeta { user: [(name.to_owned(), value.to_owned())].into(), ..ObjectMeta::default() }
    }

    #[test]
    fn plain_metadata_passes() {
        assert_eq!(check_user_metadata(&meta("file-permissions", "0100644")), Ok(()));
        assert_eq!(check_user_metadata(&meta("mtime", "")), Ok(()));
        assert_eq!(check_user_metadata(&meta("note", "two words")), Ok(()));
    }

    #[test]
    fn metadata_that_http_would_change_is_refused() {
        let cases =
            [("Upper", "a"), ("", "a"), ("with space", "a"), ("a", "grün"), ("a", "x\ny"), ("a", " x"), ("a", "x\t")];
        for (name, value) in cases {
            let answer = check_user_metadata(&meta(name, value));
            assert!(matches!(answer, Err(StoreError::Refused(_))), "{name:?}: {value:?} gave {answer:?}");
        }
    }
}

//! What can be wrong with XDR input.

/// Why input could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XdrError {
    /// The input ends before the value does.
    #[error("input ends at least {missing} bytes early")]
    Truncated {
        /// How many bytes more the next item needs at the least.
        missing: usize,
    },
    /// A length field exceeds the limit of its field.
    #[error("length {len} exceeds the limit of {max}")]
    TooLong {
        /// The length the peer gave, in bytes or elements.
        len: u32,
        /// The limit of the field, in the same unit.
        max: usize,
    },
    /// An enumeration or a union's discriminant has no such value.
    #[error("{value} is not a value of {type_name}")]
    BadEnum {
        /// The name of the enumeration.
        type_name: &'static str,
        /// The value that came.
        value: u32,
    },
    /// A boolean was neither 0 nor 1.
    #[error("{0} is not a boolean")]
    BadBool(u32),
    /// Bytes are left over after the value.
    #[error("{0} bytes after the end of the value")]
    Trailing(usize),
}

//! File attributes between the wire and the file system: which ones there are, what GETATTR and READDIR answer, and what
//! SETATTR, CREATE and OPEN understand.

mod decode;
mod encode;
mod supported;

#[cfg(test)]
mod tests;

pub(super) use decode::{MODE_BITS, SettableMode, decode, decode_changes};
pub(super) use encode::{Facts, Query};
pub(super) use supported::suppattr_exclcreat;

pub(super) use crate::fs::filesystem::FILE_BYTES_MAX;

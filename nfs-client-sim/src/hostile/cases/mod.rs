//! The attacks, by kind.

mod compounds;
mod connections;
mod lengths;
mod objects;
mod owners;
mod records;
mod rpc;
mod sessions;
mod slots;

use super::Cases;

/// All groups, in the order in which they are tried.
pub(super) const ALL: &[Cases] = &[
    records::CASES,
    lengths::CASES,
    rpc::CASES,
    compounds::CASES,
    objects::CASES,
    owners::CASES,
    sessions::CASES,
    slots::CASES,
    connections::CASES,
];

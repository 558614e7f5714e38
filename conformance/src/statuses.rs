//! Which operation may answer which status.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use nfs_client_sim::Reply;
use nfs4_protocol::nfs4::{NfsStat4, OpNum};

/// The name of what is listed for all operations.
const ALL: &str = "*";

/// By minor version and operation. Names are the RFCs' without their prefixes.
static LISTS: LazyLock<BTreeMap<(u32, &str), BTreeSet<&str>>> = LazyLock::new(|| {
    let lines = include_str!("statuses.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("{line}"))).collect()
});

fn parse(line: &'static str) -> Option<((u32, &'static str), BTreeSet<&'static str>)> {
    let mut words = line.split_whitespace();
    let minor = words.next()?.parse().ok()?;
    Some(((minor, words.next()?), words.collect()))
}

/// Whether the RFC of the minor version lists the status for the operation. Operations that are not listed at all
/// (those of extensions) may answer anything.
fn is_listed(minor: u32, op: OpNum, status: NfsStat4) -> bool {
    let list = |minor, op| LISTS.get(&(minor, op));
    let own = if minor == 2 { list(2, op.name()).or_else(|| list(1, op.name())) } else { list(minor, op.name()) };
    let name = status.rfc_name().trim_start_matches("NFS4ERR_");
    let for_all = list(minor.min(1), ALL);
    status == NfsStat4::Ok || own.is_none_or(|own| own.contains(name) || for_all.is_some_and(|all| all.contains(name)))
}

/// Says which result of a reply has a status that the RFC of the minor version does not list for its operation.
#[must_use]
pub fn unlisted(minor: u32, reply: &Reply) -> Option<String> {
    let mut results = reply.results().iter().map(|result| (result.opnum(), result.status()));
    let (op, status) = results.find(|(op, status)| !is_listed(minor, *op, *status))?;
    Some(format!("the RFC of 4.{minor} does not list {status} for {op}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_an_operation_and_statuses() {
        let statuses: BTreeSet<&str> =
            NfsStat4::ALL.iter().map(|status| status.rfc_name().trim_start_matches("NFS4ERR_")).collect();
        for ((minor, op), list) in LISTS.iter() {
            assert!(*op == ALL || OpNum::ALL.iter().any(|known| known.name() == *op), "{op}");
            let unknown: Vec<_> = list.difference(&statuses).collect();
            assert!(unknown.is_empty(), "4.{minor} {op}: {unknown:?}");
        }
    }

    #[test]
    fn lists_differ_between_minor_versions() {
        assert!(is_listed(0, OpNum::Readlink, NfsStat4::Isdir));
        assert!(!is_listed(1, OpNum::Readlink, NfsStat4::Isdir));
        assert!(!is_listed(0, OpNum::Readlink, NfsStat4::WrongType));
        assert!(is_listed(2, OpNum::Readlink, NfsStat4::WrongType));
        assert!(is_listed(2, OpNum::Getattr, NfsStat4::Deadsession));
        assert!(!is_listed(0, OpNum::Getattr, NfsStat4::Deadsession));
        assert!(is_listed(1, OpNum::Getfh, NfsStat4::Ok));
    }
}

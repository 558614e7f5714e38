//! The workloads.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What is measured. Each task has files and directories of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// WRITE of one block after the other, from the start again at the end of the file.
    SequentialWrite,
    /// READ of one block after the other, from the start again at the end of the file.
    SequentialRead,
    /// WRITE of blocks at random places.
    RandomWrite,
    /// READ of blocks at random places.
    RandomRead,
    /// OPEN of a new file, WRITE and CLOSE.
    Create,
    /// OPEN of one of many files, READ and CLOSE.
    ReadFiles,
    /// LOOKUP and GETATTR of one of many files.
    Stat,
    /// All READDIRs of a directory.
    List,
    /// RENAME of a file to and fro.
    Rename,
    /// LOCK and LOCKU.
    Lock,
}

impl Workload {
    /// All of them, in the order in which one prepares for the next.
    pub const ALL: &[Self] = &[
        Self::SequentialWrite,
        Self::SequentialRead,
        Self::RandomWrite,
        Self::RandomRead,
        Self::Create,
        Self::ReadFiles,
        Self::Stat,
        Self::List,
        Self::Rename,
        Self::Lock,
    ];

    /// The name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SequentialWrite => "sequential-write",
            Self::SequentialRead => "sequential-read",
            Self::RandomWrite => "random-write",
            Self::RandomRead => "random-read",
            Self::Create => "create",
            Self::ReadFiles => "read-files",
            Self::Stat => "stat",
            Self::List => "list",
            Self::Rename => "rename",
            Self::Lock => "lock",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|workload| workload.name() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|workload| workload.name()).collect();
            format!("none of {}", names.join(", "))
        })
    }
}

impl Serialize for Workload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for workload in Workload::ALL {
            assert_eq!(workload.name().parse(), Ok(*workload));
        }
        assert!("nap".parse::<Workload>().unwrap_err().contains("sequential-write"));
    }
}

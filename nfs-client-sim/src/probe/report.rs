//! What is known about a server.

use serde::{Serialize, Serializer};

use nfs4_protocol::nfs4::{Bitmap4, attribute};

use super::features::Feature;

/// All that was seen of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The server's address.
    pub server: String,
    /// The directory that was looked at.
    pub directory: String,
    /// Whether something was written, in a folder that was made for it and removed.
    pub wrote: bool,
    /// What was seen below the minor versions: RPC and its programs.
    pub rpc: Notes,
    /// One for each minor version, also those that the server does not offer.
    pub minors: Vec<Minor>,
    /// What client systems need, and how much of it is there.
    pub systems: Vec<System>,
}

/// A minor version.
#[derive(Debug, Clone, Serialize)]
pub struct Minor {
    /// Its number.
    pub minor: u32,
    /// Whether the server offers it.
    pub offered: bool,
    /// The status with which it answered the first compound.
    pub status: &'static str,
    /// Why it could not be looked at any further.
    pub trouble: Option<String>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// The attributes of the directory that can be asked for or set.
    pub supported_attrs: AttributeSet,
    /// The attributes that an exclusive creation can set.
    pub suppattr_exclcreat: AttributeSet,
    /// What else was seen.
    #[serde(flatten)]
    pub notes: Notes,
}

/// An operation, and what the server made of a request that changes nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// Its name: `GETATTR`.
    pub name: &'static str,
    /// Whether it is there.
    pub offer: Offer,
    /// The status that told so.
    pub status: String,
}

/// Whether an operation is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// It is.
    Offered,
    /// It is known but not there: NFS4ERR_NOTSUPP.
    NotSupported,
    /// It is not known: NFS4ERR_OP_ILLEGAL.
    Illegal,
    /// The answer does not tell.
    Unclear,
}

/// A set of attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeSet(pub Bitmap4);

/// Facts and findings, in the order in which they were seen.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Notes {
    /// What the server says of itself.
    pub facts: Vec<Fact>,
    /// What it does.
    pub findings: Vec<Finding>,
}

/// Something that the server says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// What it is about: `session`, `identity`.
    pub theme: &'static str,
    /// What it is.
    pub name: &'static str,
    /// Its value, with its unit where it has one.
    pub value: String,
}

/// Something that the server does, or does not do.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What.
    pub feature: Feature,
    /// Whether it does.
    pub seen: Seen,
    /// What was seen.
    pub detail: String,
}

/// Whether a server does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// That cannot be told.
    Unknown,
}

/// A client system.
#[derive(Debug, Clone, Serialize)]
pub struct System {
    /// Its name and the minor version that it uses.
    pub name: &'static str,
    /// What it needs.
    pub needs: Vec<Need>,
}

/// Something that a client system needs.
#[derive(Debug, Clone, Serialize)]
pub struct Need {
    /// What.
    pub what: &'static str,
    /// Whether it is there.
    pub verdict: Verdict,
    /// Why that is thought.
    pub why: String,
}

/// Whether a need is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Missing,
    /// That could not be seen.
    NotSeen,
}

impl Report {
    /// Whether no client system misses anything that could be seen.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.systems.iter().flat_map(|system| &system.needs).all(|need| need.verdict != Verdict::Missing)
    }
}

impl Notes {
    /// Notes what the server says of itself.
    pub(super) fn fact(&mut self, theme: &'static str, name: &'static str, value: impl ToString) {
        self.facts.push(Fact { theme, name, value: value.to_string() });
    }

    /// Notes whether the server does something.
    pub(super) fn found(&mut self, feature: Feature, does: bool, detail: impl Into<String>) {
        self.find(feature, if does { Seen::Yes } else { Seen::No }, detail.into());
    }

    /// Notes that something cannot be told.
    pub(super) fn unknown(&mut self, feature: Feature, why: impl Into<String>) {
        self.find(feature, Seen::Unknown, why.into());
    }

    /// Of findings about one feature the last one counts: a trial comes after what is told.
    fn find(&mut self, feature: Feature, seen: Seen, detail: String) {
        self.findings.retain(|finding| finding.feature != feature);
        self.findings.push(Finding { feature, seen, detail });
    }

    /// Notes what a trial found out, or that it failed.
    pub(super) fn tried(&mut self, feature: Feature, result: crate::Result<(bool, String)>) {
        match result {
            Ok((does, detail)) => self.found(feature, does, detail),
            Err(error) if error.status().is_some() => self.found(feature, false, error.to_string()),
            Err(error) => self.unknown(feature, error.to_string()),
        }
    }

    /// What was found about a feature.
    pub(super) fn finding(&self, feature: Feature) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.feature == feature)
    }
}

impl AttributeSet {
    /// The names, for each word of the bitmap; attributes without a name are numbers.
    #[must_use]
    pub fn words(&self) -> Vec<Vec<String>> {
        let mut words = vec![Vec::new(); self.0.words().len()];
        for number in self.0.iter() {
            if let Some(word) = usize::try_from(number / u32::BITS).ok().and_then(|index| words.get_mut(index)) {
                word.push(name(number));
            }
        }
        words
    }
}

impl Serialize for AttributeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

/// The name of an attribute as RFCs write it in prose: `time_modify`.
pub(super) fn name(number: u32) -> String {
    attribute(number)
        .map_or_else(|| number.to_string(), |info| info.rfc_name.trim_start_matches("FATTR4_").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_word_by_word() {
        let set = AttributeSet([1, 33, 82, 200].into_iter().collect());
        let words = set.words();
        assert_eq!(words[..3], [vec!["type".to_owned()], vec!["mode".to_owned()], vec!["xattr_support".to_owned()]]);
        assert_eq!((words.len(), &words[6]), (7, &vec!["200".to_owned()]));
    }

    #[test]
    fn an_error_of_the_server_is_an_answer_and_one_of_the_connection_is_none() {
        let mut notes = Notes::default();
        let refused = crate::Error::Compound(nfs4_protocol::nfs4::NfsStat4::Notsupp);
        notes.tried(Feature::Xattrs, Err(refused));
        notes.tried(Feature::Seek, Err(crate::Error::Lost("gone".into())));
        let seen = |feature| notes.finding(feature).map(|finding| finding.seen);
        assert_eq!((seen(Feature::Xattrs), seen(Feature::Seek)), (Some(Seen::No), Some(Seen::Unknown)));
    }
}

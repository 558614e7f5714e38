//! MD5 and the checksums of S3: what a client announced, what was computed, and how parts add up to an object.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3ErrorCode, TrailingHeaders};
use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// A checksum S3 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Algorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// Every algorithm, in the order of the enumeration.
    pub(super) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries a value.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of a name, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name().eq_ignore_ascii_case(name))
    }

    /// The CRC behind the name; `None` for hashes, whose parts cannot be combined.
    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}

/// Checksums of an object or a part, in base64 as S3 writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksums {
    /// The values.
    pub(super) values: BTreeMap<Algorithm, String>,
    /// Whether the values are checksums of part checksums (`…-n`).
    pub(super) composite: bool,
}

impl Checksums {
    /// The value of one algorithm.
    pub(super) fn get(&self, algorithm: Algorithm) -> Option<String> {
        self.values.get(&algorithm).cloned()
    }
}

/// Copies checksum values out of an input's fields.
macro_rules! checksums_from {
    ($input:expr) => {{
        use $crate::embedded::checksum::Algorithm;
        [
            (Algorithm::Crc32, &$input.checksum_crc32),
            (Algorithm::Crc32c, &$input.checksum_crc32c),
            (Algorithm::Crc64Nvme, &$input.checksum_crc64nvme),
            (Algorithm::Sha1, &$input.checksum_sha1),
            (Algorithm::Sha256, &$input.checksum_sha256),
        ]
        .into_iter()
        .filter_map(|(algorithm, value)| Some((algorithm, value.clone()?)))
        .collect::<std::collections::BTreeMap<Algorithm, String>>()
    }};
}
pub(super) use checksums_from;

/// Copies checksum values into an output's fields.
macro_rules! checksums_into {
    ($output:expr, $checksums:expr) => {{
        use $crate::embedded::checksum::Algorithm;
        $output.checksum_crc32 = $checksums.get(Algorithm::Crc32);
        $output.checksum_crc32c = $checksums.get(Algorithm::Crc32c);
        $output.checksum_crc64nvme = $checksums.get(Algorithm::Crc64Nvme);
        $output.checksum_sha1 = $checksums.get(Algorithm::Sha1);
        $output.checksum_sha256 = $checksums.get(Algorithm::Sha256);
    }};
}
pub(super) use checksums_into;

/// MD5 and checksums over one stream of bytes.
pub(super) struct Hashes {
    md5: Md5,
    checksums: ChecksumHasher,
}

impl Hashes {
    /// Starts MD5 and the given checksums.
    pub(super) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut checksums = ChecksumHasher::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Crc32 => checksums.crc32 = Some(Crc32::new()),
                Algorithm::Crc32c => checksums.crc32c = Some(Crc32c::new()),
                Algorithm::Crc64Nvme => checksums.crc64nvme = Some(Crc64Nvme::new()),
                Algorithm::Sha1 => checksums.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => checksums.sha256 = Some(Sha256::new()),
            }
        }
        Self { md5: Md5::new(), checksums }
    }

    /// Takes in the next bytes.
    pub(super) fn update(&mut self, data: &[u8]) {
        self.md5.update(data);
        self.checksums.update(data);
    }

    /// MD5 and checksums of everything taken in.
    pub(super) fn finish(self) -> Digests {
        let sums = self.checksums.finalize();
        Digests { md5: self.md5.finalize(), checksums: Checksums { values: checksums_from!(sums), composite: false } }
    }
}

/// MD5 and checksums of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digests {
    /// MD5, which becomes the ETag.
    pub(super) md5: [u8; 16],
    /// The checksums that were asked for.
    pub(super) checksums: Checksums,
}

/// What a client said about the body it sends.
#[derive(Default)]
pub(super) struct Announced {
    /// `Content-MD5`, in base64.
    pub(super) content_md5: Option<String>,
    /// `Content-Length`, or the decoded length of a chunked upload, in bytes.
    pub(super) length: Option<u64>,
    /// Values sent ahead of the body.
    pub(super) values: BTreeMap<Algorithm, String>,
    /// Algorithms to compute besides those of `values`.
    pub(super) wanted: Vec<Algorithm>,
    /// Algorithms whose value follows in the trailer.
    pub(super) trailing: Vec<Algorithm>,
    /// The trailer, filled once the body was read.
    pub(super) trailers: Option<TrailingHeaders>,
}

impl Announced {
    /// The hashes needed to verify and to store.
    pub(super) fn hashes(&self) -> Hashes {
        Hashes::new(self.values.keys().chain(&self.wanted).chain(&self.trailing).copied())
    }

    /// Compares what was announced with what came.
    ///
    /// # Errors
    /// `BadDigest` where a value differs, `InvalidDigest` where it cannot be one, `IncompleteBody` for a wrong length.
    pub(super) fn verify(&self, size: u64, digests: &Digests) -> Result<(), Fault> {
        if self.length.is_some_and(|length| length != size) {
            return Err(Fault::refused(S3ErrorCode::IncompleteBody, "the body is not as long as announced"));
        }
        if let Some(sent) = &self.content_md5 {
            let sent = BASE64.decode(sent).ok().filter(|md5| md5.len() == digests.md5.len());
            let sent = sent.ok_or_else(|| Fault::refused(S3ErrorCode::InvalidDigest, "Content-MD5 is not an MD5"))?;
            if sent != digests.md5 {
                return Err(bad_digest("Content-MD5"));
            }
        }
        for (algorithm, sent) in &self.values {
            if digests.checksums.values.get(algorithm) != Some(sent) {
                return Err(bad_digest(algorithm.header()));
            }
        }
        self.trailing.iter().try_for_each(|algorithm| self.verify_trailer(*algorithm, digests))
    }

    fn verify_trailer(&self, algorithm: Algorithm, digests: &Digests) -> Result<(), Fault> {
        let name = algorithm.header();
        let sent = self.trailers.as_ref().and_then(|trailers| {
            trailers.read(|headers| headers.get(name).and_then(|v| v.to_str().ok()).map(|v| v.trim().to_owned()))
        });
        match sent.flatten() {
            Some(sent) if digests.checksums.values.get(&algorithm) == Some(&sent) => Ok(()),
            Some(_) => Err(bad_digest(name)),
            None => {
                Err(Fault::refused(S3ErrorCode::InvalidRequest, format!("the announced trailer {name} is missing")))
            }
        }
    }
}

fn bad_digest(what: &str) -> Fault {
    Fault::refused(S3ErrorCode::BadDigest, format!("{what} does not match the bytes received"))
}

/// The ETag of a multipart object: MD5 over the parts' MD5s, then the number of parts.
pub(super) fn multipart_etag<'a>(md5s: impl ExactSizeIterator<Item = &'a [u8; 16]>) -> String {
    let count = md5s.len();
    let mut md5 = Md5::new();
    md5s.for_each(|part| md5.update(part));
    format!("{}-{count}", super::record::hex(&md5.finalize()))
}

/// The checksum of an object out of the checksums and sizes of its parts.
///
/// `composite`: a checksum over the parts' checksums. Otherwise the CRC that the object's bytes have.
///
/// # Errors
/// [`Fault::Storage`] where a stored value is not a checksum of `algorithm`.
pub(super) fn combine(algorithm: Algorithm, composite: bool, parts: &[(String, u64)]) -> Result<String, Fault> {
    let damaged = || Fault::storage("a stored part checksum is damaged");
    let mut raw = Vec::with_capacity(parts.len());
    for (value, size) in parts {
        raw.push((BASE64.decode(value).map_err(|_| damaged())?, *size));
    }
    if composite {
        let mut hashes = Hashes::new([algorithm]);
        raw.iter().for_each(|(sum, _)| hashes.update(sum));
        let sum = hashes.finish().checksums.get(algorithm).ok_or_else(damaged)?;
        return Ok(format!("{sum}-{}", parts.len()));
    }
    let crc = algorithm.crc().ok_or_else(damaged)?;
    let width = if algorithm == Algorithm::Crc64Nvme { 8 } else { 4 };
    let mut total: Option<u64> = None;
    for (sum, size) in raw {
        if sum.len() != width {
            return Err(damaged());
        }
        let sum = sum.iter().fold(0_u64, |acc, byte| acc << 8 | u64::from(*byte));
        total = Some(total.map_or(sum, |before| crc_fast::checksum_combine(crc, before, sum, size)));
    }
    let bytes = total.ok_or_else(damaged)?.to_be_bytes();
    Ok(BASE64.encode(bytes.get(bytes.len().saturating_sub(width)..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(algorithm: Algorithm, data: &[u8]) -> String {
        let mut hashes = Hashes::new([algorithm]);
        hashes.update(data);
        hashes.finish().checksums.get(algorithm).unwrap()
    }

    #[test]
    fn crc32_has_its_published_check_value() {
        assert_eq!(sum(Algorithm::Crc32, b"123456789"), BASE64.encode(0xcbf4_3926_u32.to_be_bytes()));
        assert_eq!(sum(Algorithm::Crc32c, b"123456789"), BASE64.encode(0xe306_9283_u32.to_be_bytes()));
        assert_eq!(sum(Algorithm::Crc64Nvme, b"123456789"), BASE64.encode(0xae8b_1486_0a79_9888_u64.to_be_bytes()));
    }

    #[test]
    fn part_crcs_combine_to_the_crc_of_the_whole() {
        let (one, two, three) = (b"first part".as_slice(), b"2".as_slice(), b"and the third".as_slice());
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts: Vec<_> = [one, two, three].iter().map(|p| (sum(algorithm, p), p.len() as u64)).collect();
            let whole = [one, two, three].concat();
            assert_eq!(combine(algorithm, false, &parts).unwrap(), sum(algorithm, &whole), "{algorithm:?}");
        }
    }

    #[test]
    fn composite_checksums_count_their_parts() {
        let parts = [(sum(Algorithm::Sha256, b"a"), 1), (sum(Algorithm::Sha256, b"b"), 1)];
        let raw: Vec<u8> = parts.iter().flat_map(|(p, _)| BASE64.decode(p).unwrap()).collect();
        let expected = format!("{}-2", sum(Algorithm::Sha256, &raw));
        assert_eq!(combine(Algorithm::Sha256, true, &parts).unwrap(), expected);
        assert!(combine(Algorithm::Sha256, false, &parts).is_err());
    }

    #[test]
    fn what_was_announced_must_come() {
        let mut hashes = Hashes::new([Algorithm::Crc32]);
        hashes.update(b"123456789");
        let digests = hashes.finish();
        let right = Announced { length: Some(9), ..Announced::default() };
        right.verify(9, &digests).unwrap();
        assert!(right.verify(8, &digests).is_err());
        let wrong = Announced { content_md5: Some(BASE64.encode([0; 16])), ..Announced::default() };
        assert!(wrong.verify(9, &digests).is_err());
        let wrong = Announced { values: [(Algorithm::Crc32, "AAAAAA==".into())].into(), ..Announced::default() };
        assert!(wrong.verify(9, &digests).is_err());
        let missing = Announced { trailing: vec![Algorithm::Crc32], ..Announced::default() };
        assert!(missing.verify(9, &digests).is_err());
    }
}

//! Listing directories.

use std::collections::VecDeque;

use futures::stream::{self, Stream, TryStreamExt};
use nfs4_protocol::nfs4::{Entry4, NfsArgop4, NfsFh4, Readdir4Args, Readdir4Resok, Verifier4};

use crate::{Client, CompoundBuilder, Result};

/// How much one READDIR asks for, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingSize {
    /// The hint for names and cookies.
    pub dircount: u32,
    /// The most bytes of the result.
    pub maxcount: u32,
}

impl Default for ListingSize {
    fn default() -> Self {
        Self { dircount: 32 << 10, maxcount: 64 << 10 }
    }
}

/// Where a listing stands.
#[derive(Debug, Default)]
struct Position {
    cookie: u64,
    verifier: Verifier4,
    ready: VecDeque<Entry4>,
    eof: bool,
}

impl Client {
    /// One READDIR, from `cookie` on.
    ///
    /// # Errors
    /// Those of the call and of the operation.
    pub async fn readdir_page(
        &self,
        directory: &NfsFh4,
        cookie: u64,
        cookieverf: Verifier4,
        size: ListingSize,
        attributes: &[u32],
    ) -> Result<Readdir4Resok> {
        let ListingSize { dircount, maxcount } = size;
        let attr_request = attributes.iter().copied().collect();
        let args = Readdir4Args { cookie, cookieverf, dircount, maxcount, attr_request };
        let compound = CompoundBuilder::new().putfh(directory).op(NfsArgop4::Readdir(Box::new(args)));
        self.run(compound).await?.readdir()
    }

    /// All entries, page by page.
    ///
    /// # Errors
    /// The stream ends after the first error; those of the calls and of the operation.
    pub fn readdir<'a>(
        &'a self,
        directory: &'a NfsFh4,
        size: ListingSize,
        attributes: &'a [u32],
    ) -> impl Stream<Item = Result<Entry4>> + 'a {
        stream::try_unfold(Position::default(), move |mut at| async move {
            loop {
                if let Some(entry) = at.ready.pop_front() {
                    return Ok(Some((entry, at)));
                }
                if at.eof {
                    return Ok(None);
                }
                let page = self.readdir_page(directory, at.cookie, at.verifier, size, attributes).await?;
                at.cookie = page.reply.entries.last().map_or(at.cookie, |entry| entry.cookie);
                // A page without entries that is not the last one would make this go on for ever.
                at.eof = page.reply.eof || page.reply.entries.is_empty();
                at.verifier = page.cookieverf;
                at.ready = page.reply.entries.into();
            }
        })
    }

    /// The names in a directory, in the server's order. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// Those of the calls and of the operation.
    pub async fn names(&self, directory: &NfsFh4) -> Result<Vec<String>> {
        let entries = self.readdir(directory, ListingSize::default(), &[]);
        entries.map_ok(|entry| String::from_utf8_lossy(&entry.name).into_owned()).try_collect().await
    }
}

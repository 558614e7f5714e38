//! The client records of the protocol state, kept in the local state.

use std::io;

use async_trait::async_trait;

use crate::compound::StableClients;
use crate::local::{Change, Local, Table};
use crate::state::{ClientRecord, Effect, Family};

/// Records read at once.
const BATCH: usize = 1000;

/// Client records as rows of the journal.
pub(crate) struct LocalClients(pub(crate) Local);

fn row(family: Family, owner: &[u8]) -> Vec<u8> {
    let mut key = vec![match family {
        Family::V40 => 0,
        Family::V41 => 1,
    }];
    key.extend_from_slice(owner);
    key
}

#[async_trait]
impl StableClients for LocalClients {
    async fn load(&self) -> io::Result<Vec<ClientRecord>> {
        let mut records = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self.0.scan(Table::Clients, &[], after.as_deref(), BATCH).map_err(io::Error::other)?;
            let Some((last, _)) = rows.last() else { return Ok(records) };
            after = Some(last.clone());
            for (_, value) in rows {
                records.push(postcard::from_bytes(&value).map_err(io::Error::other)?);
            }
        }
    }

    async fn persist(&self, effects: &[Effect]) -> io::Result<()> {
        let change = |effect: &Effect| match effect {
            Effect::Record(record) => {
                let value = postcard::to_stdvec(record).map_err(io::Error::other)?;
                Ok(Change::put(Table::Clients, row(record.family, &record.owner), value))
            }
            Effect::Forget { family, owner } => Ok(Change::delete(Table::Clients, row(*family, owner))),
        };
        let changes = effects.iter().map(change).collect::<io::Result<Vec<_>>>()?;
        self.0.commit(changes).await.map_err(io::Error::other)
    }
}

//! The connections of a client, and their replacement when they are lost.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use crate::net::Dialling;
use crate::{Connection, Result};

/// The connections that calls are spread over. Their number stays the same.
#[derive(Debug)]
pub(crate) struct Lanes {
    how: Dialling,
    first: Lane,
    others: Vec<Lane>,
    next: AtomicUsize,
}

/// A place for a connection.
#[derive(Debug)]
pub(crate) struct Lane {
    current: Mutex<Connection>,
    /// Held while a new connection is made, so that it is made once.
    dialling: tokio::sync::Mutex<()>,
}

/// The right to replace a connection.
pub(crate) struct Replacing<'a> {
    lane: &'a Lane,
    _dialling: MutexGuard<'a, ()>,
}

impl Lanes {
    pub(crate) async fn open(how: Dialling, connections: usize) -> Result<Self> {
        let first = Lane::open(&how).await?;
        let mut others = Vec::new();
        for _ in 1..connections {
            others.push(Lane::open(&how).await?);
        }
        Ok(Self { how, first, others, next: AtomicUsize::new(0) })
    }

    pub(crate) const fn how(&self) -> &Dialling {
        &self.how
    }

    pub(crate) const fn first(&self) -> &Lane {
        &self.first
    }

    pub(crate) fn others(&self) -> &[Lane] {
        &self.others
    }

    /// The lane of the next call.
    pub(crate) fn next(&self) -> &Lane {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        turn.checked_sub(1).and_then(|other| self.others.get(other)).unwrap_or(&self.first)
    }

    /// Replaces all connections.
    pub(crate) async fn renew(&self) -> Result<()> {
        for lane in std::iter::once(&self.first).chain(&self.others) {
            *lane.current.lock() = Connection::dial(&self.how).await?;
        }
        Ok(())
    }
}

impl Lane {
    async fn open(how: &Dialling) -> Result<Self> {
        Ok(Self { current: Mutex::new(Connection::dial(how).await?), dialling: tokio::sync::Mutex::default() })
    }

    pub(crate) fn connection(&self) -> Connection {
        self.current.lock().clone()
    }

    /// Waits until nobody else replaces the connection. `None` when that was done already.
    pub(crate) async fn replacing(&self, lost: &Connection) -> Option<Replacing<'_>> {
        let dialling = self.dialling.lock().await;
        self.current.lock().is(lost).then_some(Replacing { lane: self, _dialling: dialling })
    }
}

impl Replacing<'_> {
    pub(crate) fn put(self, connection: Connection) {
        *self.lane.current.lock() = connection;
    }
}

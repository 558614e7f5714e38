//! Writing replies: chains of buffers in vectored writes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

/// Replies that are collected for one write at most.
const REPLIES_PER_WRITE: usize = 16;

/// A framed reply, with the room that its request takes until it is written.
pub(super) struct Outgoing {
    chain: Vec<Bytes>,
    room: Vec<OwnedSemaphorePermit>,
}

impl Outgoing {
    pub(super) fn new(mut chain: Vec<Bytes>, room: Vec<OwnedSemaphorePermit>) -> Self {
        // An empty piece at the front would look like the end of all that is to be written.
        chain.retain(|bytes| !bytes.is_empty());
        Self { chain, room }
    }
}

/// Buffers that are still to be written.
#[derive(Default)]
struct Pending(VecDeque<Bytes>);

impl Buf for Pending {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |bytes| bytes)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = self.0.iter().zip(slices.iter_mut()).map(|(bytes, slice)| *slice = IoSlice::new(bytes));
        filled.count()
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.0.front_mut() {
            if written < front.len() {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.0.pop_front();
        }
    }
}

/// Writes replies as they come until the queue ends. A client that does not take any bytes for `stall`, or a broken
/// connection, ends it early, and cancels `broken`.
pub(super) async fn write_all<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut queue: mpsc::Receiver<Outgoing>,
    stall: Duration,
    broken: CancellationToken,
) {
    let _break = broken.clone().drop_guard();
    let mut batch = Vec::with_capacity(REPLIES_PER_WRITE);
    while let Some(Some(count)) = broken.run_until_cancelled(receive(&mut queue, &mut batch)).await {
        let pending = Pending(batch.iter_mut().flat_map(|reply: &mut Outgoing| reply.chain.drain(..)).collect());
        if let Err(error) = write(&mut writer, pending, stall).await {
            tracing::debug!(%error, replies = count, "replies could not be written");
            return;
        }
        // Only now may the client have as many requests more.
        batch.drain(..).for_each(|reply| drop(reply.room));
    }
    if let Err(error) = writer.shutdown().await {
        tracing::debug!(%error, "a connection could not be shut down");
    }
}

/// The replies that are there; `None` when there will be no more.
async fn receive(queue: &mut mpsc::Receiver<Outgoing>, batch: &mut Vec<Outgoing>) -> Option<usize> {
    match queue.recv_many(batch, REPLIES_PER_WRITE).await {
        0 => None,
        count => Some(count),
    }
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, mut pending: Pending, stall: Duration) -> io::Result<()> {
    while pending.has_remaining() {
        let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the client does not read");
        if tokio::time::timeout(stall, writer.write_buf(&mut pending)).await.map_err(stalled)?? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn empty_pieces_are_not_the_end_of_a_reply() {
        let (send, queue) = mpsc::channel(1);
        let mut chain = vec![Bytes::new(); 100];
        chain.push(Bytes::from_static(b"data"));
        send.send(Outgoing::new(chain, Vec::new())).await.unwrap();
        drop(send);
        let mut written = Vec::new();
        write_all(&mut written, queue, Duration::from_secs(3_600), CancellationToken::new()).await;
        assert_eq!(written, b"data");
    }
}

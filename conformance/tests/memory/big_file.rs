//! A file of 2 GiB, whose bytes are known from where they are.

use std::time::Duration;

use bytes::Bytes;
use conformance::{Objects, data};
use futures::stream::{self, StreamExt, TryStreamExt};
use nfs_client_sim::{Client, OpenHow};
use nfs4_protocol::nfs4::{NfsFh4, StableHow4};
use tokio::time::Instant;

const NAME: &str = "big";
/// The bytes of one READ and of one WRITE.
const PIECE: usize = 1 << 20;
const PIECES: usize = 2048;
/// How far the bytes of a piece are moved against those of the piece before. All pieces differ: `PIECES` times this is
/// less than `PIECE`.
const SHIFT: usize = 509;
/// Requests in flight.
const IN_FLIGHT: usize = 8;
/// How long the upload may take.
const UPLOAD_WAIT: Duration = Duration::from_secs(300);
/// How often to look meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes that all pieces are cut from.
fn pattern() -> Bytes {
    data::bytes(2 * PIECE, 1).into()
}

fn piece(pattern: &Bytes, number: usize) -> Bytes {
    pattern.slice(number * SHIFT..number * SHIFT + PIECE)
}

/// Writes the file, makes it stable and closes it.
pub(crate) async fn write(client: &Client, root: &NfsFh4) {
    let pattern = pattern();
    let file = client.open(root, NAME, OpenHow::create()).await.unwrap();
    let write = |number| {
        let (file, data) = (&file, piece(&pattern, number));
        async move { file.write_at((number * PIECE) as u64, data, StableHow4::Unstable).await }
    };
    let writes = stream::iter(0..PIECES).map(write).buffer_unordered(IN_FLIGHT);
    let written: Vec<_> = writes.try_collect().await.unwrap();
    let stable = file.commit().await.unwrap();
    for written in written {
        assert_eq!((written.count as usize, written.writeverf), (PIECE, stable), "bytes of a WRITE, and its verifier");
    }
    file.close().await.unwrap();
}

/// Waits until the bucket has the object.
pub(crate) async fn wait_for_object(objects: &Objects) {
    let end = Instant::now() + UPLOAD_WAIT;
    while objects.keys(NAME).await != [NAME] {
        assert!(Instant::now() < end, "no object after {UPLOAD_WAIT:?}");
        tokio::time::sleep(PAUSE).await;
    }
    let bytes = objects.head(NAME).await.content_length();
    assert_eq!(bytes, Some((PIECES * PIECE) as i64));
}

/// Reads the file and compares it with what was written.
pub(crate) async fn check(client: &Client, root: &NfsFh4) {
    assert_eq!(client.read_bytes_max() as usize, PIECE, "the largest READ");
    let pattern = pattern();
    let file = client.open(root, NAME, OpenHow::read()).await.unwrap();
    let pieces = file.read_range(0..(PIECES * PIECE) as u64, IN_FLIGHT).enumerate();
    let pieces =
        pieces.map(|(number, got)| assert!(got.unwrap() == piece(&pattern, number), "piece {number} is wrong"));
    assert_eq!(pieces.count().await, PIECES);
    file.close().await.unwrap();
}

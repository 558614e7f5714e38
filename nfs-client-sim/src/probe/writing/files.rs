//! Data: offsets in any order, ends, change attributes.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{Attrs, FATTR4_CHANGE, FATTR4_SIZE, NfsFh4, Nfstime4, Settime4, StableHow4, Stateid4};

use super::{Folder, Trial};
use crate::probe::features::Feature;
use crate::{CompoundBuilder, OpenHow, Result};

pub(super) const TRIALS: &[Trial] = &[
    Trial { feature: Feature::EofExact, since: 0, run: |folder| eof(folder).boxed() },
    Trial { feature: Feature::OutOfOrderWrites, since: 0, run: |folder| out_of_order(folder).boxed() },
    Trial { feature: Feature::ChangeWithData, since: 0, run: |folder| change_with_data(folder).boxed() },
    Trial { feature: Feature::ChangeWithAttributes, since: 0, run: |folder| change_with_attributes(folder).boxed() },
    Trial { feature: Feature::GetattrAfterClose, since: 0, run: |folder| getattr_after_close(folder).boxed() },
    Trial { feature: Feature::TimesAfterClose, since: 0, run: |folder| times_after_close(folder).boxed() },
];

/// The size of the pieces of the file that is written out of order, in bytes.
const PIECE: usize = 4096;

async fn eof(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("eof", b"0123456789").await?;
    let mut seen = Vec::new();
    for (offset, count, eof, bytes) in [(0, 9, false, 9), (0, 10, true, 10), (0, 11, true, 10), (10, 1, true, 0)] {
        let read = file.read_at(offset, count).await?;
        if (read.eof, read.data.len()) != (eof, bytes) {
            seen.push(format!("{count} at {offset}: {} bytes, eof {}", read.data.len(), read.eof));
        }
    }
    file.close().await?;
    let right = seen.is_empty();
    Ok((right, if right { "before, at and behind the end".into() } else { seen.join("; ") }))
}

async fn out_of_order(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("out-of-order", b"").await?;
    let piece = |index: u8| Bytes::from(vec![b'0' + index; PIECE]);
    for index in [2_u8, 0, 3, 1] {
        file.write_at(u64::from(index) * PIECE as u64, piece(index), StableHow4::Unstable).await?;
        file.commit().await?;
    }
    let whole = file.read_to_end(2).await?;
    file.close().await?;
    let again = folder.client.read_file(&folder.handle, "out-of-order", 1).await?;
    let expected = (0..4).flat_map(piece).collect::<Vec<u8>>();
    let right = whole == expected && again == expected;
    Ok((right, format!("4 pieces, last first: {}", if right { "as written" } else { "other bytes than written" })))
}

async fn change(folder: &Folder, handle: &NfsFh4) -> Result<u64> {
    Ok(folder.client.getattr(handle, &[FATTR4_CHANGE]).await?.change.unwrap_or_default())
}

async fn change_with_data(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("change", b"first").await?;
    let mut changes = vec![change(folder, file.handle()).await?];
    for _ in 0..3 {
        file.write_at(0, Bytes::from_static(b"again"), StableHow4::Unstable).await?;
        changes.push(change(folder, file.handle()).await?);
    }
    file.close().await?;
    let rises = changes.windows(2).all(|pair| pair.first() < pair.last());
    let moves = changes.windows(2).all(|pair| pair.first() != pair.last());
    let words = match (rises, moves) {
        (true, _) => "it rises",
        (false, true) => "it moves, but not always up",
        (false, false) => "it stays the same with a write",
    };
    Ok((rises, words.into()))
}

async fn change_with_attributes(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("change-attributes", b"").await?;
    let before = change(folder, file.handle()).await?;
    let attrs = Attrs { mode: Some(0o600), ..Attrs::default() };
    folder.client.setattr(file.handle(), Stateid4::ANONYMOUS, &attrs).await?;
    let with_mode = change(folder, file.handle()).await?;
    file.set_size(100).await?;
    let with_size = change(folder, file.handle()).await?;
    let size = folder.client.getattr(file.handle(), &[FATTR4_SIZE]).await?.size;
    file.close().await?;
    let right = before < with_mode && with_mode < with_size && size == Some(100);
    Ok((
        right,
        if right { "with the mode and with the size".into() } else { format!("{before}, {with_mode}, {with_size}") },
    ))
}

async fn getattr_after_close(folder: &Folder) -> Result<(bool, String)> {
    let file = folder.file("close-getattr", b"0123456789").await?;
    let (handle, stateid) = (file.handle().clone(), file.stateid());
    let build = |seqid| CompoundBuilder::new().putfh(&handle).close(seqid, stateid).getattr(&[FATTR4_SIZE]);
    let mut reply = folder.client.settle_in_turn(file.owner(), &[], &build).await?.reply;
    let size = reply.getattr()?.size;
    Ok((size == Some(10), format!("size {size:?}")))
}

async fn times_after_close(folder: &Folder) -> Result<(bool, String)> {
    folder.client.write_file(&folder.handle, "times", Bytes::from_static(b"content"), 1).await?;
    let node = folder.client.lookup(&folder.handle, "times").await?;
    let time = Nfstime4 { seconds: 1_000_000_000, nseconds: 0 };
    let attrs = Attrs { time_modify_set: Some(Settime4::ClientTime(time)), ..Attrs::default() };
    folder.client.setattr(&node.handle, Stateid4::ANONYMOUS, &attrs).await?;
    // Opening and closing it must not move the time.
    folder.client.open(&folder.handle, "times", OpenHow::read()).await?.close().await?;
    let seen = folder.client.lookup(&folder.handle, "times").await?.attrs.time_modify;
    Ok((
        seen == Some(time),
        seen.map_or("not told".into(), |seen| format!("{} set, {} seen", time.seconds, seen.seconds)),
    ))
}

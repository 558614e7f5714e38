//! What the tests of optional operations share: a server either has such an operation or says NOTSUPP.

use conformance::Scene;
use nfs_client_sim::{CompoundBuilder, Reply};
use nfs4_protocol::nfs4::{NfsArgop4, NfsFh4, NfsStat4};

/// Sends an operation on a file. `None` when the server does not have it, and says so in the right place.
pub(crate) async fn offered(scene: &Scene, file: &NfsFh4, op: NfsArgop4) -> Option<Reply> {
    within(scene, CompoundBuilder::new().putfh(file).op(op)).await
}

/// Sends a compound whose last operation is optional. `None` when the server does not have it.
pub(crate) async fn within(scene: &Scene, compound: CompoundBuilder) -> Option<Reply> {
    let sent = compound.clone().build(scene.minor).argarray;
    let reply = scene.call(compound).await;
    let last = reply.results().back().unwrap();
    if last.status() != NfsStat4::Notsupp {
        return Some(reply);
    }
    assert_eq!((reply.results().len(), last.opnum()), (sent.len(), sent.last().unwrap().opnum()), "not the last one");
    None
}

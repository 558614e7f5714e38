//! Operations: READLINK

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use pretty_assertions::assert_eq;
use rstest::rstest;

/// RFC 7530 §16.25, RFC 8881 §18.24: the text that CREATE was given, whatever it says; the size is its length.
#[rstest]
fn the_text_comes_back(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let long = "/dir".repeat(250);
        for (number, text) in ["x", "/", "..", "/absolute/path", "a//b/", "ü/€", &long].into_iter().enumerate() {
            let link = scene.link(&format!("link {number}"), text).await;
            assert_eq!(scene.client.readlink(&link).await.unwrap(), text);
            assert_eq!(scene.client.getattr(&link, &[FATTR4_SIZE]).await.unwrap().size, Some(text.len() as u64));
        }
    });
}

/// RFC 7530 §16.25.4, RFC 8881 §18.24.4 and §15.2: what is no link has no text.
#[rstest]
fn what_is_no_link(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let status = if minor == 0 { NfsStat4::Inval } else { NfsStat4::WrongType };
        for handle in [scene.file("file", "x").await, scene.dir("dir").await] {
            scene.fails(CompoundBuilder::new().putfh(&handle).readlink(), status).await;
        }
    });
}

/// RFC 7530 §13.1.2.7, RFC 8881 §15.1.2.7: a link that was removed while its handle was about.
#[rstest]
fn a_removed_link_is_stale(#[values(Embedded, Remote)] target: Target, #[values(0, 1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let link = scene.link("link", "to").await;
        let compound = CompoundBuilder::new().putfh(&link).savefh().putfh(&scene.root).remove("link").restorefh();
        scene.fails(compound.readlink(), NfsStat4::Stale).await;
    });
}

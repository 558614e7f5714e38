//! Operations: GETXATTR, SETXATTR, LISTXATTRS, REMOVEXATTR

use std::collections::BTreeSet;

use bytes::Bytes;
use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::CompoundBuilder;
use nfs4_protocol::nfs4::*;
use nfs4_protocol::xdr::{Encoder, to_bytes};
use pretty_assertions::{assert_eq, assert_ne};
use rstest::rstest;

use crate::newcomer::done;
use crate::optional::offered;

fn get(name: &str) -> NfsArgop4 {
    NfsArgop4::Getxattr(Getxattr4Args { name: Bytes::copy_from_slice(name.as_bytes()) })
}

fn set(option: SetxattrOption4, key: &str, value: &'static str) -> NfsArgop4 {
    let key = Bytes::copy_from_slice(key.as_bytes());
    NfsArgop4::Setxattr(Box::new(Setxattr4Args { option, key, value: value.into() }))
}

fn remove(name: &str) -> NfsArgop4 {
    NfsArgop4::Removexattr(Removexattr4Args { name: Bytes::copy_from_slice(name.as_bytes()) })
}

const fn list(cookie: u64, maxcount: u32) -> NfsArgop4 {
    NfsArgop4::Listxattrs(Listxattrs4Args { cookie, maxcount })
}

/// The status of an operation on a file.
async fn status(scene: &Scene, file: &NfsFh4, op: NfsArgop4) -> Option<NfsStat4> {
    offered(scene, file, op).await.map(|reply| reply.status())
}

async fn value(scene: &Scene, file: &NfsFh4, name: &str) -> Result<Bytes, NfsStat4> {
    let reply = offered(scene, file, get(name)).await.unwrap();
    match reply.results().back() {
        Some(NfsResop4::Getxattr(result)) => result.clone().map(|body| body.value.into_bytes()),
        other => panic!("{other:?}"),
    }
}

/// RFC 8276 §8.2.1: the attribute xattr_support says what the operations do.
#[rstest]
fn the_attribute_says_whether_there_are_any(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", "").await;
        let says = scene.client.getattr(&file, &[FATTR4_XATTR_SUPPORT]).await.unwrap().xattr_support;
        let does = status(scene, &file, get("user.none")).await.is_some();
        assert_eq!(says.unwrap_or(false), does);
        for op in [set(SetxattrOption4::Either, "one", "1"), list(0, 4096), remove("one")] {
            assert_eq!(status(scene, &file, op).await.is_some(), does);
        }
    });
}

/// RFC 8276 §8.4.2.3: what SETXATTR may create and replace.
#[rstest]
fn values_are_set_and_replaced(#[values(Embedded, Remote)] target: Target) {
    use SetxattrOption4 as Option4;
    rfc(target, 2, async |scene| {
        let file = scene.file("file", "").await;
        let Some(missing) = status(scene, &file, set(Option4::Replace, "one", "0")).await else { return };
        assert_eq!(missing, NfsStat4::Noxattr);
        assert_eq!(status(scene, &file, set(Option4::Create, "one", "1")).await, Some(NfsStat4::Ok));
        assert_eq!(status(scene, &file, set(Option4::Create, "one", "2")).await, Some(NfsStat4::Exist));
        assert_eq!(value(scene, &file, "one").await, Ok("1".into()));
        for (option, new) in [(Option4::Replace, "3"), (Option4::Either, ""), (Option4::Either, "4")] {
            assert_eq!(status(scene, &file, set(option, "one", new)).await, Some(NfsStat4::Ok));
            assert_eq!(value(scene, &file, "one").await, Ok(new.into()));
        }
        assert_eq!(value(scene, &file, "two").await, Err(NfsStat4::Noxattr));
    });
}

/// RFC 8276 §8.4.2.3, §8.4.4.3: the change attribute moves, and the result says from where to where.
#[rstest]
fn the_change_attribute_moves(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", "").await;
        for op in [set(SetxattrOption4::Either, "one", "1"), set(SetxattrOption4::Either, "one", "2"), remove("one")] {
            let change = async || scene.client.getattr(&file, &[FATTR4_CHANGE]).await.unwrap().change.unwrap();
            let before = change().await;
            let Some(reply) = offered(scene, &file, op).await else { return };
            let info = match reply.results().back() {
                Some(NfsResop4::Setxattr(Ok(info)) | NfsResop4::Removexattr(Ok(info))) => *info,
                other => panic!("{other:?}"),
            };
            assert_ne!(change().await, before);
            assert_eq!((info.before, info.after), (before, change().await));
        }
    });
}

/// RFC 8276 §8.4.3.3: all keys, each once, in as many parts as fit.
#[rstest]
fn all_keys_are_listed(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", "").await;
        let keys: BTreeSet<String> = (0..20).map(|number| format!("key {number}")).collect();
        for key in &keys {
            let Some(status) = status(scene, &file, set(SetxattrOption4::Create, key, "x")).await else { return };
            assert_eq!(status, NfsStat4::Ok);
        }
        let (mut found, mut cookie) = (Vec::new(), 0);
        loop {
            let reply = offered(scene, &file, list(cookie, 100)).await.unwrap();
            let Some(NfsResop4::Listxattrs(Ok(part))) = reply.results().back() else { panic!("{reply:?}") };
            found.extend(part.names.iter().map(|name| String::from_utf8(name.0.to_vec()).unwrap()));
            cookie = part.cookie;
            if part.eof {
                break;
            }
            assert!(!part.names.is_empty(), "no progress");
        }
        assert_eq!(found.len(), keys.len());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), keys);
        assert_eq!(status(scene, &file, list(0, 8)).await, Some(NfsStat4::Toosmall));
    });
}

/// RFC 8276 §8.4.4.3: what was removed is gone, and cannot be removed again.
#[rstest]
fn a_removed_key_is_gone(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        let file = scene.file("file", "").await;
        let Some(status) = status(scene, &file, remove("one")).await else { return };
        assert_eq!(status, NfsStat4::Noxattr);
        scene
            .ok(CompoundBuilder::new().putfh(&file).op(set(SetxattrOption4::Either, "one", "1")).op(remove("one")))
            .await;
        assert_eq!(value(scene, &file, "one").await, Err(NfsStat4::Noxattr));
    });
}

/// RFC 8276 §8.4.5: without a filehandle, and with an option that there is not.
#[rstest]
fn arguments_that_will_not_do(#[values(Embedded, Remote)] target: Target) {
    rfc(target, 2, async |scene| {
        for op in [get("one"), set(SetxattrOption4::Either, "one", "1"), list(0, 100), remove("one")] {
            let status = scene.call(CompoundBuilder::new().op(op)).await.status();
            assert!([NfsStat4::Nofilehandle, NfsStat4::Notsupp].contains(&status), "{status}");
        }
        let mut e = Encoder::new();
        [OpNum::Setxattr.as_u32(), 3, 1, 0x6100_0000, 0].into_iter().for_each(|word| e.u32(word));
        let reply = scene.call_encoded(&[to_bytes(&NfsArgop4::Putrootfh), e.finish_contiguous()]).await.unwrap();
        let [_, (OpNum::Setxattr, status)] = done(&reply)[..] else { panic!("{:?}", done(&reply)) };
        assert!([NfsStat4::Badxdr, NfsStat4::Notsupp].contains(&status), "{status}");
    });
}

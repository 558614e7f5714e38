//! Operations: OPEN

use conformance::Target::{Embedded, Remote};
use conformance::{Scene, Target, rfc};
use nfs_client_sim::{CompoundBuilder, OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{
    Attrs, Createhow4, Creatverfattr, FATTR4_MODE, FATTR4_SIZE, FATTR4_SUPPATTR_EXCLCREAT, FATTR4_SUPPORTED_ATTRS,
    FATTR4_TIME_ACCESS_SET, FATTR4_TIME_MODIFY_SET, FATTR4_TYPE, Fattr4, NfsStat4, Nfstime4, Open4Args, OpenClaim4,
    Openflag4, Settime4, StableHow4, Stateid4, Verifier4,
};
use pretty_assertions::assert_eq;
use rstest::rstest;

const MINE: Verifier4 = Verifier4(*b"my own 1");
const OTHER: Verifier4 = Verifier4(*b"another2");

fn exclusive41(scene: &Scene, name: &'static str, verf: Verifier4, attrs: Fattr4) -> CompoundBuilder {
    create(scene, name, Createhow4::Exclusive41(Creatverfattr { verf, attrs }))
}

fn create(scene: &Scene, name: &'static str, how: Createhow4) -> CompoundBuilder {
    let args = scene.client.open_args(OpenClaim4::Null(name.into()), &OpenOwner::new("owner"), &OpenHow::both());
    scene.here().open(Open4Args { openhow: Openflag4::Create(how), ..args })
}

fn mode(mode: u32) -> Fattr4 {
    Attrs { mode: Some(mode), ..Attrs::default() }.to_fattr4()
}

/// RFC 8881 §18.16.3, table 18: without a persistent reply cache EXCLUSIVE4 goes too.
#[rstest]
fn the_way_of_40_still_goes(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let make = |verifier| create(scene, "file", Createhow4::Exclusive(verifier)).getfh();
        let file = scene.ok(make(MINE)).await.getfh().unwrap();
        assert_eq!(scene.ok(make(MINE)).await.getfh().unwrap(), file);
        scene.fails(create(scene, "file", Createhow4::Exclusive(OTHER)), NfsStat4::Exist).await;
    });
}

/// RFC 8881 §18.16.3, §5.8.1.14: attributes that are not in suppattr_exclcreat are refused, and nothing is made.
#[rstest]
fn only_attributes_of_suppattr_exclcreat(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let known =
            scene.client.getattr(&scene.root, &[FATTR4_SUPPORTED_ATTRS, FATTR4_SUPPATTR_EXCLCREAT]).await.unwrap();
        let (supported, allowed) = (known.supported_attrs.unwrap(), known.suppattr_exclcreat.unwrap());
        assert!(supported.contains(FATTR4_SUPPATTR_EXCLCREAT));
        assert!(allowed.and_not(&supported).is_empty(), "{allowed:?} of {supported:?}");
        assert!(!allowed.contains(FATTR4_TYPE), "what cannot be set cannot be set at creation");
        let sets = [
            (FATTR4_SIZE, Attrs { size: Some(3), ..Attrs::default() }),
            (FATTR4_MODE, Attrs { mode: Some(0o600), ..Attrs::default() }),
            (FATTR4_TIME_MODIFY_SET, times().1),
            (FATTR4_TIME_ACCESS_SET, times().0),
        ];
        for (number, (attribute, attrs)) in sets.into_iter().enumerate() {
            let name = ["one", "two", "three", "four"][number];
            let make = exclusive41(scene, name, MINE, attrs.to_fattr4());
            if allowed.contains(attribute) {
                scene.ok(make).await;
            } else {
                scene.fails(make, NfsStat4::Inval).await;
                scene.fails(scene.here().lookup(name), NfsStat4::Noent).await;
            }
        }
    });
}

/// A time of the last access, and one of the last change.
fn times() -> (Attrs, Attrs) {
    let time = Settime4::ClientTime(Nfstime4 { seconds: 1, nseconds: 2 });
    (
        Attrs { time_access_set: Some(time), ..Attrs::default() },
        Attrs { time_modify_set: Some(time), ..Attrs::default() },
    )
}

/// RFC 8881 §18.16.4: the maker of a file may write it whatever its mode, and another verifier does not find it.
#[rstest]
fn the_maker_writes_what_it_made(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let write =
            |compound: CompoundBuilder| compound.write(Stateid4::CURRENT, 0, StableHow4::FileSync, "text".into());
        let compound = write(exclusive41(scene, "file", MINE, mode(0o400))).read(Stateid4::CURRENT, 0, 4);
        let read = scene.ok(compound.close(0, Stateid4::CURRENT)).await.read().unwrap();
        assert_eq!(read.data.into_bytes(), "text");
        scene.fails(exclusive41(scene, "file", OTHER, mode(0o400)), NfsStat4::Exist).await;
    });
}

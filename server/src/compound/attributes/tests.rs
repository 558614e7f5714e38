//! Tests of attributes in both directions.

use bytes::Bytes;
use nfs4_protocol::nfs4::*;
use proptest::prelude::*;
use rstest::rstest;

use super::supported::supported;
use super::*;
use crate::compound::filehandle::fixture::{Fixture, OWNER, ROOT, STRANGER};
use crate::compound::{CompoundContext, Settings};
use crate::fs::filesystem::{Attributes, Caller, Filesystem, Located, SetAttributes, SetTime, Space};
use crate::timestamp::Timestamp;

const SPACE: Space = Space { bytes_total: 100, bytes_free: 60, files_total: 50, files_free: 40 };

async fn context(minor: u32, caller: Caller, op: OpNum) -> (Fixture, CompoundContext) {
    let fixture = Fixture::new().await;
    fixture.file("/demo", "file", 0o640, 7).await;
    let cx = fixture.at(minor, op, caller, "/demo/file").await;
    (fixture, cx)
}

async fn node(fixture: &Fixture, path: &str) -> (Located, Attributes) {
    let node = fixture.find(path).await;
    let attributes = fixture.fs.getattr(&node.handle).await.unwrap();
    (node, attributes)
}

/// Everything a GETATTR of `asked` answers about a node.
async fn ask(fixture: &Fixture, cx: &CompoundContext, path: &str, asked: &Bitmap4) -> Attrs {
    let (node, attributes) = node(fixture, path).await;
    let query = Query::new(cx, asked).unwrap();
    let answer = query.answer(Facts { node: &node, attributes: Some(&attributes), space: Some(SPACE) });
    answer.parse().unwrap()
}

fn readable(minor: u32) -> Bitmap4 {
    supported(minor).iter().filter(|number| attribute(*number).unwrap().readable()).collect()
}

#[tokio::test]
async fn all_that_is_offered_is_answered_and_nothing_else() {
    for minor in 0..=2 {
        let (fixture, cx) = context(minor, ROOT, OpNum::Getattr).await;
        let asked = ATTRIBUTES.iter().filter(|info| info.readable()).map(|info| info.number).chain([83, 86, 90, 200]);
        let answer = ask(&fixture, &cx, "/demo/file", &asked.collect()).await;
        assert_eq!(answer.mask(), readable(minor), "minor version {minor}");
        assert!(answer.supported_attrs.unwrap().same_bits(&supported(minor)));
    }
}

#[test]
fn the_required_attributes_are_there_and_what_is_not_true_is_not() {
    for minor in 0..=2 {
        let offered = supported(minor);
        // RFC 7530 §5.6: 0 to 11 and 19.
        assert!((0..=11).chain([FATTR4_FILEHANDLE]).all(|number| offered.contains(number)));
        let absent = [
            FATTR4_ACL,
            FATTR4_ARCHIVE,
            FATTR4_HIDDEN,
            FATTR4_SYSTEM,
            FATTR4_TIME_BACKUP,
            FATTR4_TIME_CREATE,
            FATTR4_FS_LOCATIONS,
            FATTR4_XATTR_SUPPORT,
            FATTR4_CLONE_BLKSIZE,
            FATTR4_CHANGE_ATTR_TYPE,
            FATTR4_OPEN_ARGUMENTS,
            FATTR4_TIME_DELEG_ACCESS,
            FATTR4_TIME_DELEG_MODIFY,
        ];
        assert!(absent.iter().all(|number| !offered.contains(*number)));
        // RFC 8881 §5.6 requires it of 4.1; the reply tables count on three words.
        assert_eq!(offered.contains(FATTR4_SUPPATTR_EXCLCREAT), minor >= 1);
        assert_eq!(offered.contains(FATTR4_MODE_UMASK), minor == 2);
        assert!(offered.words().len() <= 3);
        assert!(suppattr_exclcreat(minor).and_not(&offered).is_empty());
    }
}

/// The masks of clients (clients.md §1.3, §2.2), with the attributes in them that the gateway does not have.
#[rstest]
#[case::linux_fattr(&[0x0010_011a, 0x00b0_a23a], &[])]
#[case::linux_caps(&[0x0003_2065, 0, 0x0040_0800], &[FATTR4_OPEN_ARGUMENTS])]
#[case::linux_fsinfo(&[0xc800_0400, 0x4008_0000, 0x0004_0002],
    &[FATTR4_FS_LAYOUT_TYPES, FATTR4_LAYOUT_BLKSIZE, FATTR4_XATTR_SUPPORT])]
#[case::linux_pathconf(&[0x3000_0000], &[])]
#[case::linux_consistency(&[0x0000_0018, 0x0030_0000], &[])]
#[case::linux_readdirplus(&[0x0018_091a, 0x00b0_a23a], &[])]
#[case::macos_default(&[0xfef7_67ff, 0x00b6_be3e, 0x0000_0800],
    &[FATTR4_ARCHIVE, FATTR4_HIDDEN, FATTR4_TIME_BACKUP, FATTR4_TIME_CREATE])]
#[case::macos_getattr(&[0x1210_419a, 0x00b6_a23a, 0],
    &[FATTR4_ARCHIVE, FATTR4_HIDDEN, FATTR4_TIME_BACKUP, FATTR4_TIME_CREATE])]
#[case::macos_readdir(&[0x0010_0802, 0x0080_0000, 0], &[])]
#[case::macos_write(&[0x0000_001a, 0x0030_0000, 0], &[])]
#[case::macos_statfs(&[0x12f0_411a, 0x00b6_be3a, 0], &[FATTR4_ARCHIVE, FATTR4_HIDDEN, FATTR4_TIME_BACKUP, FATTR4_TIME_CREATE])]
#[case::macos_per_fs(&[0xede7_a665, 0x0008_1c04, 0x0000_0800], &[FATTR4_FS_LOCATIONS])]
#[tokio::test]
async fn the_masks_of_clients_are_answered(#[case] words: &[u32], #[case] absent: &[u32]) {
    let asked = Bitmap4::from_words(words);
    for minor in 0..=2 {
        let (fixture, cx) = context(minor, ROOT, OpNum::Getattr).await;
        let answer = ask(&fixture, &cx, "/demo", &asked).await;
        let missing = asked.and_not(&answer.mask());
        let later = |number: &u32| attribute(*number).is_some_and(|info| info.since_minor > minor);
        let unexpected: Vec<_> = missing.iter().filter(|number| !absent.contains(number) && !later(number)).collect();
        assert!(unexpected.is_empty(), "{unexpected:?} minor version {minor}");
        assert!(answer.mask().and_not(&asked).is_empty());
    }
}

#[tokio::test]
async fn values_are_those_of_the_node() {
    let (fixture, cx) = context(2, ROOT, OpNum::Getattr).await;
    let (found, attributes) = node(&fixture, "/demo/file").await;
    let answer = ask(&fixture, &cx, "/demo/file", &readable(2)).await;
    assert_eq!(answer.ftype, Some(NfsFtype4::Reg));
    assert_eq!((answer.size, answer.mode, answer.numlinks), (Some(7), Some(0o640), Some(1)));
    assert_eq!(answer.owner, Some(Bytes::from_static(b"501")));
    assert_eq!(answer.owner_group, Some(Bytes::from_static(b"20")));
    assert_eq!(answer.filehandle, Some(NfsFh4(found.handle.as_bytes().clone())));
    assert_eq!(answer.fsid, Some(Fsid4 { major: found.key.fsid, minor: 0 }));
    assert_eq!((answer.fileid, answer.mounted_on_fileid), (Some(found.key.fileid), Some(found.key.fileid)));
    assert_eq!(answer.change, Some(attributes.change));
    assert_eq!(answer.time_modify, Some(Nfstime4 { seconds: attributes.mtime.seconds, nseconds: 0 }));
    assert_eq!((answer.space_total, answer.space_free, answer.space_avail), (Some(100), Some(60), Some(60)));
    assert_eq!((answer.files_total, answer.files_free, answer.files_avail), (Some(50), Some(40), Some(40)));
    assert_eq!((answer.lease_time, answer.maxname, answer.maxlink), (Some(90), Some(255), Some(1)));
    assert_eq!((answer.maxread, answer.maxwrite), (Some(1 << 20), Some(1 << 20)));
    assert_eq!(
        (answer.link_support, answer.symlink_support, answer.named_attr),
        (Some(false), Some(true), Some(false))
    );
    assert_eq!(answer.rdattr_error, Some(NfsStat4::Ok));
}

#[tokio::test]
async fn at_the_root_of_a_bucket_the_fileid_underneath_is_told() {
    let (fixture, cx) = context(1, ROOT, OpNum::Getattr).await;
    let (found, attributes) = node(&fixture, "/demo").await;
    assert_ne!(found.key.fileid, attributes.mounted_on_fileid);
    let answer = ask(&fixture, &cx, "/demo", &readable(1)).await;
    assert_eq!(answer.fileid, Some(found.key.fileid));
    assert_eq!(answer.mounted_on_fileid, Some(attributes.mounted_on_fileid));
}

#[tokio::test]
async fn with_a_domain_owners_go_out_with_it() {
    let fixture =
        Fixture::with(Settings { nfs4_domain: Some("example.org".to_owned()), ..Settings::new("test") }).await;
    let cx = fixture.at(1, OpNum::Getattr, ROOT, "/").await;
    let answer = ask(&fixture, &cx, "/", &readable(1)).await;
    assert_eq!(answer.owner, Some(Bytes::from_static(b"root@example.org")));
    assert_eq!(answer.owner_group, Some(Bytes::from_static(b"0")));
}

#[tokio::test]
async fn a_query_knows_what_it_takes() {
    let (_fixture, cx) = context(1, ROOT, OpNum::Readdir).await;
    let query = |bits: &[u32]| Query::new(&cx, &bits.iter().copied().collect()).unwrap();
    let plain = query(&[FATTR4_RDATTR_ERROR, FATTR4_FILEID, FATTR4_MOUNTED_ON_FILEID, FATTR4_LEASE_TIME]);
    assert!(!plain.wants_attributes() && !plain.wants_space() && !plain.wants_handle() && plain.takes_errors());
    assert!(plain.wants_mounted_on_fileid());
    assert!(query(&[FATTR4_TYPE]).wants_attributes());
    assert!(query(&[FATTR4_SPACE_FREE]).wants_space());
    assert!(query(&[FATTR4_FILEHANDLE]).wants_handle());
    let all = Query::new(&cx, &readable(1)).unwrap();
    assert!(all.answer_bytes_estimate() > plain.answer_bytes_estimate());
}

#[tokio::test]
async fn what_can_only_be_set_cannot_be_asked_for() {
    // RFC 7530 §5.5. Each minor version has its own.
    for (minor, number, refused) in [
        (0, FATTR4_TIME_ACCESS_SET, true),
        (0, FATTR4_TIME_MODIFY_SET, true),
        (0, FATTR4_MODE_SET_MASKED, false),
        (1, FATTR4_MODE_SET_MASKED, true),
        (1, FATTR4_LAYOUT_HINT, true),
        (1, FATTR4_MODE_UMASK, false),
        (2, FATTR4_MODE_UMASK, true),
    ] {
        let (_fixture, cx) = context(minor, ROOT, OpNum::Getattr).await;
        let outcome = Query::new(&cx, &[FATTR4_TYPE, number].into_iter().collect()).map(|_| ());
        assert_eq!(outcome, if refused { Err(NfsStat4::Inval) } else { Ok(()) }, "{minor} {number}");
    }
}

/// The status of setting this, at creation and afterwards.
async fn statuses(minor: u32, fattr: Fattr4) -> (NfsStat4, NfsStat4) {
    let (_fixture, cx) = context(minor, ROOT, OpNum::Setattr).await;
    let status = |outcome: Result<(), NfsStat4>| outcome.err().unwrap_or(NfsStat4::Ok);
    (status(decode(&cx, &fattr).map(|_| ())), status(decode_changes(&cx, &fattr).map(|_| ())))
}

#[tokio::test]
async fn values_that_make_no_sense_are_refused_one_by_one() {
    let owner = |owner: &'static [u8]| Attrs { owner: Some(Bytes::from_static(owner)), ..Attrs::default() };
    let time = |nseconds| Some(Settime4::ClientTime(Nfstime4 { seconds: 1, nseconds }));
    let masked = |value_to_set, mask_bits| Some(ModeMasked4 { value_to_set, mask_bits });
    let (ok, inval) = (NfsStat4::Ok, NfsStat4::Inval);
    for (attrs, expected) in [
        (Attrs { mode: Some(0o7777), ..Attrs::default() }, (ok, ok)),
        (Attrs { mode: Some(0o10_000), ..Attrs::default() }, (inval, inval)),
        (Attrs { size: Some(FILE_BYTES_MAX), ..Attrs::default() }, (ok, ok)),
        (Attrs { size: Some(FILE_BYTES_MAX + 1), ..Attrs::default() }, (NfsStat4::Fbig, NfsStat4::Fbig)),
        (Attrs { time_access_set: time(999_999_999), ..Attrs::default() }, (ok, ok)),
        (Attrs { time_modify_set: time(1_000_000_000), ..Attrs::default() }, (inval, inval)),
        (owner(b"alice@example.org"), (NfsStat4::Badowner, NfsStat4::Badowner)),
        (owner(b"OWNER@"), (NfsStat4::Badowner, NfsStat4::Badowner)),
        (owner(b"12"), (ok, ok)),
        // RFC 8881 §6.2.5, RFC 8275 §5.
        (Attrs { mode_set_masked: masked(0, 0o7000), ..Attrs::default() }, (inval, ok)),
        (Attrs { mode_set_masked: masked(0o10_000, 0), ..Attrs::default() }, (inval, inval)),
        (Attrs { mode: Some(0), mode_set_masked: masked(0, 0), ..Attrs::default() }, (inval, inval)),
        (Attrs { mode_umask: Some(ModeUmask4 { mode: 0o666, umask: 0o22 }), ..Attrs::default() }, (ok, inval)),
        (Attrs { mode_umask: Some(ModeUmask4 { mode: 0o666, umask: 0o1000 }), ..Attrs::default() }, (inval, inval)),
        (Attrs { mode: Some(0), mode_umask: Some(ModeUmask4::default()), ..Attrs::default() }, (inval, inval)),
        // RFC 7530 §5.5 and §16.32.5: what can only be asked for, and what there is not.
        (Attrs { change: Some(1), ..Attrs::default() }, (inval, inval)),
        (Attrs { mounted_on_fileid: Some(1), ..Attrs::default() }, (inval, inval)),
        (Attrs { archive: Some(true), ..Attrs::default() }, (NfsStat4::Attrnotsupp, NfsStat4::Attrnotsupp)),
        (
            Attrs { time_create: Some(Nfstime4::default()), ..Attrs::default() },
            (NfsStat4::Attrnotsupp, NfsStat4::Attrnotsupp),
        ),
    ] {
        assert_eq!(statuses(2, attrs.to_fattr4()).await, expected, "{:?}", attrs.mask());
    }
}

#[tokio::test]
async fn unknown_bits_are_not_supported_and_values_must_match_the_mask() {
    let both = |status| (status, status);
    for number in [83, 86, 90, 500] {
        let fattr = Fattr4 { attrmask: Bitmap4::from_iter([number]), attr_vals: Bytes::from_static(&[0; 8]) };
        assert_eq!(statuses(2, fattr).await, both(NfsStat4::Attrnotsupp), "{number}");
    }
    // An attribute of a later minor version does not exist yet.
    let umask = Attrs { mode_umask: Some(ModeUmask4::default()), ..Attrs::default() }.to_fattr4();
    assert_eq!(statuses(1, umask).await, both(NfsStat4::Attrnotsupp));
    let mode = |vals: &'static [u8]| Fattr4 {
        attrmask: Bitmap4::from_iter([FATTR4_MODE]),
        attr_vals: Bytes::from_static(vals),
    };
    assert_eq!(statuses(0, mode(&[0, 0, 1])).await, both(NfsStat4::Badxdr));
    assert_eq!(statuses(0, mode(&[0, 0, 0, 1, 0, 0, 0, 0])).await, both(NfsStat4::Badxdr));
    assert_eq!(statuses(0, mode(&[0, 0, 1, 0])).await, both(NfsStat4::Ok));
}

#[tokio::test]
async fn words_of_zeros_in_a_mask_are_nothing() {
    let (_fixture, cx) = context(0, OWNER, OpNum::Open).await;
    let fattr =
        Fattr4 { attrmask: Bitmap4::from_words(&[0, 2, 0, 0, 0]), attr_vals: Bytes::from_static(&[0, 0, 1, 0o200]) };
    let (set, bits) = decode(&cx, &fattr).unwrap();
    assert_eq!(set, SetAttributes { mode: Some(0o600), ..SetAttributes::default() });
    assert_eq!(bits.words(), [0, 2]);
}

#[tokio::test]
async fn only_root_makes_files_for_others() {
    let group = |gid: &'static [u8]| Attrs { owner_group: Some(Bytes::from_static(gid)), ..Attrs::default() };
    let member = Caller { groups: vec![30], ..OWNER };
    for (caller, attrs, expected) in [
        (ROOT, group(b"777"), Ok(())),
        (OWNER, group(b"20"), Ok(())),
        (member, group(b"30"), Ok(())),
        (OWNER, group(b"30"), Err(NfsStat4::Perm)),
        (STRANGER, group(b"20"), Err(NfsStat4::Perm)),
    ] {
        let (_fixture, cx) = context(0, caller.clone(), OpNum::Open).await;
        assert_eq!(decode(&cx, &attrs.to_fattr4()).map(|_| ()), expected, "{caller:?}");
    }
}

proptest! {
    /// What a client sets arrives as it was meant, and is said to be set.
    #[test]
    fn settable_attributes_survive_the_wire(
        size in proptest::option::of(0..=FILE_BYTES_MAX),
        mode in proptest::option::of(0u32..=0o7777),
        uid in proptest::option::of(0u32..u32::MAX),
        gid in proptest::option::of(0u32..u32::MAX),
        times in proptest::array::uniform2(proptest::option::of(proptest::option::of((any::<i64>(), 0u32..1_000_000_000)))),
        padding in 0usize..4,
    ) {
        let settime = |time: Option<Option<(i64, u32)>>| time.map(|time| match time {
            None => Settime4::ServerTime,
            Some((seconds, nseconds)) => Settime4::ClientTime(Nfstime4 { seconds, nseconds }),
        });
        let expected_time = |time: Option<Option<(i64, u32)>>| time.map(|time| match time {
            None => SetTime::Now,
            Some((seconds, nanos)) => SetTime::To(Timestamp { seconds, nanos }),
        });
        let string = |id: Option<u32>| id.map(|id| Bytes::from(id.to_string()));
        let attrs = Attrs {
            size,
            mode,
            owner: string(uid),
            owner_group: string(gid),
            time_access_set: settime(times[0]),
            time_modify_set: settime(times[1]),
            ..Attrs::default()
        };
        let mut fattr = attrs.to_fattr4();
        let words = [fattr.attrmask.words(), &vec![0; padding]].concat();
        fattr.attrmask = Bitmap4::from_words(&words);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (_fixture, cx) = runtime.block_on(context(0, ROOT, OpNum::Setattr));
        let expected = SetAttributes {
            size, mode, uid, gid, atime: expected_time(times[0]), mtime: expected_time(times[1]),
        };
        let (set, bits) = decode(&cx, &fattr).unwrap();
        prop_assert_eq!(set, expected);
        prop_assert_eq!(bits, attrs.mask());
        let (changes, new_mode, bits) = decode_changes(&cx, &fattr).unwrap();
        prop_assert_eq!(changes, SetAttributes { mode: None, ..expected });
        prop_assert_eq!(new_mode, mode.map(SettableMode::Whole));
        prop_assert_eq!(bits, attrs.mask());
    }
}

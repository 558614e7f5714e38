//! Filehandles, names, stateids and ranges that mean nothing.

use bytes::Bytes;
use futures::future::FutureExt;
use nfs4_protocol::nfs4::{
    Commit4Args, Create4Args, Createtype4, Fattr4, Lookup4Args, NfsArgop4, NfsFh4, NfsStat4, Putfh4Args, Read4Args,
    Readdir4Args, Rename4Args, Setattr4Args, StableHow4, Stateid4, Verifier4, Write4Args,
};

use crate::Result;
use crate::hostile::answer::{Allowed, Answer};
use crate::hostile::stage::Stage;
use crate::hostile::{About, Case, Cases};

const HANDLE: &[Allowed] = &[
    Allowed::Status(NfsStat4::Badhandle),
    Allowed::Status(NfsStat4::Stale),
    Allowed::Status(NfsStat4::Fhexpired),
    Allowed::Status(NfsStat4::Badxdr),
];
const NAME: &[Allowed] = &[
    Allowed::Status(NfsStat4::Inval),
    Allowed::Status(NfsStat4::Badname),
    Allowed::Status(NfsStat4::Badchar),
    Allowed::Status(NfsStat4::Nametoolong),
    Allowed::Status(NfsStat4::Noent),
    Allowed::Status(NfsStat4::Access),
];
const STATEID: &[Allowed] = &[
    Allowed::Status(NfsStat4::BadStateid),
    Allowed::Status(NfsStat4::StaleStateid),
    Allowed::Status(NfsStat4::Expired),
    Allowed::Status(NfsStat4::OldStateid),
];

pub(super) const CASES: Cases = Cases {
    name: "objects",
    cases: &[
        Case {
            name: "an empty filehandle",
            section: "RFC 8881 §18.19",
            requires: "BADHANDLE",
            about: About::All,
            allowed: HANDLE,
            play: |stage| handle(stage, Bytes::new()).boxed(),
        },
        Case {
            name: "128 made-up bytes",
            section: "RFC 8881 §18.19",
            requires: "BADHANDLE or STALE",
            about: About::All,
            allowed: HANDLE,
            play: |stage| handle(stage, Bytes::from_static(&[0xa5; 128])).boxed(),
        },
        Case {
            name: "a filehandle with one bit turned, each one in turn",
            section: "RFC 8881 §4.2.1",
            requires: "not a crash; mostly BADHANDLE or STALE",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| turned_bits(stage).boxed(),
        },
        Case {
            name: "a filehandle cut short, at each length",
            section: "RFC 8881 §18.19",
            requires: "BADHANDLE or STALE",
            about: About::All,
            allowed: &[Allowed::Found],
            play: |stage| cut_handles(stage).boxed(),
        },
        Case {
            name: "LOOKUP of nothing",
            section: "RFC 8881 §18.13.3",
            requires: "INVAL",
            about: About::All,
            allowed: NAME,
            play: |stage| lookup(stage, b"").boxed(),
        },
        Case {
            name: "LOOKUP of '..'",
            section: "RFC 8881 §18.13.4",
            requires: "BADNAME; the folder above is not reached by name",
            about: About::All,
            allowed: NAME,
            play: |stage| lookup(stage, b"..").boxed(),
        },
        Case {
            name: "LOOKUP of '../../../etc/passwd'",
            section: "RFC 8881 §18.13.4",
            requires: "an error: a name is one component",
            about: About::All,
            allowed: NAME,
            play: |stage| lookup(stage, b"../../../etc/passwd").boxed(),
        },
        Case {
            name: "LOOKUP of a name with NUL",
            section: "RFC 8881 §14.5",
            requires: "an error",
            about: About::All,
            allowed: NAME,
            play: |stage| lookup(stage, b"file\0").boxed(),
        },
        Case {
            name: "LOOKUP of 8 KiB",
            section: "RFC 8881 §18.13.3",
            requires: "NAMETOOLONG",
            about: About::All,
            allowed: NAME,
            play: |stage| lookup(stage, &[b'n'; 8192]).boxed(),
        },
        Case {
            name: "CREATE of a name that is not UTF-8",
            section: "RFC 8881 §14.5",
            requires: "INVAL, or it is made where names are bytes",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::Inval),
                Allowed::Status(NfsStat4::Badchar),
                Allowed::Status(NfsStat4::Badname),
                Allowed::Success,
            ],
            play: |stage| create(stage, b"\xff\xfe\xc0").boxed(),
        },
        Case {
            name: "CREATE of 'a/b'",
            section: "RFC 8881 §14.5",
            requires: "an error",
            about: About::All,
            allowed: NAME,
            play: |stage| create(stage, b"a/b").boxed(),
        },
        Case {
            name: "CREATE of '.'",
            section: "RFC 8881 §18.4.3",
            requires: "BADNAME",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::Badname),
                Allowed::Status(NfsStat4::Inval),
                Allowed::Status(NfsStat4::Exist),
            ],
            play: |stage| create(stage, b".").boxed(),
        },
        Case {
            name: "RENAME of the folder into itself",
            section: "RFC 8881 §18.26",
            requires: "an error",
            about: About::All,
            allowed: &[Allowed::AnyError],
            play: |stage| rename_into_itself(stage).boxed(),
        },
        Case {
            name: "READ with a stateid that was never given",
            section: "RFC 8881 §8.2.4",
            requires: "BAD_STATEID",
            about: About::All,
            allowed: STATEID,
            play: |stage| read(stage, Stateid4 { seqid: 1, other: [0x5a; 12] }, 0, 16).boxed(),
        },
        Case {
            name: "WRITE with a stateid that was never given",
            section: "RFC 8881 §8.2.4",
            requires: "BAD_STATEID",
            about: About::All,
            allowed: STATEID,
            play: |stage| write(stage, Stateid4 { seqid: 1, other: [0x5a; 12] }, 0).boxed(),
        },
        Case {
            name: "WRITE with the stateid that only READ may use",
            section: "RFC 8881 §8.2.3",
            requires: "BAD_STATEID, or as with the anonymous stateid",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::BadStateid),
                Allowed::Status(NfsStat4::Access),
                Allowed::Status(NfsStat4::Openmode),
                Allowed::Success,
            ],
            play: |stage| write(stage, Stateid4::READ_BYPASS, 0).boxed(),
        },
        Case {
            name: "READ of 4 GiB",
            section: "RFC 8881 §18.22.3",
            requires: "what there is",
            about: About::All,
            allowed: &[Allowed::Success, Allowed::Status(NfsStat4::RepTooBig)],
            play: |stage| read(stage, Stateid4::ANONYMOUS, 0, u32::MAX).boxed(),
        },
        Case {
            name: "READ at the end of all offsets",
            section: "RFC 8881 §18.22.3",
            requires: "nothing, with eof; or INVAL",
            about: About::All,
            allowed: &[Allowed::Success, Allowed::Status(NfsStat4::Inval), Allowed::Status(NfsStat4::Fbig)],
            play: |stage| read(stage, Stateid4::ANONYMOUS, u64::MAX, u32::MAX).boxed(),
        },
        Case {
            name: "WRITE beyond the end of all offsets",
            section: "RFC 8881 §18.32.3",
            requires: "INVAL or FBIG",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Inval), Allowed::Status(NfsStat4::Fbig)],
            play: |stage| write(stage, Stateid4::ANONYMOUS, u64::MAX - 1).boxed(),
        },
        Case {
            name: "COMMIT beyond the end of all offsets",
            section: "RFC 8881 §18.3.3",
            requires: "INVAL, or all is committed",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Inval), Allowed::Success],
            play: |stage| commit(stage).boxed(),
        },
        Case {
            name: "READDIR with no room",
            section: "RFC 8881 §18.23.3",
            requires: "TOOSMALL",
            about: About::All,
            allowed: &[Allowed::Status(NfsStat4::Toosmall)],
            play: |stage| readdir(stage, 0, 0).boxed(),
        },
        Case {
            name: "READDIR at a cookie that was never given",
            section: "RFC 8881 §18.23.3",
            requires: "BAD_COOKIE, or some rest of the list",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::BadCookie),
                Allowed::Status(NfsStat4::NotSame),
                Allowed::Status(NfsStat4::Inval),
                Allowed::Success,
            ],
            play: |stage| readdir(stage, 0x5a5a_5a5a_5a5a_5a5a, 4096).boxed(),
        },
        Case {
            name: "SETATTR of an attribute that does not exist",
            section: "RFC 8881 §18.30.3",
            requires: "ATTRNOTSUPP",
            about: About::All,
            allowed: &[
                Allowed::Status(NfsStat4::Attrnotsupp),
                Allowed::Status(NfsStat4::Badxdr),
                Allowed::Status(NfsStat4::Inval),
            ],
            play: |stage| unknown_attribute(stage).boxed(),
        },
    ],
};

async fn handle(stage: &Stage, bytes: Bytes) -> Result<Answer> {
    stage.ops(vec![NfsArgop4::Putfh(Putfh4Args { object: NfsFh4(bytes) }), NfsArgop4::Getfh]).await
}

/// PUTFH and LOOKUPP of each of these handles, in one session; what is no refusal of a handle is told.
async fn handles(stage: &Stage, handles: Vec<Bytes>, allowed: &[Allowed]) -> Result<Answer> {
    let mut talk = stage.talk().await?;
    let count = handles.len();
    for bytes in handles {
        let put = NfsArgop4::Putfh(Putfh4Args { object: NfsFh4(bytes.clone()) });
        let answer = crate::hostile::stage::ask(&mut talk, vec![put, NfsArgop4::Lookupp]).await;
        if !allowed.iter().any(|allowed| allowed.is(&answer)) {
            return Ok(Answer::Found(false, format!("{bytes:02x?}: {answer}")));
        }
    }
    talk.leave().await;
    Ok(Answer::Found(true, format!("{count} handles, each refused or harmless")))
}

async fn turned_bits(stage: &Stage) -> Result<Answer> {
    let original = stage.file.0.clone();
    let turned = (0..original.len() * 8).map(|bit| {
        let mut bytes = original.to_vec();
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        Bytes::from(bytes)
    });
    // A server need not protect its handles against forgery: another object, or a file where LOOKUPP wants a directory,
    // is the client's doing. What must not be is no answer.
    handles(stage, turned.collect(), &[Allowed::Success, Allowed::AnyError]).await
}

async fn cut_handles(stage: &Stage) -> Result<Answer> {
    let original = stage.folder.0.clone();
    let cut = (0..original.len()).map(|len| original.slice(..len));
    handles(stage, cut.collect(), HANDLE).await
}

async fn lookup(stage: &Stage, name: &[u8]) -> Result<Answer> {
    let objname = Bytes::copy_from_slice(name);
    stage.ops(vec![stage.at_folder(), NfsArgop4::Lookup(Lookup4Args { objname })]).await
}

async fn create(stage: &Stage, name: &[u8]) -> Result<Answer> {
    let objname = Bytes::copy_from_slice(name);
    let args = Create4Args { objtype: Createtype4::Dir, objname, createattrs: Fattr4::default() };
    stage.ops(vec![stage.at_folder(), NfsArgop4::Create(Box::new(args))]).await
}

async fn rename_into_itself(stage: &Stage) -> Result<Answer> {
    let client = stage.client().await?;
    let inner = client.mkdir(&stage.folder, "inner", 0o755).await?;
    let args = Rename4Args { oldname: Bytes::from_static(b"inner"), newname: Bytes::from_static(b"deeper") };
    let into = NfsArgop4::Putfh(Putfh4Args { object: inner });
    let answer = stage.ops(vec![stage.at_folder(), NfsArgop4::Savefh, into, NfsArgop4::Rename(args)]).await;
    client.remove(&stage.folder, "inner").await?;
    answer
}

async fn read(stage: &Stage, stateid: Stateid4, offset: u64, count: u32) -> Result<Answer> {
    stage.ops(vec![stage.at_file(), NfsArgop4::Read(Read4Args { stateid, offset, count })]).await
}

async fn write(stage: &Stage, stateid: Stateid4, offset: u64) -> Result<Answer> {
    // The same bytes as are there.
    let data = Bytes::from_static(&[0x5a; 16]);
    let args = Write4Args { stateid, offset, stable: StableHow4::Unstable, data };
    stage.ops(vec![stage.at_file(), NfsArgop4::Write(Box::new(args))]).await
}

async fn commit(stage: &Stage) -> Result<Answer> {
    let args = Commit4Args { offset: u64::MAX, count: u32::MAX };
    stage.ops(vec![stage.at_file(), NfsArgop4::Commit(args)]).await
}

async fn readdir(stage: &Stage, cookie: u64, maxcount: u32) -> Result<Answer> {
    let args = Readdir4Args {
        cookie,
        cookieverf: Verifier4::default(),
        dircount: maxcount,
        maxcount,
        attr_request: nfs4_protocol::nfs4::Bitmap4::new(),
    };
    stage.ops(vec![stage.at_folder(), NfsArgop4::Readdir(Box::new(args))]).await
}

async fn unknown_attribute(stage: &Stage) -> Result<Answer> {
    let attrmask = [500].into_iter().collect();
    let obj_attributes = Fattr4 { attrmask, attr_vals: Bytes::from_static(&[0; 8]) };
    let args = Setattr4Args { stateid: Stateid4::ANONYMOUS, obj_attributes };
    stage.ops(vec![stage.at_file(), NfsArgop4::Setattr(Box::new(args))]).await
}

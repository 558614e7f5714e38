//! Operations: EXCHANGE_ID, CREATE_SESSION, SEQUENCE

use conformance::Target::{Embedded, Remote};
use conformance::{Target, rfc};
use futures::future::join_all;
use nfs_client_sim::CompoundBuilder;
use nfs_client_sim::{OpenHow, OpenOwner};
use nfs4_protocol::nfs4::{CreateSession4Args, Createtype4, Fattr4, NfsStat4, OpenClaim4, Sequence4Args};
use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::newcomer::{Newcomer, behind, wish};

/// RFC 8881 §2.10.5, §2.10.3.1: session trunking. Several connections carry one session, each bound by its first SEQUENCE.
#[rstest]
fn several_connections_carry_one_session(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let mut connections = vec![session.client.clone()];
        for _ in 1..session.made.fore_chan_attrs.maxrequests {
            connections.push(session.client.over_another_connection().await);
        }
        for round in 1..4 {
            let requests = connections.iter().zip(0..).map(|(connection, slot)| {
                let name = format!("{round} {slot}");
                let make = scene.here().create(Createtype4::Dir, name, Fattr4::default());
                connection.call(behind(session.sequence(slot, round), &make))
            });
            for reply in join_all(requests).await {
                assert_eq!(reply.status(), NfsStat4::Ok);
            }
            connections.rotate_left(1);
        }
        assert_eq!(scene.client.names(&scene.root).await.unwrap().len(), 3 * connections.len());
    });
}

/// RFC 8881 §2.10.5: client ID trunking. What one session opened, another one of the same client uses.
#[rstest]
fn sessions_of_one_client_share_its_state(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await.ready().await;
        let elsewhere = session.client.over_another_connection().await;
        let wish = wish(&elsewhere.introduce().await);
        let wish = CreateSession4Args { sequence: session.made.sequence + 1, ..wish };
        let sessionid = elsewhere.create_session(wish).await.unwrap().sessionid;
        let owner = OpenOwner::new("owner");
        let open = scene.client.open_args(OpenClaim4::Null("file".into()), &owner, &OpenHow::create());
        let mut reply = session.run(&scene.here().open(open).getfh()).await;
        let (stateid, file) = (reply.open().unwrap().stateid, reply.getfh().unwrap());
        let close = CompoundBuilder::new().putfh(&file).read(stateid, 0, 1).close(0, stateid);
        let other = Sequence4Args { sessionid, ..session.sequence(0, 1) };
        assert_eq!(elsewhere.call(behind(other, &close)).await.status(), NfsStat4::Ok);
        let read = CompoundBuilder::new().putfh(&file).read(stateid, 0, 1);
        assert_eq!(session.run(&read).await.status(), NfsStat4::BadStateid);
    });
}

/// RFC 8881 §2.10.3: one connection carries sessions of several clients.
#[rstest]
fn one_connection_carries_several_clients(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let one = Newcomer::new(scene).await.session().await;
        let mut second = one.client.clone();
        second.owner.ownerid = [&second.owner.ownerid[..], b" second"].concat().into();
        let two = second.session().await;
        for round in 0..3 {
            for session in [&one, &two] {
                let reply = session.run(&scene.here()).await;
                assert_eq!(reply.status(), NfsStat4::Ok, "{round}");
            }
        }
        assert_eq!(one.client.destroy_session(two.made.sessionid).await, NfsStat4::Ok, "it is bound to both");
        assert_eq!(one.run(&scene.here()).await.status(), NfsStat4::Ok);
    });
}

/// RFC 8881 §2.10.10.1, §2.10.6.2: a session outlives its connections, and a retry after the loss gets its reply.
#[rstest]
fn a_session_outlives_its_connection(#[values(Embedded, Remote)] target: Target, #[values(1, 2)] minor: u32) {
    rfc(target, minor, async |scene| {
        let session = Newcomer::new(scene).await.session().await;
        let make = scene.here().create(Createtype4::Dir, "once", Fattr4::default());
        let (first, sequence, elsewhere) = {
            let sequence = session.next();
            let first = session.send(sequence, &make).await;
            (first, sequence, session.client.over_another_connection().await)
        };
        drop(session);
        let retry = elsewhere.call(behind(sequence, &make)).await;
        assert_eq!(retry.results(), first.results());
        assert_eq!(retry.status(), NfsStat4::Ok);
    });
}

//! From arguments to the function of the operation, and from its outcome to the result.

use nfs4_protocol::nfs4::{NfsArgop4, NfsResop4, NfsStat4, OpNum};

use super::context::{CompoundContext, Outcome};
use super::{clientid, directory, filehandle, getattr, io, lock, open, readdir, secinfo, session};

/// Runs one operation that the table admits.
pub(super) async fn run(cx: &mut CompoundContext, op: NfsArgop4) -> NfsResop4 {
    use NfsArgop4 as A;
    use NfsResop4 as R;

    macro_rules! result {
        ($op:ident, $outcome:expr) => {{
            let outcome = $outcome;
            R::$op(settle(cx, outcome))
        }};
    }
    match op {
        A::Putfh(args) => result!(Putfh, filehandle::putfh(cx, args).await),
        A::Putpubfh => result!(Putpubfh, filehandle::putpubfh(cx).await),
        A::Putrootfh => result!(Putrootfh, filehandle::putrootfh(cx).await),
        A::Getfh => result!(Getfh, filehandle::getfh(cx).await),
        A::Savefh => result!(Savefh, filehandle::savefh(cx).await),
        A::Restorefh => result!(Restorefh, filehandle::restorefh(cx).await),
        A::Lookup(args) => result!(Lookup, filehandle::lookup(cx, args).await),
        A::Lookupp => result!(Lookupp, filehandle::lookupp(cx).await),

        A::Access(args) => result!(Access, getattr::access(cx, args).await),
        A::Getattr(args) => result!(Getattr, getattr::getattr(cx, args).await),
        A::Setattr(args) => R::Setattr(getattr::setattr(cx, *args).await),
        A::Verify(args) => result!(Verify, getattr::verify(cx, args).await),
        A::Nverify(args) => result!(Nverify, getattr::nverify(cx, args).await),

        A::Create(args) => result!(Create, directory::create(cx, *args).await),
        A::Remove(args) => result!(Remove, directory::remove(cx, args).await),
        A::Rename(args) => result!(Rename, directory::rename(cx, args).await),
        A::Readdir(args) => result!(Readdir, readdir::readdir(cx, *args).await),
        A::Readlink => result!(Readlink, directory::readlink(cx).await),

        A::Read(args) => result!(Read, io::read(cx, args).await),
        A::Write(args) => result!(Write, io::write(cx, *args).await),
        A::Commit(args) => result!(Commit, io::commit(cx, args).await),
        A::IoAdvise(args) => result!(IoAdvise, io::io_advise(cx, args).await),

        A::Open(args) => {
            let outcome = open::open(cx, *args).await;
            R::Open(Box::new(settle(cx, outcome)))
        }
        A::OpenConfirm(args) => result!(OpenConfirm, open::open_confirm(cx, args)),
        A::OpenDowngrade(args) => result!(OpenDowngrade, open::open_downgrade(cx, args)),
        A::Close(args) => result!(Close, open::close(cx, args)),

        A::Lock(args) => R::Lock(Box::new(lock::lock(cx, *args))),
        A::Lockt(args) => R::Lockt(Box::new(lock::lockt(cx, *args))),
        A::Locku(args) => result!(Locku, lock::locku(cx, args)),

        A::Secinfo(args) => result!(Secinfo, secinfo::secinfo(cx, args).await),
        A::SecinfoNoName(style) => result!(SecinfoNoName, secinfo::secinfo_no_name(cx, style).await),

        other => run_on_clients(cx, other),
    }
}

/// The operations on clients and sessions, which wait for nothing.
fn run_on_clients(cx: &mut CompoundContext, op: NfsArgop4) -> NfsResop4 {
    use NfsArgop4 as A;
    use NfsResop4 as R;

    match op {
        A::Setclientid(args) => R::Setclientid(Box::new(clientid::setclientid(cx, *args))),
        A::SetclientidConfirm(args) => R::SetclientidConfirm(clientid::setclientid_confirm(cx, args)),
        A::Renew(args) => R::Renew(clientid::renew(cx, args)),
        A::ReleaseLockowner(args) => R::ReleaseLockowner(clientid::release_lockowner(cx, args)),

        A::ExchangeId(args) => R::ExchangeId(Box::new(session::exchange_id(cx, *args))),
        A::CreateSession(args) => R::CreateSession(Box::new(session::create_session(cx, *args))),
        A::BindConnToSession(args) => R::BindConnToSession(session::bind_conn_to_session(cx, *args)),
        A::BackchannelCtl(args) => R::BackchannelCtl(session::backchannel_ctl(cx, *args)),
        A::SetSsv(_) => R::SetSsv(Box::new(session::set_ssv(cx))),
        A::DestroySession(args) => R::DestroySession(session::destroy_session(cx, args)),
        A::DestroyClientid(args) => R::DestroyClientid(session::destroy_clientid(cx, args)),
        A::ReclaimComplete(args) => R::ReclaimComplete(session::reclaim_complete(cx, args)),
        A::TestStateid(args) => R::TestStateid(session::test_stateid(cx, &args)),
        A::FreeStateid(args) => R::FreeStateid(session::free_stateid(cx, args)),

        // The table lets nothing else through.
        other => failed(other.opnum()),
    }
}

fn failed(op: OpNum) -> NfsResop4 {
    NfsResop4::failed(op, NfsStat4::Notsupp)
}

/// The result for an outcome.
fn settle<T>(cx: &CompoundContext, outcome: Outcome<T>) -> Result<T, NfsStat4> {
    outcome.map_err(|failure| cx.status(failure))
}

//! A recorded compound as it must be sent now, and its result as the server of the recording would have written it.

use std::collections::HashSet;

use nfs4_protocol::nfs4::{
    Compound4Args, NfsArgop4, NfsFh4, NfsResop4, OPEN4_RESULT_CONFIRM, Open4Resok, OpenConfirm4Args, Putfh4Args,
    Stateid4,
};

use super::handles::{current_handles, handle_of};
use super::mount::{Mount, as_asked};
use super::numbers::{Counted, Numbers};
use super::pairs::{Pairs, Value};

/// All that a replay has learned about both servers.
#[derive(Debug)]
pub(super) struct Substitution {
    pairs: Pairs,
    numbers: Numbers,
    mount: Mount,
    /// Opens of the recording that had to be confirmed then and need not be now.
    confirmed: HashSet<[u8; 12]>,
}

/// A recorded compound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) args: &'a Compound4Args,
    /// None when the reply is missing.
    pub(super) results: &'a [NfsResop4],
}

/// An OPEN_CONFIRM that the server of now asks for and the recording does not have.
#[derive(Debug)]
pub(super) struct Confirmation {
    /// The operations.
    pub(super) ops: Vec<NfsArgop4>,
    /// The stateid of the open in the recording.
    then: Stateid4,
}

impl<'a> Recorded<'a> {
    fn counted(self) -> Counted<'a> {
        Counted { ops: &self.args.argarray, results: self.results }
    }
}

impl Substitution {
    pub(super) fn new(pairs: Pairs, mount: Mount) -> Self {
        Self { pairs, numbers: Numbers::default(), mount, confirmed: HashSet::new() }
    }

    /// The compound as it must be sent now.
    pub(super) fn prepare(&mut self, recorded: Recorded<'_>) -> Compound4Args {
        let mut sent = recorded.args.clone();
        // The numbers are kept by the identities of the recording, so they come first.
        self.numbers.to_now(&mut sent.argarray, sent.minorversion);
        let handles = directories(recorded);
        for (op, directory) in sent.argarray.iter_mut().zip(&handles) {
            self.pairs.to_now(op, directory.as_ref());
        }
        self.mount.redirect(&recorded.args.argarray, recorded.results, &mut sent.argarray);
        sent
    }

    /// Learns from a reply, and writes it as the server of the recording would have.
    pub(super) fn settle(&mut self, recorded: Recorded<'_>, sent: &Compound4Args, results: &mut [NfsResop4]) {
        as_asked(&recorded.args.argarray, results);
        let now = Counted { ops: &sent.argarray, results };
        self.numbers.settle(sent.minorversion, recorded.counted(), now);
        let handles = directories(recorded);
        for ((then, now), directory) in recorded.results.iter().zip(results.iter()).zip(&handles) {
            self.pairs.learn(then, now, directory.as_ref());
            self.learn_confirmation(then, now);
        }
        for ((op, sent), result) in recorded.args.argarray.iter().zip(&sent.argarray).zip(results) {
            self.pairs.to_then(result);
            numbers_to_then(op, sent, result);
        }
    }

    /// Learns from a try that was not recorded.
    pub(super) fn settle_extra(&mut self, recorded: Recorded<'_>, results: &[NfsResop4]) {
        let tried = Counted { ops: &recorded.args.argarray, results };
        self.numbers.settle_extra(recorded.args.minorversion, tried);
    }

    /// Learns that a recorded compound is not sent.
    pub(super) fn leave_out(&mut self, recorded: Recorded<'_>) {
        self.numbers.leave_out(recorded.args.minorversion, recorded.counted());
        for (op, result) in recorded.args.argarray.iter().zip(recorded.results) {
            // The stateid that was confirmed is the one that needed no confirmation.
            if let (NfsArgop4::OpenConfirm(args), NfsResop4::OpenConfirm(Ok(confirmed))) = (op, result)
                && let Some(now) = self.pairs.now_for(Value::Stateid(args.open_stateid), None)
            {
                self.pairs.pair(Value::Stateid(confirmed.open_stateid), now, None);
            }
        }
    }

    /// Whether the compound is a confirmation that the server of now did not ask for.
    pub(super) fn needs_no_confirmation(&self, args: &Compound4Args) -> bool {
        args.argarray.iter().any(|op| match op {
            NfsArgop4::OpenConfirm(args) => self.confirmed.contains(&args.open_stateid.other),
            _ => false,
        })
    }

    fn learn_confirmation(&mut self, then: &NfsResop4, now: &NfsResop4) {
        let (Some(then), Some(now)) = (opened(then), opened(now)) else { return };
        if asks(then) && !asks(now) {
            self.confirmed.insert(then.stateid.other);
        } else {
            self.confirmed.remove(&then.stateid.other);
        }
    }

    /// The confirmation that the server of now asks for beyond the recording, with `results` as they came now. None
    /// either when the replies do not tell the file's handle.
    pub(super) fn confirmation(
        &self,
        recorded: Recorded<'_>,
        sent: &Compound4Args,
        results: &[NfsResop4],
    ) -> Option<Confirmation> {
        let (at, then, now) = recorded.results.iter().zip(results).enumerate().find_map(|(at, (then, now))| {
            let (then, now) = (opened(then)?, opened(now)?);
            (asks(now) && !asks(then)).then_some((at, then.stateid, now.stateid))
        })?;
        let behind = sent.argarray.iter().zip(results).skip(at + 1);
        let handle = behind.take_while(|(op, _)| stays(op)).find_map(|(_, result)| handle_of(result))?;
        let seqid = self.numbers.next_of_open(&then)?;
        let confirm = NfsArgop4::OpenConfirm(OpenConfirm4Args { open_stateid: now, seqid });
        Some(Confirmation { ops: vec![NfsArgop4::Putfh(Putfh4Args { object: handle }), confirm], then })
    }

    /// The open is confirmed: this stateid stands for it from now on.
    pub(super) fn confirmed(&mut self, confirmation: &Confirmation, stateid: Stateid4) {
        self.numbers.one_more_of_open(&confirmation.then);
        self.pairs.pair(Value::Stateid(confirmation.then), Value::Stateid(stateid), None);
    }
}

/// The current filehandle before each operation in the recording, also of those that were not reached.
fn directories(recorded: Recorded<'_>) -> Vec<Option<NfsFh4>> {
    let mut handles = current_handles(&recorded.args.argarray, recorded.results);
    handles.resize(recorded.args.argarray.len(), None);
    handles
}

/// Whether the current filehandle is still the same afterwards, as far as clients go on after an OPEN.
const fn stays(op: &NfsArgop4) -> bool {
    !matches!(op, NfsArgop4::Restorefh | NfsArgop4::Putfh(_) | NfsArgop4::Putrootfh | NfsArgop4::Lookup(_))
}

fn opened(result: &NfsResop4) -> Option<&Open4Resok> {
    match result {
        NfsResop4::Open(result) => result.as_ref().as_ref().ok(),
        _ => None,
    }
}

const fn asks(opened: &Open4Resok) -> bool {
    opened.rflags & OPEN4_RESULT_CONFIRM != 0
}

/// Results repeat the numbers of their requests.
fn numbers_to_then(recorded: &NfsArgop4, sent: &NfsArgop4, result: &mut NfsResop4) {
    match (recorded, sent, result) {
        (NfsArgop4::Sequence(then), NfsArgop4::Sequence(sent), NfsResop4::Sequence(Ok(body)))
            if body.sequenceid == sent.sequenceid =>
        {
            body.sequenceid = then.sequenceid;
        }
        (NfsArgop4::CreateSession(then), NfsArgop4::CreateSession(sent), NfsResop4::CreateSession(result)) => {
            if let Ok(body) = result.as_mut()
                && body.sequence == sent.sequence
            {
                body.sequence = then.sequence;
            }
        }
        _ => {}
    }
}

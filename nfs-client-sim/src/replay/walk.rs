//! The way through the events of a trace.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nfs4_protocol::nfs4::{Compound4Args, NfsArgop4, NfsResop4, NfsStat4};
use nfs4_protocol::rpc::AUTH_TLS;

use super::compare::Comparison;
use super::report::{Difference, DifferenceKind, Exchange, LeftOut, Outcome, Report};
use super::substitution::{Recorded, Substitution};
use super::wire::{Connections, Sent};
use super::{Order, ReplayError, ReplayOptions, Restart};
use crate::Error;
use crate::trace::{self, Arguments, Reply, Results, Side, Trace, What};

/// The pauses between tries, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A replay under way.
pub(super) struct Walk<'a> {
    trace: &'a Trace,
    options: ReplayOptions,
    connections: Connections,
    /// The calls of the client.
    exchanges: Vec<trace::Exchange>,
    substitution: Substitution,
    comparison: Comparison,
    /// By index into `exchanges`: what was sent, and the call.
    flying: HashMap<usize, (Arguments, Sent)>,
    report: Report,
}

/// What an event means for a replay.
#[derive(Clone, Copy)]
enum Step {
    Call(usize),
    Reply(usize),
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        trace: &'a Trace,
        server: SocketAddr,
        options: ReplayOptions,
        substitution: Substitution,
    ) -> Self {
        let all = trace.exchanges();
        let of_client = |exchange: &trace::Exchange| exchange.caller == Side::Client;
        let callbacks = all.iter().filter(|exchange| !of_client(exchange)).count();
        Self {
            trace,
            options,
            connections: Connections::new(server, options.reply_wait),
            exchanges: all.into_iter().filter(of_client).collect(),
            substitution,
            comparison: Comparison::default(),
            flying: HashMap::new(),
            report: Report { exchanges: Vec::new(), restarts: 0, restarts_passed_over: 0, callbacks },
        }
    }

    pub(super) async fn run(mut self, mut restart: Option<&mut dyn Restart>) -> Result<Report, ReplayError> {
        let steps = self.steps();
        for (at, event) in self.trace.events.iter().enumerate() {
            match (&event.what, steps.get(&at)) {
                (_, Some(Step::Call(index))) => self.call(*index).await?,
                (_, Some(Step::Reply(index))) => self.reply(*index).await?,
                (What::Closed { .. }, _) => self.connections.close(event.connection),
                (What::Restarted, _) => match &mut restart {
                    Some(restart) => {
                        restart.restart().await.map_err(ReplayError::Restart)?;
                        self.report.restarts += 1;
                    }
                    None => self.report.restarts_passed_over += 1,
                },
                (What::Opened | What::Message { .. } | What::Gap { .. }, None) => {}
            }
        }
        self.report.exchanges.sort_by_key(|exchange| exchange.number);
        Ok(self.report)
    }

    /// What the events are, by their indices.
    fn steps(&self) -> HashMap<usize, Step> {
        let calls = self.exchanges.iter().enumerate().map(|(index, exchange)| (exchange.call_at, Step::Call(index)));
        let replies = self.exchanges.iter().enumerate();
        let replies = replies.filter_map(|(index, one)| Some((one.reply.as_ref()?.0, Step::Reply(index))));
        calls.chain(replies).collect()
    }

    /// Sends a call, unless it is left out or its turn is later.
    async fn call(&mut self, index: usize) -> Result<(), ReplayError> {
        let Some(exchange) = self.exchanges.get(index) else { return Ok(()) };
        if let Some(why) = self.reason_to_leave_out(exchange) {
            if let (Arguments::Compound(args), true) = (&exchange.call.arguments, exchange.reply.is_some()) {
                self.substitution.leave_out(Recorded { args, results: results_of(exchange) });
            }
            self.note(index, Outcome::LeftOut(why), 0, None);
            return Ok(());
        }
        match exchange.reply {
            None => {
                let reply = self.exchange(index).await?;
                self.settle(index, reply).await
            }
            Some(_) if self.options.order == Order::InTurn => Ok(()),
            Some(_) => {
                let sent = self.send(index).await?;
                self.flying.insert(index, sent);
                Ok(())
            }
        }
    }

    /// Waits for the reply of a call, and sends it now if it was not sent before.
    async fn reply(&mut self, index: usize) -> Result<(), ReplayError> {
        if self.is_left_out(index) {
            return Ok(());
        }
        let reply = self.exchange(index).await?;
        self.settle(index, reply).await
    }

    fn is_left_out(&self, index: usize) -> bool {
        self.report.exchanges.iter().rev().any(|exchange| exchange.number == index + 1)
    }

    fn reason_to_leave_out(&self, exchange: &trace::Exchange) -> Option<LeftOut> {
        if exchange.call.header.cred.flavor == AUTH_TLS {
            return Some(LeftOut::Tls);
        }
        let Some((_, reply)) = &exchange.reply else {
            return (!self.may_be_missing(exchange)).then_some(LeftOut::Unanswered);
        };
        if comes_back_later(reply) {
            return Some(LeftOut::ComeBackLater);
        }
        match &exchange.call.arguments {
            Arguments::Compound(args) if self.substitution.needs_no_confirmation(args) => Some(LeftOut::NoConfirmation),
            _ => None,
        }
    }

    /// Whether the reply may have come in a gap of the trace.
    fn may_be_missing(&self, exchange: &trace::Exchange) -> bool {
        let later = self.trace.events.iter().skip(exchange.call_at);
        later
            .filter(|event| event.connection == exchange.connection)
            .any(|event| matches!(event.what, What::Gap { .. }))
    }

    async fn send(&mut self, index: usize) -> Result<(Arguments, Sent), ReplayError> {
        let exchange = self.exchanges.get(index).ok_or_else(|| Error::Lost("the walk is over".to_owned()))?;
        let arguments = match &exchange.call.arguments {
            Arguments::Compound(args) => {
                Arguments::Compound(self.substitution.prepare(Recorded { args, results: results_of(exchange) }))
            }
            other => other.clone(),
        };
        let header = &exchange.call.header;
        let sent = self.connections.send(exchange.connection, header, arguments.clone()).await?;
        Ok((arguments, sent))
    }

    /// Sends a call, if it was not sent before, until there is a reply that is not "come back later", or patience ends.
    async fn exchange(&mut self, index: usize) -> Result<Finished, ReplayError> {
        let patient_until = Instant::now() + self.options.patience;
        let (mut pause, longest) = PAUSE;
        let mut tries = 0;
        let mut was_lost = false;
        loop {
            let (arguments, sent) = match self.flying.remove(&index) {
                Some(flying) => flying,
                None => self.send(index).await?,
            };
            tries += 1;
            let outcome = sent.outcome().await;
            let number = self.exchanges.get(index).map_or(0, |exchange| exchange.connection);
            match &outcome {
                // As clients do: over a new connection, once more.
                Err(Error::Lost(_)) if !was_lost => {
                    was_lost = true;
                    self.connections.close(number);
                }
                Ok(reply) if comes_back_later(reply) && Instant::now() < patient_until => {
                    self.settle_extra(index, reply);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
                _ => return Ok(Finished { arguments, outcome, tries }),
            }
        }
    }

    fn settle_extra(&mut self, index: usize, reply: &Reply) {
        let call = self.exchanges.get(index).map(|exchange| (&exchange.call.arguments, results_of(exchange)));
        if let (Some((Arguments::Compound(args), results)), Results::Compound(now)) = (call, &reply.results) {
            self.substitution.settle_extra(Recorded { args, results }, &now.resarray);
        }
    }

    /// Learns from a reply and compares it.
    async fn settle(&mut self, index: usize, finished: Finished) -> Result<(), ReplayError> {
        let Finished { arguments, outcome, tries } = finished;
        let Some(exchange) = self.exchanges.get(index) else { return Ok(()) };
        let compared = if exchange.reply.is_some() { Outcome::Compared } else { Outcome::NotCompared };
        let mut reply = match outcome {
            Ok(reply) => reply,
            Err(error) => {
                self.note(index, compared, tries, None);
                self.note_failure(&error);
                return Ok(());
            }
        };
        let mut confirmation = None;
        if let (Arguments::Compound(args), Arguments::Compound(sent), Results::Compound(res)) =
            (&exchange.call.arguments, &arguments, &mut reply.results)
        {
            let recorded = Recorded { args, results: results_of(exchange) };
            let as_sent = res.resarray.clone();
            self.substitution.settle(recorded, sent, &mut res.resarray);
            confirmation = self.substitution.confirmation(recorded, sent, &as_sent);
        }
        self.note(index, compared, tries, Some(&reply));
        match confirmation {
            Some(confirmation) => self.confirm(index, confirmation).await,
            None => Ok(()),
        }
    }

    /// Confirms an open that was not to be confirmed then.
    async fn confirm(
        &mut self,
        index: usize,
        confirmation: super::substitution::Confirmation,
    ) -> Result<(), ReplayError> {
        let Some(exchange) = self.exchanges.get(index) else { return Ok(()) };
        let args = Compound4Args { tag: bytes::Bytes::new(), minorversion: 0, argarray: confirmation.ops.clone() };
        let header = &exchange.call.header;
        let sent = self.connections.send(exchange.connection, header, Arguments::Compound(args)).await?;
        if let Results::Compound(res) = sent.outcome().await?.results
            && let Some(NfsResop4::OpenConfirm(Ok(confirmed))) = res.resarray.last()
        {
            self.substitution.confirmed(&confirmation, confirmed.open_stateid);
        }
        Ok(())
    }

    /// Adds an exchange to the report.
    fn note(&mut self, index: usize, outcome: Outcome, tries: u32, reply: Option<&Reply>) {
        let Some(exchange) = self.exchanges.get(index) else { return };
        let ops: &[NfsArgop4] = match &exchange.call.arguments {
            Arguments::Compound(args) => &args.argarray,
            _ => &[],
        };
        let operations = self.comparison.operations(ops);
        let recorded = exchange.reply.as_ref().map(|(_, reply)| reply);
        let compared = reply.map(|reply| self.comparison.compare(ops, recorded, reply));
        let (results, differences) =
            compared.map(|compared| (compared.results, compared.differences)).unwrap_or_default();
        self.report.exchanges.push(Exchange {
            number: index + 1,
            connection: exchange.connection,
            call: exchange.call.title(),
            operations,
            outcome,
            tries,
            results,
            differences,
        });
    }

    /// The last exchange of the report had no reply.
    fn note_failure(&mut self, error: &Error) {
        if let Some(exchange) = self.report.exchanges.last_mut() {
            exchange.results.push(error.to_string());
            exchange.differences.push(Difference {
                kind: DifferenceKind::Status,
                operation: "RPC".to_owned(),
                recorded: "a reply".to_owned(),
                now: error.to_string(),
                reason: None,
            });
        }
    }
}

/// A call with its outcome.
struct Finished {
    arguments: Arguments,
    outcome: crate::Result<Reply>,
    tries: u32,
}

/// The recorded results of a compound.
fn results_of(exchange: &trace::Exchange) -> &[NfsResop4] {
    match &exchange.reply {
        Some((_, Reply { results: Results::Compound(res), .. })) => &res.resarray,
        _ => &[],
    }
}

/// Whether the server asked to send the call again.
fn comes_back_later(reply: &Reply) -> bool {
    match &reply.results {
        Results::Compound(res) => matches!(res.status, NfsStat4::Delay | NfsStat4::Grace),
        _ => false,
    }
}

//! Which connections carry which channels of which sessions (RFC 8881 §2.10.3, §18.34).

use std::collections::HashMap;

use nfs4_protocol::nfs4::{ChannelDirFromClient4, ChannelDirFromServer4, NfsStat4, Sessionid4};

use super::State;
use super::client::ClientKind;
use super::identity::ConnectionId;

/// A connection of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) connection: ConnectionId,
    pub(super) fore: bool,
    pub(super) back: bool,
}

impl Binding {
    fn direction(self) -> ChannelDirFromServer4 {
        match (self.fore, self.back) {
            (true, true) => ChannelDirFromServer4::Both,
            (false, true) => ChannelDirFromServer4::Back,
            _ => ChannelDirFromServer4::Fore,
        }
    }
}

/// The sessions of each connection.
#[derive(Debug, Default)]
pub(super) struct Connections {
    sessions: HashMap<ConnectionId, Vec<Sessionid4>>,
}

impl Connections {
    fn add(&mut self, connection: ConnectionId, session: Sessionid4) {
        self.sessions.entry(connection).or_default().push(session);
    }

    pub(super) fn remove(&mut self, connection: ConnectionId, session: &Sessionid4) {
        if let Some(sessions) = self.sessions.get_mut(&connection) {
            sessions.retain(|bound| bound != session);
            if sessions.is_empty() {
                self.sessions.remove(&connection);
            }
        }
    }
}

impl<P> State<P> {
    /// BIND_CONN_TO_SESSION. A connection that is bound to the fore channel may gain the back channel where the client
    /// leaves the choice: Linux does so for connections that a SEQUENCE has bound.
    ///
    /// Errors: BADSESSION; INVAL when a bound connection is asked to change its channels.
    pub fn bind_conn_to_session(
        &mut self,
        sessionid: &Sessionid4,
        direction: ChannelDirFromClient4,
        connection: ConnectionId,
    ) -> Result<ChannelDirFromServer4, NfsStat4> {
        let (fore, back) = match direction {
            ChannelDirFromClient4::Fore => (true, false),
            ChannelDirFromClient4::Back => (false, true),
            ChannelDirFromClient4::ForeOrBoth | ChannelDirFromClient4::BackOrBoth => (true, true),
        };
        let session = self.sessions.get_mut(sessionid).ok_or(NfsStat4::Badsession)?;
        let wanted = Binding { connection, fore, back };
        match session.bindings.iter_mut().find(|binding| binding.connection == connection) {
            Some(binding) if *binding == wanted => {}
            Some(binding) if direction == ChannelDirFromClient4::ForeOrBoth && binding.fore => binding.back = true,
            Some(binding) if direction == ChannelDirFromClient4::BackOrBoth && binding.back => binding.fore = true,
            Some(_) => return Err(NfsStat4::Inval),
            None => self.bind(sessionid, wanted),
        }
        Ok(wanted.direction())
    }

    /// Binds a connection that is not bound to the session yet. At the limit the oldest binding goes.
    pub(super) fn bind(&mut self, sessionid: &Sessionid4, binding: Binding) {
        let limit = self.config.limits.connections_per_session;
        let Some(session) = self.sessions.get_mut(sessionid) else { return };
        if session.bindings.len() >= limit && !session.bindings.is_empty() {
            let oldest = session.bindings.remove(0);
            self.connections.remove(oldest.connection, sessionid);
        }
        session.bindings.push(binding);
        self.connections.add(binding.connection, *sessionid);
    }

    /// SEQUENCE binds an unbound connection to the fore channel, as there is no state protection but SP4_NONE
    /// (RFC 8881 §2.10.3.1); never to the back channel, which would break Linux's `nconnect`.
    pub(super) fn bind_fore(&mut self, sessionid: &Sessionid4, connection: ConnectionId) {
        let is_bound = self.is_bound(sessionid, connection);
        if !is_bound {
            self.bind(sessionid, Binding { connection, fore: true, back: false });
        }
    }

    /// Whether the connection is bound to the session, by whatever channel.
    pub(super) fn is_bound(&self, sessionid: &Sessionid4, connection: ConnectionId) -> bool {
        let session = self.sessions.get(sessionid);
        session.is_some_and(|session| session.bindings.iter().any(|binding| binding.connection == connection))
    }

    /// A connection is gone. Its sessions live on, for the client to come back over another one.
    pub fn connection_lost(&mut self, connection: ConnectionId) {
        for sessionid in self.connections.sessions.remove(&connection).unwrap_or_default() {
            if let Some(session) = self.sessions.get_mut(&sessionid) {
                session.bindings.retain(|binding| binding.connection != connection);
            }
        }
    }

    /// Takes a session out of all tables but its client's list.
    pub(super) fn drop_session(&mut self, sessionid: &Sessionid4) {
        let Some(session) = self.sessions.remove(sessionid) else { return };
        for binding in session.bindings {
            self.connections.remove(binding.connection, sessionid);
        }
    }

    /// DESTROY_SESSION (RFC 8881 §18.37). Requests that are still running end without a kept reply.
    /// Errors: BADSESSION; CONN_NOT_BOUND_TO_SESSION when the request came over a connection of another session.
    pub fn destroy_session(&mut self, sessionid: &Sessionid4, connection: ConnectionId) -> Result<(), NfsStat4> {
        let clientid = self.sessions.get(sessionid).ok_or(NfsStat4::Badsession)?.clientid;
        if !self.is_bound(sessionid, connection) {
            return Err(NfsStat4::ConnNotBoundToSession);
        }
        self.drop_session(sessionid);
        if let Some(ClientKind::V41 { sessions, .. }) = self.clients.kind_mut(clientid) {
            sessions.retain(|session| session != sessionid);
        }
        Ok(())
    }
}

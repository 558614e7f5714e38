//! Listening sockets, and the loop that takes connections from them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use super::{Server, connection};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long accepting pauses after an error, at first and at most: with no file descriptor left, trying again at once
/// would only burn the processor.
const BACK_OFF_MIN: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// When an idle connection is probed, so that one whose client is gone does not stay for ever.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Opens listening sockets for all `addresses`. `[::]` takes IPv4 as well, unless `0.0.0.0` is listed with the same port.
/// To be called within a runtime of tokio.
///
/// # Errors
/// With the address that cannot be had.
pub fn bind(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    addresses
        .iter()
        .map(|address| {
            let has_ipv4 = addresses
                .iter()
                .any(|other| other.is_ipv4() && other.ip().is_unspecified() && other.port() == address.port());
            bind_one(*address, has_ipv4)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
        })
        .collect()
}

fn bind_one(address: SocketAddr, ipv6_only: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(ipv6_only)?;
    }
    // A restart must not wait for the connections of the process before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections until the server stops. There is room for a connection before it is accepted.
pub(super) async fn accept(server: Arc<Server>, listener: TcpListener) {
    let shutdown = server.shutdown.clone();
    let mut back_off = BACK_OFF_MIN;
    loop {
        let vacancy = Arc::clone(&server.vacancies).acquire_owned();
        let Some(Ok(vacancy)) = shutdown.run_until_cancelled(vacancy).await else { return };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else { return };
        match accepted {
            Ok((stream, peer)) => {
                back_off = BACK_OFF_MIN;
                let id = server.new_connection();
                tracing::debug!(connection = id.0, %peer, "accepted");
                prepare(&stream);
                let serving = Arc::clone(&server);
                server.tasks.spawn(async move {
                    let (reader, writer) = stream.into_split();
                    connection::serve(&serving, id, reader, writer).await;
                    drop(vacancy);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                if shutdown.run_until_cancelled(tokio::time::sleep(back_off)).await.is_none() {
                    return;
                }
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// Replies go out at once, and a client that vanished is noticed.
fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    let prepared = stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = prepared {
        tracing::debug!(%error, "a connection goes on without its options");
    }
}

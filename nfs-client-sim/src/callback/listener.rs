//! The 4.0 callback service: the server connects to the client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nfs4_protocol::nfs4::Netaddr4;
use nfs4_protocol::rpc::{RecordReader, RpcBody, RpcMsg, frame};
use nfs4_protocol::xdr::{Decode, Decoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use super::Service;
use crate::net::{Incoming, Outgoing};
use crate::{Error, Result};

/// The largest CB_COMPOUND that is taken, in bytes.
const CALLBACK_BYTES_MAX: usize = 1 << 20;
/// The most connections at a time. Servers use one.
const CONNECTIONS_MAX: usize = 16;
/// The pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens as long as it lives.
#[derive(Debug)]
pub(crate) struct Listener {
    addr: SocketAddr,
    _accepting: AbortOnDropHandle<()>,
}

impl Listener {
    pub(crate) async fn open(addr: SocketAddr, service: Arc<Service>) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Listen { addr: addr.to_string(), reason: error.to_string() };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, service)));
        Ok(Self { addr, _accepting: accepting })
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// The universal address of RFC 5665 §5.2.3.3 and §5.2.3.4: the port's two bytes follow the address.
pub(crate) fn universal_address(addr: SocketAddr) -> Netaddr4 {
    let [high, low] = addr.port().to_be_bytes();
    let netid: &'static str = if addr.is_ipv4() { "tcp" } else { "tcp6" };
    Netaddr4 { netid: netid.into(), addr: format!("{}.{high}.{low}", addr.ip()).into() }
}

async fn accept(listener: TcpListener, service: Arc<Service>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Dropping the set ends the connections with the listener.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = Arc::clone(&service);
                connections.spawn(async move {
                    serve(stream, &service).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a callback connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers calls until the server closes the connection or sends what is none.
async fn serve(mut stream: TcpStream, service: &Service) {
    let mut records = RecordReader::new(CALLBACK_BYTES_MAX);
    while stream.read_buf(records.buffer()).await.is_ok_and(|read| read > 0) {
        loop {
            let record = match records.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(_) => return,
            };
            let mut d = Decoder::new(record);
            let Ok(RpcMsg { xid, body: RpcBody::Call(call) }) = RpcMsg::decode(&mut d) else { return };
            let reply = frame(service.answer(xid, &call, d));
            if stream.write_all_buf(&mut Outgoing::new(reply)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn universal_addresses_end_with_the_port() {
        let text = |addr: &str| {
            let Netaddr4 { netid, addr } = universal_address(addr.parse().unwrap());
            (String::from_utf8(netid.into()).unwrap(), String::from_utf8(addr.into()).unwrap())
        };
        assert_eq!(text("192.0.2.1:2049"), ("tcp".to_owned(), "192.0.2.1.8.1".to_owned()));
        assert_eq!(text("[2001:db8::1]:255"), ("tcp6".to_owned(), "2001:db8::1.0.255".to_owned()));
    }
}

//! Servers that are no S3 store.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A server that is no S3 store. It ends when this is dropped with its runtime.
pub(crate) struct Impostor {
    pub(crate) endpoint: String,
    /// Says `()` for each connection that came.
    pub(crate) visited: mpsc::UnboundedReceiver<()>,
    _serving: JoinHandle<()>,
}

impl Impostor {
    /// Answers every request as a web server that has a page for everything.
    pub(crate) async fn web_server() -> Self {
        const PAGE: &str =
            "HTTP/1.1 200 OK\r\nContent-Length: 27\r\nConnection: close\r\n\r\n<html><h1>Hello</h1></html>";
        Self::start(Some(PAGE)).await
    }

    /// Answers every request in a way that is no HTTP.
    pub(crate) async fn babbler() -> Self {
        Self::start(Some("220 ready\r\n")).await
    }

    /// Accepts connections and never answers.
    pub(crate) async fn mute() -> Self {
        Self::start(None).await
    }

    async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (visits, visited) = mpsc::unbounded_channel();
        let serving = tokio::spawn(async move {
            let mut kept = Vec::new();
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                // The test may not care.
                let _ = visits.send(());
                if let Some(answer) = answer {
                    // The beginning of the request will do. The program may have given up.
                    let _ = connection.read(&mut [0; 1024]).await;
                    let _ = connection.write_all(answer.as_bytes()).await;
                }
                kept.push(connection);
            }
        });
        Self { endpoint, visited, _serving: serving }
    }
}

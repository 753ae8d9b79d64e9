//! Connections that do not speak HTTP to the end.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// A connection that has sent these bytes.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the system listens");
    // The other side may refuse and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    stream
}

/// The same, of a client that can take in no more than a few thousand bytes unless it reads.
pub(crate) async fn send_without_reading(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("the system listens");
    let _ = stream.write_all(bytes).await;
    stream
}

/// What comes until the connection ends or so much time has passed, and whether it has ended.
pub(crate) async fn read(stream: &mut TcpStream, patience: Duration) -> (String, bool) {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    let ended = tokio::time::timeout(patience, async {
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..count]);
        }
    });
    let ended = ended.await.is_ok();
    (String::from_utf8_lossy(&all).into_owned(), ended)
}

/// The status of a response; 0 if there is none.
pub(crate) fn status(response: &str) -> u16 {
    let code = response.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).unwrap_or_default()
}

/// The head of a response, and what comes with it.
pub(crate) async fn head(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    while !all.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => all.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

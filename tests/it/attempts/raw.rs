//! Requests as bytes on a socket: a client of HTTP would repair them before they are sent.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any answer that a test waits for.
const LIMIT: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Heard {
    /// Absent when the connection was closed without an answer.
    pub status: Option<u16>,
    /// Head and body.
    pub text: String,
    /// How many bytes were taken from us.
    pub sent: usize,
}

impl Heard {
    pub fn is_refused(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status))
    }
}

/// `host:port` of `http://host:port`.
pub fn authority(url: &str) -> &str {
    url.trim_start_matches("http://")
}

/// Sends the pieces one after the other and listens meanwhile, until the connection is closed: each request has to ask for that.
pub async fn exchange(url: &str, pieces: impl Iterator<Item = Vec<u8>>) -> Heard {
    let (mut read, mut write) = TcpStream::connect(authority(url)).await.unwrap().into_split();
    let listening = tokio::spawn(async move {
        let mut heard = Vec::new();
        // What came before a reset stays: that is how a server gets rid of what it does not want to read.
        let _ = tokio::time::timeout(LIMIT, read.read_to_end(&mut heard)).await;
        heard
    });
    let mut sent = 0;
    for piece in pieces {
        let taken = tokio::time::timeout(LIMIT, write.write_all(&piece)).await;
        if listening.is_finished() || !matches!(taken, Ok(Ok(()))) {
            break;
        }
        sent += piece.len();
    }
    // Our side stays open until then: a server may take its closing as a client that went away.
    let heard = listening.await.unwrap();
    let text = String::from_utf8_lossy(&heard).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    Heard { status, text, sent }
}

/// A GET whose target goes out as it stands, with further lines of its head.
pub async fn get(url: &str, target: impl AsRef<[u8]>, more: &[u8]) -> Heard {
    let mut head = b"GET ".to_vec();
    head.extend_from_slice(target.as_ref());
    head.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    head.extend_from_slice(authority(url).as_bytes());
    head.extend_from_slice(b"\r\nconnection: close\r\n");
    head.extend_from_slice(more);
    head.extend_from_slice(b"\r\n");
    exchange(url, std::iter::once(head)).await
}

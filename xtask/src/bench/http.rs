//! One keep-alive connection of HTTP/1.1, as lean as can be: it shares the machine with the server that it measures.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// For one answer to arrive.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes; as much as most answers take.
const ROOM: usize = 64 << 10;

/// A connection that is opened once and used for many requests.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Room that is kept, so that nothing is cleared for each answer.
    buffer: Vec<u8>,
    /// How much of it was read; it begins with the answer that is being looked at.
    filled: usize,
}

/// An answer, within the connection's buffer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    /// As it came, still compressed where it was.
    pub body: Vec<u8>,
}

/// What a load needs to know of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub status: u16,
    pub bytes: usize,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    /// Sends a whole request and reads the answer to its end, without keeping it.
    pub fn exchange(&mut self, request: &[u8]) -> Result<Seen> {
        self.receive(request).map(|(status, _, end)| Seen { status, bytes: end })
    }

    /// Sends a whole request and keeps the answer.
    pub fn call(&mut self, request: &[u8]) -> Result<Answer> {
        let (status, head_end, end) = self.receive(request)?;
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let body = &self.buffer[head_end..end];
        let body = if is_chunked(&head) { unchunked(body) } else { body.to_vec() };
        Ok(Answer { status, head, body })
    }

    /// Status, end of the head, end of the answer in the buffer.
    fn receive(&mut self, request: &[u8]) -> Result<(u16, usize, usize)> {
        self.stream.write_all(request)?;
        self.filled = 0;
        let head_end = loop {
            self.read()?;
            if let Some(at) = find(&self.buffer[..self.filled], b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.buffer[..head_end]).context("a head that is not text")?;
        let status = head.get(9..12).and_then(|text| text.parse().ok()).context("an answer without status")?;
        let length = header(head, "content-length").and_then(|text| text.parse::<usize>().ok());
        let chunked = is_chunked(head);
        let end = match length {
            Some(length) => head_end + length,
            None if chunked => self.read_chunks(head_end)?,
            None => head_end,
        };
        while self.filled < end {
            self.read()?;
        }
        Ok((status, head_end, end))
    }

    /// The end of a body in chunks, each of which says its size before it.
    fn read_chunks(&mut self, head_end: usize) -> Result<usize> {
        let mut at = head_end;
        loop {
            let size_end = loop {
                if let Some(found) = find(&self.buffer[at..self.filled], b"\r\n") {
                    break at + found;
                }
                self.read()?;
            };
            let size = std::str::from_utf8(&self.buffer[at..size_end]).unwrap_or_default();
            let size = usize::from_str_radix(size, 16).with_context(|| format!("{size:?} is no size of a chunk"))?;
            at = size_end + 2 + size + 2;
            while self.filled < at {
                self.read()?;
            }
            if size == 0 {
                return Ok(at);
            }
        }
    }

    fn read(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let read = loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += read;
        if read == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

impl Answer {
    /// Every header of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().skip(1).filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON, of an answer that says that all went well.
    pub fn json(&self) -> Result<Value> {
        self.good()?;
        serde_json::from_slice(&self.body).context("an answer that is not JSON")
    }

    pub fn good(&self) -> Result<()> {
        if !(200..400).contains(&self.status) {
            let text = String::from_utf8_lossy(&self.body);
            bail!("the server answered {}: {}", self.status, text.chars().take(500).collect::<String>());
        }
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn is_chunked(head: &str) -> bool {
    header(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    while let Some(at) = find(body, b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(size @ 1..) = size else { break };
        let (from, to) = (at + 2, (at + 2 + size).min(body.len()));
        out.extend_from_slice(&body[from..to]);
        body = body.get(to + 2..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn answers_of_known_length_and_in_chunks_are_read_to_their_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let answers: [&[u8]; 2] = [
                b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nSet-Cookie: a=b; Path=/\r\n\r\n{}",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n",
            ];
            for answer in answers {
                let mut request = [0_u8; 256];
                assert!(stream.read(&mut request).unwrap() > 0);
                let (one, two) = answer.split_at(answer.len() / 2);
                stream.write_all(one).unwrap();
                std::thread::sleep(Duration::from_millis(5));
                stream.write_all(two).unwrap();
            }
        });
        let mut connection = Connection::open(address).unwrap();
        let first = connection.call(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((first.status, first.body.as_slice()), (201, b"{}".as_slice()));
        assert_eq!(first.headers("set-cookie").collect::<Vec<_>>(), ["a=b; Path=/"]);
        assert_eq!(connection.call(b"GET / HTTP/1.1\r\n\r\n").unwrap().json().unwrap()["a"], 1);
        server.join().unwrap();
    }
}

//! Waits until a program that was just started answers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::Companion;
use crate::signals::Signals;

/// Waits until `GET path` is answered with 200, while the companion runs.
pub fn until_ready(
    address: &str,
    path: &str,
    companion: &mut Companion,
    signals: &Signals,
    limit: Duration,
) -> Result<()> {
    let socket = resolve(address)?;
    until(&format!("http://{address}{path}"), companion, signals, limit, || status(socket, path) == Some(200))
}

/// Waits until somebody listens there, while the companion runs.
pub fn until_listening(address: &str, companion: &mut Companion, signals: &Signals, limit: Duration) -> Result<()> {
    let socket = resolve(address)?;
    until(address, companion, signals, limit, || TcpStream::connect_timeout(&socket, Duration::from_secs(1)).is_ok())
}

fn until(
    what: &str,
    companion: &mut Companion,
    signals: &Signals,
    limit: Duration,
    mut answers: impl FnMut() -> bool,
) -> Result<()> {
    let start = Instant::now();
    while !answers() {
        companion.still_runs()?;
        if signals.asked_to_stop(Duration::from_millis(100)) {
            bail!("stopped while waiting for {what}");
        }
        if start.elapsed() > limit {
            bail!("{what} did not answer within {} s", limit.as_secs());
        }
    }
    Ok(())
}

/// Fails when somebody else already listens there, in words that help.
pub fn check_free(address: &str, flag: Option<&str>) -> Result<()> {
    let socket = resolve(address)?;
    if TcpStream::connect_timeout(&socket, Duration::from_millis(300)).is_ok() {
        let choice = flag.map_or_else(String::new, |flag| format!(", or choose another address with {flag} HOST:PORT"));
        bail!("something already listens on {address}: stop it{choice}");
    }
    Ok(())
}

fn resolve(address: &str) -> Result<SocketAddr> {
    address
        .to_socket_addrs()
        .with_context(|| format!("{address:?} is not an address such as 127.0.0.1:8080"))?
        .next()
        .with_context(|| format!("{address:?} leads to no address"))
}

fn status(socket: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&socket, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    // In one piece: a server that answers early must not find more to read.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {socket}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_status_is_read_and_a_taken_address_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Read first: closing with unread bytes resets the connection before the answer arrives.
            let mut request = [0_u8; 512];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
            listener
        });
        assert_eq!(status(address, "/readyz"), Some(503));
        let listener = server.join().unwrap();
        assert!(check_free(&address.to_string(), Some("--listen")).unwrap_err().to_string().contains("--listen"));
        drop(listener);
        assert!(check_free(&address.to_string(), Some("--listen")).is_ok());
    }
}

//! Counters of so many services, as a service mesh exports them: what a real Prometheus scrapes.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Result;

/// Requests of a service in a second; one in a thousand of them fails.
const PER_SECOND: u64 = 50;

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Exporter {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Exporter {
    pub fn start(services: Vec<String>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, stop) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (stopped, start) = (Arc::clone(&stop), Instant::now());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                // A scrape that breaks off is repeated by the next one.
                let _ = answer(&stream, &counters(&services, start.elapsed().as_secs()));
            }
        });
        Ok(Self { address, stop })
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // It waits for somebody to come.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: &TcpStream, body: &str) -> Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())?;
    Ok(())
}

fn counters(services: &[String], seconds: u64) -> String {
    let mut out = String::with_capacity(services.len() * 120);
    out.push_str("# TYPE http_requests_total counter\n");
    // As if they had run for a while already.
    let all = (seconds + 3600) * PER_SECOND;
    for service in services {
        let _ = writeln!(out, "http_requests_total{{service=\"{service}\",code=\"200\"}} {}", all - all / 1000);
        let _ = writeln!(out, "http_requests_total{{service=\"{service}\",code=\"500\"}} {}", all / 1000);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::counters;

    #[test]
    fn counters_grow_and_one_in_a_thousand_fails() {
        let text = counters(&["web".to_owned()], 400);
        assert!(text.contains("code=\"200\"} 199800\n") && text.contains("code=\"500\"} 200\n"), "{text}");
    }
}

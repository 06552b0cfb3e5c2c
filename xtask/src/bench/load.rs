//! Load at a fixed number of connections, each of which asks again as soon as it is answered.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::http::Connection;
use super::process::{Cpu, Watched};

/// Connections at the same time.
pub const CONNECTIONS: usize = 8;
/// Before anything is counted.
const WARM_UP: Duration = Duration::from_millis(700);

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub requests: usize,
    pub per_second: f64,
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
    pub cpu: Cpu,
    /// The most memory that the server had meanwhile.
    pub resident: u64,
    /// Bytes of an answer with its head, on average.
    pub bytes: usize,
}

impl Measured {
    /// Processor time of the server for one request.
    pub fn server_us(&self) -> f64 {
        self.cpu.server.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    pub fn postgres_us(&self) -> f64 {
        self.cpu.postgres.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// The part of the used processor time that the generator took itself.
    pub fn generator_share(&self) -> f64 {
        let Cpu { server, postgres, generator } = self.cpu;
        generator.as_secs_f64() / (server + postgres + generator).as_secs_f64().max(1e-9)
    }
}

/// Sends the requests in turn for a while; every answer must be good.
pub fn run(address: SocketAddr, requests: &[Vec<u8>], duration: Duration, watched: Watched) -> Result<Measured> {
    let (counting, stop, peak) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|worker| {
                let (counting, stop) = (&counting, &stop);
                // Each begins elsewhere, so that they do not ask for the same at the same time.
                let from = worker * requests.len() / CONNECTIONS;
                scope.spawn(move || ask(address, requests, from, counting, stop))
            })
            .collect();
        std::thread::sleep(WARM_UP);
        let (before, start) = (watched.cpu(), Instant::now());
        counting.store(true, Ordering::Release);
        while start.elapsed() < duration {
            std::thread::sleep(Duration::from_millis(100).min(duration));
            peak.fetch_max(watched.resident(), Ordering::AcqRel);
        }
        counting.store(false, Ordering::Release);
        let (elapsed, cpu) = (start.elapsed(), watched.cpu().since(before));
        stop.store(true, Ordering::Release);
        let (mut times, mut bytes) = (Vec::new(), 0);
        for worker in workers {
            let (some, received) = worker.join().ok().context("a thread of the load ended badly")??;
            times.extend(some);
            bytes += received;
        }
        summary(times, bytes, elapsed, cpu, peak.load(Ordering::Acquire))
    })
}

fn ask(
    address: SocketAddr,
    requests: &[Vec<u8>],
    from: usize,
    counting: &AtomicBool,
    stop: &AtomicBool,
) -> Result<(Vec<Duration>, usize)> {
    let mut connection = Connection::open(address)?;
    let (mut times, mut bytes) = (Vec::with_capacity(100_000), 0);
    for request in requests.iter().cycle().skip(from) {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let counts = counting.load(Ordering::Acquire);
        let start = Instant::now();
        let seen = connection.exchange(request)?;
        if seen.status / 100 != 2 {
            let line = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
            bail!("{line} was answered with {}", seen.status);
        }
        if counts {
            times.push(start.elapsed());
            bytes += seen.bytes;
        }
    }
    Ok((times, bytes))
}

fn summary(mut times: Vec<Duration>, bytes: usize, elapsed: Duration, cpu: Cpu, resident: u64) -> Result<Measured> {
    times.sort_unstable();
    let requests = times.len();
    let at = |share: f64| times.get(((requests as f64 * share) as usize).min(requests.saturating_sub(1))).copied();
    let (Some(p50), Some(p95), Some(p99)) = (at(0.5), at(0.95), at(0.99)) else { bail!("nothing was answered") };
    let per_second = requests as f64 / elapsed.as_secs_f64();
    Ok(Measured { requests, per_second, p50, p95, p99, cpu, resident, bytes: bytes / requests })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_times_whatever_their_order() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let cpu = Cpu { server: Duration::from_millis(50), ..Cpu::default() };
        let measured = summary(times, 20_000, Duration::from_secs(2), cpu, 7).unwrap();
        assert_eq!((measured.p50, measured.p95), (Duration::from_millis(51), Duration::from_millis(96)));
        assert_eq!((measured.per_second, measured.bytes, measured.server_us()), (50.0, 200, 500.0));
        assert!(summary(Vec::new(), 0, Duration::from_secs(1), cpu, 0).is_err());
    }
}

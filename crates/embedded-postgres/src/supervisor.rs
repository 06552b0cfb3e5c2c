//! The thread that starts Postgres, watches it, starts it again when it dies, and stops it.

use std::fs::File;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::Error;
use crate::layout::Layout;
use crate::{cluster, launch, leftovers, pidfile, settings};

/// Crash recovery of a large database takes time; beyond this something else is wrong.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A clean stop waits for a checkpoint; then the next start has to recover.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often a running Postgres is looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// Longest wait between two attempts to bring a dead Postgres back.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The owner's side of the thread. The thread stops Postgres when this is dropped.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Returns once Postgres takes connections. The lock stays with the thread.
    pub(crate) fn start(layout: Layout, account: Account, lock: File, durable: bool) -> Result<Self, Error> {
        let (stop, stopped) = channel();
        let (report, started) = channel();
        let path = layout.root().to_owned();
        let thread = std::thread::Builder::new()
            .name("embedded-postgres".to_owned())
            .spawn(move || {
                let _lock = lock;
                Worker { layout, account, durable }.run(&report, &stopped);
            })
            .map_err(Error::io("start a thread for", &path))?;
        let supervisor = Self { stop: Some(stop), thread: Some(thread) };
        match started.recv() {
            Ok(Ok(())) => Ok(supervisor),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Start { folder: path, what: "its thread ended".to_owned(), output: String::new() }),
        }
    }

    pub(crate) fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the embedded Postgres panicked");
        }
    }
}

struct Worker {
    layout: Layout,
    account: Account,
    durable: bool,
}

impl Worker {
    fn run(&self, report: &Sender<Result<(), Error>>, stopped: &Receiver<()>) {
        let started = cluster_and_child(self);
        let (binaries, mut child) = match started {
            Ok(started) => started,
            Err(error) => {
                // The receiver waits for exactly this message.
                let _ = report.send(Err(error));
                return;
            }
        };
        let _ = report.send(Ok(()));
        loop {
            if asked_to_stop(stopped, WATCH_INTERVAL) {
                return stop(&mut child);
            }
            if let Ok(Some(status)) = child.try_wait() {
                tracing::error!(%status, "the embedded Postgres ended; starting it again");
                match self.bring_back(&binaries, stopped) {
                    Some(again) => child = again,
                    None => return,
                }
            }
        }
    }

    /// Tries until it works or the owner stops; `None` for the latter.
    fn bring_back(&self, binaries: &Binaries, stopped: &Receiver<()>) -> Option<Child> {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.launch(binaries) {
                Ok(child) => {
                    tracing::info!("the embedded Postgres is back");
                    return Some(child);
                }
                Err(error) => tracing::error!(%error, "the embedded Postgres could not be started again"),
            }
            if asked_to_stop(stopped, pause) {
                return None;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn launch(&self, binaries: &Binaries) -> Result<Child, Error> {
        leftovers::clear(&self.layout)?;
        // Opened by this process and inherited, so that root's file needs no owner.
        let output_path = self.layout.root().join("start.log");
        let output = File::create(&output_path).map_err(Error::io("write", &output_path))?;
        let copy = output.try_clone().map_err(Error::io("write", &output_path))?;
        let mut child = launch::command(&binaries.program("postgres"), &self.account, true)
            .args(settings::arguments(&self.layout, self.durable))
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(copy))
            .spawn()
            .map_err(|error| self.start_error(format!("it could not be run: {error}")))?;
        match self.wait_until_ready(&mut child) {
            Ok(()) => Ok(child),
            Err(what) => {
                stop(&mut child);
                Err(self.start_error(what))
            }
        }
    }

    fn wait_until_ready(&self, child: &mut Child) -> Result<(), String> {
        let data = self.layout.data();
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(status.to_string());
            }
            // The process number too: the file of an earlier run may still say "ready".
            if pidfile::read(&data).is_some_and(|file| file.ready && u32::try_from(file.pid) == Ok(child.id())) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("not ready after {} s", START_LIMIT.as_secs()))
    }

    fn start_error(&self, what: String) -> Error {
        let output = std::fs::read_to_string(self.layout.root().join("start.log")).unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n");
        let output = format!("{tail}\n(more in {})", self.layout.log().display());
        Error::Start { folder: self.layout.data(), what, output }
    }
}

fn cluster_and_child(worker: &Worker) -> Result<(Binaries, Child), Error> {
    let binaries = cluster::ensure(&worker.layout, &worker.account, worker.durable)?;
    let child = worker.launch(&binaries)?;
    Ok((binaries, child))
}

/// The owner never sends anything: dropping its end is the signal.
fn asked_to_stop(stopped: &Receiver<()>, wait: Duration) -> bool {
    stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout)
}

fn stop(child: &mut Child) {
    for (signal, limit) in [(Signal::SIGINT, STOP_LIMIT), (Signal::SIGQUIT, Duration::from_secs(5))] {
        if let Ok(pid) = i32::try_from(child.id()) {
            // It may have ended by itself; waiting tells.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        let start = Instant::now();
        while start.elapsed() < limit {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    tracing::error!("the embedded Postgres does not stop and is killed; the next start recovers");
    let _ = child.kill();
    let _ = child.wait();
}

//! Further processes beside a portal, which end with the test however it ends.

use crate::support::RunningPortal;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

pub struct Process(pub Child);

impl Process {
    /// As systemd, an operator or a frozen machine would: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name}: {sent}");
    }

    /// Whether it sleeps by a signal.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        // The name before it is in brackets, and may hold anything.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One more server on the portal's database, with these settings; what it complains of goes to `log`. And its address.
pub fn serve(portal: &RunningPortal, settings: &[(&str, &str)], log: Stdio) -> (Process, String) {
    let child = portal
        .command()
        .arg("serve")
        .env("PASSERELLE__SERVER__LISTEN", "127.0.0.1:0")
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find(|line| line.contains("listens on")).expect("it listens");
    (process, said.rsplit(' ').next().unwrap().to_owned())
}

//! What the kernel knows about the processes that are measured: processor time and memory.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// What `/proc` counts processor time in; the same on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// Processor time so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    pub server: Duration,
    pub postgres: Duration,
    /// This process: the generator of the load.
    pub generator: Duration,
}

impl Cpu {
    pub fn since(self, earlier: Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            postgres: self.postgres.saturating_sub(earlier.postgres),
            generator: self.generator.saturating_sub(earlier.generator),
        }
    }
}

/// The server and, below it, its Postgres.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pub pid: u32,
}

impl Watched {
    /// Processes of Postgres that have ended are counted in their parent.
    pub fn cpu(self) -> Cpu {
        let time = |pid: u32| stat(pid).map_or(0, |stat| stat.ticks + stat.children_ticks);
        Cpu {
            server: TICK * stat(self.pid).map_or(0, |stat| stat.ticks),
            postgres: TICK * self.below().iter().map(|pid| time(*pid)).sum::<u32>(),
            generator: TICK * stat(std::process::id()).map_or(0, |stat| stat.ticks),
        }
    }

    /// Memory of the server process alone, in bytes.
    pub fn resident(self) -> u64 {
        status(self.pid, "VmRSS:")
    }

    /// The most that it ever had.
    pub fn resident_peak(self) -> u64 {
        status(self.pid, "VmHWM:")
    }

    /// Memory of its Postgres, in bytes; what its processes share is counted once.
    pub fn postgres_memory(self) -> u64 {
        self.below().iter().map(|pid| field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")).sum()
    }

    fn below(self) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            if let Some(stat) = stat(pid) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        let (mut found, mut open) = (Vec::new(), vec![self.pid]);
        while let Some(pid) = open.pop() {
            let next = children.get(&pid).cloned().unwrap_or_default();
            open.extend(&next);
            found.extend(next);
        }
        found
    }
}

/// How busy the machine is: runnable processes, averaged over a minute.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: u32,
    ticks: u32,
    children_ticks: u32,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name may hold anything, so what follows is read from its end.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(Stat { parent: number(1)?, ticks: number(11)? + number(12)?, children_ticks: number(13)? + number(14)? })
}

fn status(pid: u32, name: &str) -> u64 {
    field(&format!("/proc/{pid}/status"), name)
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let kilobytes =
        text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_process_is_read_whatever_its_name() {
        let line = "12 (a b) c) S 7 12 12 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 9 0 100";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.ticks, stat.children_ticks), (7, 33, 77));
    }

    #[test]
    fn this_process_has_memory_and_a_parent() {
        let own = Watched { pid: std::process::id() };
        assert!(own.resident() > 1 << 20 && own.resident_peak() >= own.resident());
        assert!(stat(own.pid).unwrap().parent > 0);
    }
}

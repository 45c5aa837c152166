//! What the kernel says of a running program.

use std::fs;
use std::thread;
use std::time::Duration;

/// Clock ticks in a second in `/proc/PID/stat`: fixed at 100 by the kernel's interface.
const TICKS: f64 = 100.0;

/// KiB in a MiB.
const MIB: f64 = 1024.0;

/// A program's memory.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident set, in KiB.
    pub rss: f64,
    /// The same with shared pages divided among those who share them, in KiB; not every kernel tells.
    pub pss: Option<f64>,
}

impl Memory {
    /// Of the program with this id.
    pub fn of(id: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("the program does not run");
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok();
        Self {
            rss: kib(&status, "VmRSS:").expect("a running program has a resident set"),
            pss: rollup.as_deref().and_then(|text| kib(text, "Pss:")),
        }
    }

    /// Resident set in MiB.
    pub fn rss_mib(self) -> f64 {
        self.rss / MIB
    }

    /// Proportional set in MiB.
    pub fn pss_mib(self) -> Option<f64> {
        self.pss.map(|pss| pss / MIB)
    }

    /// How much of it came since `before`, for each of `count`, in KiB.
    pub fn since(self, before: Self, count: usize) -> Self {
        let each = |now: f64, then: f64| (now - then) / count as f64;
        Self {
            rss: each(self.rss, before.rss),
            pss: self.pss.zip(before.pss).map(|(now, then)| each(now, then)),
        }
    }
}

fn kib(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Processor seconds that the program with this id has used, in user and kernel mode.
pub fn cpu_seconds(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("the program does not run");
    // The name, in parentheses, may hold anything; utime and stime are the 14th and 15th field, the state is the 3rd.
    let (_, rest) = stat.rsplit_once(')').expect("stat names the program");
    let ticks = |field: usize| -> f64 {
        rest.split_whitespace()
            .nth(field - 3)
            .and_then(|ticks| ticks.parse().ok())
            .expect("stat counts ticks")
    };
    (ticks(14) + ticks(15)) / TICKS
}

/// Hundredths of one core that each of the programs uses while `time` passes and nothing is done to it.
pub fn idle_share<const N: usize>(ids: [u32; N], time: Duration) -> [f64; N] {
    let before = ids.map(cpu_seconds);
    thread::sleep(time);
    let mut shares = ids.map(cpu_seconds);
    for (share, before) in shares.iter_mut().zip(before) {
        *share = (*share - before) / time.as_secs_f64() * 100.0;
    }
    shares
}

//! What a server process costs, from `/proc`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Clock ticks of `/proc/<pid>/stat` in a second; fixed by Linux for all programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes in memory: those of the process itself and what it shares with its own workers, without pages of files.
    pub memory_bytes: u64,
    /// Bytes in memory, pages of files included.
    pub resident_bytes: u64,
    /// Seconds of processor time, user and system.
    pub cpu_seconds: f64,
    /// Open files and sockets.
    pub descriptor_count: u64,
}

impl Usage {
    /// Reads what a process uses.
    ///
    /// # Errors
    /// There is no such process, or it belongs to somebody else.
    pub fn of(pid: u32) -> Result<Self, Error> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"))?;
        Ok(Self {
            memory_bytes: (kilobytes(&status, "RssAnon:") + kilobytes(&status, "RssShmem:"))
                * 1_024,
            resident_bytes: kilobytes(&status, "VmRSS:") * 1_024,
            cpu_seconds: scheduled(pid).unwrap_or_else(|| ticks(&stat) / TICKS_PER_SECOND),
            descriptor_count: descriptors.map(|_| 1).sum(),
        })
    }
}

impl Usage {
    /// What both have used.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes + other.memory_bytes,
            resident_bytes: self.resident_bytes + other.resident_bytes,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            descriptor_count: self.descriptor_count + other.descriptor_count,
        }
    }
}

fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What each thread of a process had used when it was last seen. One that ended is in no list any more, and
/// its time would be missing: a server ends threads that had nothing to do for some seconds.
static SEEN: Mutex<BTreeMap<(u32, u32), u64>> = Mutex::new(BTreeMap::new());

/// Processor time of all threads that were ever seen, to the nanosecond. Nothing where the system does not
/// keep it.
fn scheduled(pid: u32) -> Option<f64> {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let task = task.ok()?;
        let thread = task.file_name().to_str()?.parse().ok()?;
        // A thread may end while it is looked at.
        if let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) {
            let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
            seen.insert((pid, thread), nanoseconds);
        }
    }
    let threads: Vec<_> = seen.range((pid, 0)..=(pid, u32::MAX)).collect();
    let nanoseconds: u64 = threads.iter().map(|(_, nanoseconds)| **nanoseconds).sum();
    (!threads.is_empty()).then_some(nanoseconds as f64 / 1e9)
}

/// User and system time: the 14th and 15th field. The second field, the program's name, may hold
/// blanks, so counting starts behind its closing bracket.
fn ticks(stat: &str) -> f64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = rest.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_files() {
        let usage = Usage::of(std::process::id()).expect("this process exists");
        assert!(usage.memory_bytes > 0 && usage.resident_bytes >= usage.memory_bytes);
        assert!(usage.descriptor_count > 0);
    }

    #[test]
    fn what_a_thread_used_is_not_forgotten_when_it_ends() {
        let own = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            let used = text.split_whitespace().next().unwrap();
            used.parse::<u64>().unwrap()
        };
        let (done, is_done) = std::sync::mpsc::sync_channel(0);
        let (end, may_end) = std::sync::mpsc::sync_channel::<()>(0);
        let thread = std::thread::spawn(move || {
            while own() < 20_000_000 {}
            done.send(()).unwrap();
            may_end.recv().unwrap();
        });
        is_done.recv().unwrap();
        let alive = Usage::of(std::process::id()).unwrap();
        end.send(()).unwrap();
        thread.join().unwrap();
        let ended = Usage::of(std::process::id()).unwrap();
        assert!(ended.cpu_seconds >= alive.cpu_seconds);
    }

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert!((ticks(stat) - 300.0).abs() < f64::EPSILON);
    }
}

//! What the system says of one worker process: its memory, and whether it gets anything done.
//!
//! Owns reading it. Must not judge: `watch` does.

use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The resident memory of one process.
#[derive(Debug)]
pub(super) struct RssGauge {
    statm: std::fs::File,
    page_bytes: u64,
}

impl RssGauge {
    /// Of a child that was not reaped yet.
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        let statm = std::fs::File::open(format!("/proc/{pid}/statm"))?;
        Ok(Self { statm, page_bytes: rustix::param::page_size() as u64 })
    }

    /// Bytes resident now that are its own; `None` if the system does not say. Up to `common`
    /// bytes of the memory it shares with others are not.
    pub(super) fn read(&self, common: u64) -> Option<u64> {
        let mut text = [0; 128];
        let length = self.statm.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        let mut pages = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
        let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
        let bytes = resident.checked_mul(self.page_bytes)?;
        // What is mapped from files is in `shared` too, and larger than nothing of it is taken off.
        Some(bytes.saturating_sub(common.min(shared.saturating_mul(self.page_bytes))))
    }
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Activity {
    /// Time all of its threads had a core, since it began; in steps of a hundredth of a second on
    /// most systems.
    pub(super) cpu_time: Duration,
    /// A thread of it runs, would if it had a core, or waits for a disk.
    pub(super) is_runnable: bool,
}

/// Threads that are looked at. Of more, those that were there first.
const THREADS_MAX: usize = 256;

impl Activity {
    /// Of a child that was not reaped yet; `None` if the system does not say.
    pub(super) fn read(pid: u32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
        let mut stats = threads
            .take(THREADS_MAX)
            .filter_map(|task| std::fs::read(task.path().join("stat")).ok());
        let is_runnable =
            stats.any(|stat| fields(&stat).is_some_and(|fields| ["R", "D"].contains(&fields[0])));
        Some(Self {
            cpu_time: cpu_time(&stat, rustix::param::clock_ticks_per_second())?,
            is_runnable,
        })
    }
}

/// The fields of `/proc/<pid>/stat` behind the name, which may hold anything (proc(5)): the first
/// is the state.
fn fields(stat: &[u8]) -> Option<Vec<&str>> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&stat[end + 1..]).ok()?;
    Some(fields.split_ascii_whitespace().collect()).filter(|fields: &Vec<_>| !fields.is_empty())
}

/// User and system time, which the system counts in ticks.
fn cpu_time(stat: &[u8], ticks_per_second: u64) -> Option<Duration> {
    const USER: usize = 11;
    let fields = fields(stat)?;
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let ticks = ticks(USER)?.saturating_add(ticks(USER + 1)?);
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second.max(1));
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_can_be_read() {
        let gauge = RssGauge::open(std::process::id()).unwrap();
        assert!(gauge.read(0).is_some_and(|rss| rss > 0));
    }

    #[test]
    fn we_run_while_we_ask_whether_we_run() {
        assert!(Activity::read(std::process::id()).unwrap().is_runnable);
        assert_eq!(Activity::read(u32::MAX), None);
    }

    #[test]
    fn times_are_read_whatever_the_name_of_the_program() {
        let stat = b"7 (a) R (\xff)) S 1 7 0 34816 7 4194304 90 0 0 0 250 51 0 0 20 0 1 0 9";
        assert_eq!(cpu_time(stat, 100), Some(Duration::from_millis(3_010)));
        assert_eq!(fields(stat).unwrap()[0], "S");
        assert_eq!(cpu_time(b"7 (a) S 1", 100), None);
        assert_eq!(cpu_time(b"", 100), None);
    }
}

//! Processes as the kernel sees them: who carries a cookie, and who has ended.
//!
//! Owns: the census. A process belongs to a session if the session's cookie is in its environment:
//! parents, groups and sessions can be left, the environment at the start cannot.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// The variable that carries the cookie.
pub const COOKIE_ENV: &str = "INTEGRATION_COOKIE";

/// One process of the census.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id.
    pub pid: Pid,
    /// Whether it was started as a worker (a process that a worker started counts too).
    pub is_worker: bool,
    /// Its command line, for messages.
    pub command: String,
}

/// Every living process with this cookie. Zombies have no environment and do not count.
#[must_use]
pub fn census(cookie: &str) -> Vec<Found> {
    let wanted = format!("{COOKIE_ENV}={cookie}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc can be read").flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        // A process that ends meanwhile has no environment any more.
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let mut variables = environment.split(|byte| *byte == 0);
        if !variables.clone().any(|variable| variable == wanted.as_bytes()) {
            continue;
        }
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        found.push(Found {
            pid,
            is_worker: variables.any(|variable| variable == b"FUZZD_WORKER=1"),
            command: String::from_utf8_lossy(&command).replace('\0', " "),
        });
    }
    found
}

/// A handle on a process that can be waited for, whoever its parent is.
#[derive(Debug)]
pub struct Watch {
    /// Its id.
    pub pid: Pid,
    /// `None`: it was gone already.
    handle: Option<OwnedFd>,
}

impl Watch {
    /// Watches the process with this id.
    #[must_use]
    pub fn new(pid: Pid) -> Self {
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Self { pid, handle: Some(handle) },
            Err(Errno::SRCH) => Self { pid, handle: None },
            Err(error) => panic!("cannot watch process {pid:?}: {error}"),
        }
    }

    /// Waits until the process has ended; `false` if it lives on at the deadline.
    #[must_use]
    pub fn has_ended_within(&self, patience: Duration) -> bool {
        let Some(handle) = &self.handle else { return true };
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).expect("a deadline is not far away");
            let mut fds = [PollFd::new(handle, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(Errno::INTR) => {}
                Err(error) => panic!("cannot wait for process {:?}: {error}", self.pid),
            }
        }
    }
}

/// Waits until nobody carries the cookie; who is left at the deadline otherwise.
#[must_use]
pub fn survivors(cookie: &str, patience: Duration) -> Vec<Found> {
    let deadline = Instant::now() + patience;
    loop {
        let found = census(cookie);
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(first) = found.first() else { return found };
        if !Watch::new(first.pid).has_ended_within(left) {
            return found;
        }
    }
}

/// Kills everyone with the cookie, until nobody is left.
pub fn kill_all(cookie: &str) {
    for _ in 0..10 {
        let found = census(cookie);
        if found.is_empty() {
            return;
        }
        for process in &found {
            // It may have ended in between.
            kill_process(process.pid, Signal::KILL).unwrap_or_default();
        }
        for process in &found {
            let _ended = Watch::new(process.pid).has_ended_within(Duration::from_secs(2));
        }
    }
}

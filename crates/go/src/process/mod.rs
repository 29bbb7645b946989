//! Running a program to its end, within a time limit.
//!
//! Owns: start, output, deadline and reaping of a process that is asked one thing. What differs by
//! operating system is the module `system`. Must not: know what was asked; drive workers (the
//! coordinator does, without ever waiting for one).

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported.rs"]
mod system;

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::limits::OUTPUT_BYTES_MAX;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself.
    Exited(ExitStatus),
    /// We killed it and all of its group.
    TimedOut,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ended: Ended,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

/// The first bytes of what a process wrote, up to [`OUTPUT_BYTES_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
}

impl Output {
    /// Keeps what there is room for.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing runs there"))]
    fn push(&mut self, bytes: &[u8]) {
        let room = OUTPUT_BYTES_MAX - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Runs `command` in a process group of its own, without standard input. When it has ended, or
/// after `limit`, everything left of the group is killed.
pub(crate) fn run(command: Command, limit: Duration) -> io::Result<Finished> {
    system::run(command, limit)
}

#[cfg(test)]
mod tests;

//! Running a program to its end, within a time limit.
//!
//! Owns: output, deadline and reaping of a process that is asked one thing. What differs by
//! operating system is the module `system`. Must not: know what was asked; drive workers (the
//! coordinator does, without ever waiting for one).

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported.rs"]
mod system;

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use crate::limits::{EXCERPT_BYTES_MAX, OUTPUT_BYTES_MAX};

/// How a process is started, with what the command says of its pipes and its group.
///
/// What is asked of a binary ends at its deadline, but only if we live to see it. A signal at the
/// death of the parent takes unsafe code, which this crate forbids, and comes when the *thread*
/// ends that started the process. So a coordinator gives a function of its own here, which hands
/// the command to its spawner.
pub type Spawn = fn(Command) -> io::Result<Child>;

/// Starts a process from this thread. It lives on if we are killed: for tests and short programs.
pub fn spawn(mut command: Command) -> io::Result<Child> {
    command.spawn()
}

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

/// What a process wrote, or the first and the last bytes of it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// The first bytes, up to [`OUTPUT_BYTES_MAX`].
    pub(crate) bytes: Vec<u8>,
    /// The last of those behind them, up to [`EXCERPT_BYTES_MAX`].
    rest: Vec<u8>,
}

impl Output {
    /// Keeps what there is room for.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "nothing runs there")
    )]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = OUTPUT_BYTES_MAX - self.bytes.len();
        let (first, rest) = bytes.split_at(bytes.len().min(room));
        self.bytes.extend_from_slice(first);
        self.rest.extend_from_slice(rest);
        self.rest.drain(..self.rest.len().saturating_sub(EXCERPT_BYTES_MAX));
    }

    /// Whether there was more than `bytes`.
    pub(crate) fn is_cut(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The last [`EXCERPT_BYTES_MAX`] bytes as text, for a message: what went wrong stands there.
    pub(crate) fn excerpt(&self) -> String {
        let missing = EXCERPT_BYTES_MAX - self.rest.len();
        let (before, last) = self.bytes.split_at(self.bytes.len().saturating_sub(missing));
        let last = [last, &self.rest].concat();
        let text = String::from_utf8_lossy(&last);
        let mark = if before.is_empty() { "" } else { "[...] " };
        format!("{mark}{}", text.trim())
    }
}

/// Runs `command` in a process group of its own, without standard input. When it has ended, or
/// after `limit`, it and everything left of the group is killed.
pub(crate) fn run(command: Command, limit: Duration, spawn: Spawn) -> io::Result<Finished> {
    system::run(command, limit, spawn)
}

#[cfg(test)]
mod tests;

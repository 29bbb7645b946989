//! One child process: its end, its group, and reaping it.
//!
//! Must not decide when a process has to end. Never signals a process it does not own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

pub(crate) use fuzzd_core::death::ExitStatus;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};

/// The signals a process group is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupSignal {
    /// SIGQUIT: a Go process lists its goroutines and ends.
    Quit,
    /// SIGKILL.
    Kill,
}

/// A child that leads its own process group. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    is_reaped: bool,
}

impl Child {
    /// Takes over a child that was just spawned as leader of its own group.
    pub(super) fn new(pid: Pid, pidfd: OwnedFd) -> Self {
        Self { pid, pidfd, is_reaped: false }
    }

    /// Process id, for people and for `/proc`.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether the process has ended. It stays a zombie until [`reap`](Self::reap).
    pub(crate) fn has_ended(&self) -> bool {
        self.is_reaped || !matches!(self.wait(WaitIdOptions::NOWAIT), Ok(None))
    }

    /// The signal that the process is stopped by right now, if it is.
    pub(crate) fn stopped_by(&self) -> Option<i32> {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
        status.ok().flatten().and_then(|status| status.stopping_signal())
    }

    /// Sends SIGINT to the process, and to nothing that it has started: a program that is part of
    /// an execution would fail, and the execution with it. Does nothing once it was reaped.
    pub(crate) fn interrupt(&self) {
        if self.is_reaped {
            return;
        }
        if let Err(error) = rustix::process::pidfd_send_signal(&self.pidfd, Signal::INT) {
            tracing::debug!(pid = self.pid(), %error, "the process could not be interrupted");
        }
    }

    /// Signals the whole group. Does nothing once the process was reaped.
    pub(crate) fn signal_group(&self, signal: GroupSignal) {
        if self.is_reaped {
            return;
        }
        let signal = match signal {
            GroupSignal::Quit => Signal::QUIT,
            GroupSignal::Kill => Signal::KILL,
        };
        // The group exists as long as its leader is not reaped; there is nobody to tell if the
        // kernel refuses nevertheless.
        if let Err(error) = rustix::process::kill_process_group(self.pid, signal) {
            tracing::debug!(pid = self.pid(), %error, "the process group could not be signalled");
        }
    }

    /// Reaps the process if it has ended, and kills what is left of its group before. `None`: it
    /// still runs.
    pub(crate) fn reap(&mut self) -> Option<ExitStatus> {
        if self.is_reaped {
            return Some(ExitStatus::Unknown);
        }
        match self.wait(WaitIdOptions::NOWAIT) {
            Ok(None) => return None,
            Ok(Some(_)) => self.signal_group(GroupSignal::Kill),
            // No such child any more: its number may already be somebody else's.
            Err(_) => {
                self.is_reaped = true;
                return Some(ExitStatus::Unknown);
            }
        }
        let status = self.wait(WaitIdOptions::empty());
        self.is_reaped = true;
        let Ok(Some(status)) = status else { return Some(ExitStatus::Unknown) };
        let signal = status.terminating_signal().map(ExitStatus::Signaled);
        signal.or(status.exit_status().map(ExitStatus::Exited)).or(Some(ExitStatus::Unknown))
    }

    fn wait(&self, extra: WaitIdOptions) -> io::Result<Option<WaitIdStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | extra;
        loop {
            match rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
                Err(rustix::io::Errno::INTR) => {}
                result => return result.map_err(io::Error::from),
            }
        }
    }
}

impl AsRawFd for Child {
    /// The pidfd: readable when the process has ended.
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

impl AsFd for Child {
    /// See [`as_raw_fd`](AsRawFd::as_raw_fd).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.reap().is_none() {
            self.signal_group(GroupSignal::Kill);
            // SIGKILL takes a moment; if this comes too early the zombie goes with the coordinator.
            if self.reap().is_none() {
                tracing::debug!(pid = self.pid(), "killed, and left to be reaped at the end");
            }
        }
    }
}

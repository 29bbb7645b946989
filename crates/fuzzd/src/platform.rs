//! What differs by operating system: memory of a process, process groups, dying with the parent.
//!
//! Owns: the only calls to the system that the standard library does not have. Must not: decide
//! anything.

#[cfg(not(target_os = "linux"))]
compile_error!("fuzzd runs on Linux only so far");

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getppid, kill_process_group,
    set_parent_process_death_signal, waitid,
};

/// The number of a child that was started with [`own_group`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildId(Pid);

impl ChildId {
    /// The number of `child`.
    pub(crate) fn of(child: &Child) -> Self {
        Self(Pid::from_child(child))
    }

    /// Waits for the end of the child and leaves it to be reaped, so that its number stays taken.
    pub(crate) fn wait_for_end(self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // Any other error says that there is nothing to wait for.
        while matches!(waitid(WaitId::Pid(self.0), options), Err(Errno::INTR)) {}
    }

    /// Kills the child and whatever it started in its group. The child must not be reaped yet.
    pub(crate) fn kill_group(self) {
        // It fails when nothing is left to kill, which is what it is for.
        kill_process_group(self.0, Signal::KILL).ok();
    }

    /// The most memory that was resident at once so far, in bytes; `None` when the system does not
    /// say.
    pub(crate) fn peak_rss_bytes(self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.0.as_raw_nonzero());
        let status = std::fs::read_to_string(path).ok()?;
        let kilobytes = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        Some(kilobytes("VmHWM:").or_else(|| kilobytes("VmRSS:"))? << 10)
    }
}

/// The child will lead a process group of its own.
pub(crate) fn own_group(command: &mut Command) {
    command.process_group(0);
}

/// Ends this process when its parent ends. `parent` is the number of the process that started this
/// one: it may have ended before this call.
pub(crate) fn die_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now != Some(parent) {
        return Err(io::Error::other("the process that asked for this replay has ended"));
    }
    Ok(())
}

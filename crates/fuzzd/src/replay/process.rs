//! One child process within its limits.
//!
//! ```text
//! running ─ ends by itself ─────────────► Exited
//!    ├───── deadline ─ kill group ──────► TimedOut
//!    └───── too much memory ─ kill group ► OutOfMemory
//! ```
//!
//! Owns: starting it, watching it, ending it and all of its group, and draining its output. Must
//! not: know what it runs.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::limits::{DRAIN_WAIT, KILL_WAIT, MEMORY_SAMPLE_EVERY};
use crate::platform::{self, ChildId};
use crate::replay::capture::Drain;
use crate::settings::Limits;

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Killed after this time.
    TimedOut(Duration),
    /// Killed when this many bytes were resident.
    OutOfMemory(u64),
}

/// A child that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    /// Beginning and end of its output.
    pub(crate) stderr: Vec<u8>,
}

/// Runs `command` to its end.
pub(crate) fn run(mut command: Command, limits: Limits) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    platform::own_group(&mut command);
    let started = Instant::now();
    let child = command.spawn()?;
    let mut running = Running::new(child);
    let (stdout, stderr) = match (running.child.stdout.take(), running.child.stderr.take()) {
        (Some(stdout), Some(stderr)) => (Drain::start(stdout)?, Drain::start(stderr)?),
        (_, _) => return Err(io::Error::other("the child has no output")),
    };
    let end = running.end()?;
    let ending = running.watch(&end, started, limits)?;
    let deadline = Instant::now() + DRAIN_WAIT;
    let stderr = stderr.finish(deadline);
    drop(stdout.finish(deadline));
    Ok(Ended { ending, stderr })
}

/// A child that was started. Dropping it kills its group, so that no error leaves one running.
struct Running {
    child: Child,
    id: ChildId,
    is_reaped: bool,
}

impl Running {
    fn new(child: Child) -> Self {
        let id = ChildId::of(&child);
        Self { child, id, is_reaped: false }
    }

    /// A channel that closes when the child has ended.
    fn end(&self) -> io::Result<Receiver<()>> {
        let (ended, end) = sync_channel::<()>(1);
        let id = self.id;
        std::thread::Builder::new().name("fuzzd-wait".to_owned()).spawn(move || {
            id.wait_for_end();
            drop(ended);
        })?;
        Ok(end)
    }

    fn watch(
        &mut self,
        end: &Receiver<()>,
        started: Instant,
        limits: Limits,
    ) -> io::Result<Ending> {
        loop {
            let left = limits.timeout.saturating_sub(started.elapsed());
            match end.recv_timeout(left.min(MEMORY_SAMPLE_EVERY)) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                    self.id.kill_group();
                    return Ok(Ending::Exited(self.reap()?));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let (Some(limit), Some(rss)) = (limits.rss_bytes, self.id.peak_rss_bytes())
                && rss > limit
            {
                self.kill(end)?;
                return Ok(Ending::OutOfMemory(rss));
            }
            if started.elapsed() >= limits.timeout {
                self.kill(end)?;
                return Ok(Ending::TimedOut(limits.timeout));
            }
        }
    }

    /// Kills the group and reaps the child, unless the system does not let it go in time.
    fn kill(&mut self, end: &Receiver<()>) -> io::Result<()> {
        self.id.kill_group();
        match end.recv_timeout(KILL_WAIT) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => self.reap().map(drop),
            Err(RecvTimeoutError::Timeout) => {
                self.is_reaped = true;
                Ok(())
            }
        }
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.is_reaped = true;
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.id.kill_group();
            // Reached on the way out with another error; nothing is left to tell.
            drop(self.child.wait());
        }
    }
}

//! Running something in a child process that may not survive it.
//!
//! Owns the child from `fork` to reaping: its standard error is read and bounded, it is killed when
//! its time or memory is over, or when the call must end, and it dies with the worker. Must not
//! judge what the end of a child means (see `fuzzd_core::death`).
//!
//! ```text
//! run ── fork ──► child: stdout away, stderr into a pipe, pipes of the protocol closed
//!  │                └── runs; writes its answer, if it lives, where the parent sees it; _exit(0)
//!  └── waits for: its end │ its stderr │ time, memory or a stop are over: SIGKILL ── reaps
//! ```
//!
//! The child has this thread only. What waits for another thread in it waits until it is killed.

#![expect(unsafe_code, reason = "forking, and what a child may do between fork and _exit")]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use fuzzd_core::death::{Cause, ExitStatus};
use fuzzd_core::limits::STDERR_TAIL_BYTES;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD};
use fuzzd_shm::{SharedMemory, ShmError};

use crate::limits::{FORK_READ_BYTES, FORK_REST_BYTES_MAX, FORK_TICK};

/// What one child may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildLimits {
    /// `None`: as long as it likes.
    pub(crate) timeout: Option<Duration>,
    /// Resident bytes of its own; 0: as many as it likes.
    pub(crate) memory: u64,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It lived to give this answer.
    Answered(u32),
    /// It did not.
    Died { status: ExitStatus, cause: Cause, stderr: String },
    /// It was killed because the call must end.
    Stopped,
}

/// Why there is no telling.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForkError {
    /// The place for the answer.
    #[error("cannot share memory with a child: {0}")]
    Memory(#[from] ShmError),
    /// A call of the system.
    #[error("cannot run a child: {0}")]
    System(#[from] io::Error),
    /// Something that the child started has its standard error open, and would pile up.
    #[error("a child left a process behind")]
    LeftBehind,
}

/// Runs children, one at a time.
#[derive(Debug)]
pub(crate) struct Forker {
    limits: ChildLimits,
    answer: SharedMemory,
    nowhere: File,
}

/// The answer of a child that gave none.
const NONE: u32 = 0;

impl Forker {
    pub(crate) fn new(limits: ChildLimits) -> Result<Self, ForkError> {
        let nowhere = File::options().write(true).open("/dev/null")?;
        // The smallest memory there is.
        Ok(Self { limits, answer: SharedMemory::create(4096)?, nowhere })
    }

    /// Runs `child` in a child; its result, not 0, is the answer. Asks `must_stop` now and then.
    pub(crate) fn run(
        &mut self,
        child: &mut dyn FnMut() -> u32,
        must_stop: &dyn Fn() -> bool,
    ) -> Result<Ended, ForkError> {
        let word = self.answer.region().atomic_u32(0).expect("the memory is larger");
        word.store(NONE, SeqCst);
        let (stderr, child_stderr) = pipe()?;
        let parent = std::process::id();
        // SAFETY: has no arguments. It may be called with more threads around: the child runs with
        // what was in this thread, and what the C library makes ready for a child.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error().into()),
            0 => {
                be_outside(parent, self.nowhere.as_raw_fd(), child_stderr.as_raw_fd());
                end(child, word)
            }
            _ => {
                drop(child_stderr);
                let mut watch = Watch {
                    process: Process::new(pid),
                    stderr: Some(File::from(stderr)),
                    tail: Vec::new(),
                    limits: self.limits,
                    started: Instant::now(),
                };
                let (status, cause) = watch.wait(must_stop)?;
                let Some(cause) = cause else { return Ok(Ended::Stopped) };
                if watch.stderr.is_some() {
                    return Err(ForkError::LeftBehind);
                }
                let answer = word.load(SeqCst);
                if status == ExitStatus::Exited(0) && answer != NONE {
                    return Ok(Ended::Answered(answer));
                }
                Ok(Ended::Died { status, cause, stderr: watch.text() })
            }
        }
    }
}

/// Makes a child a process that the coordinator does not hear, and that dies with its worker.
fn be_outside(parent: u32, nowhere: RawFd, stderr: RawFd) {
    // SAFETY: numbers only. What is closed or replaced is this process's own copy, and nothing
    // here uses the pipes of the protocol again.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if u32::try_from(libc::getppid()) != Ok(parent) {
            // The worker was gone before that.
            libc::_exit(0);
        }
        libc::dup2(nowhere, libc::STDOUT_FILENO);
        libc::dup2(stderr, libc::STDERR_FILENO);
        libc::close(FUZZ_IN_FD);
        libc::close(FUZZ_OUT_FD);
        if stderr > libc::STDERR_FILENO {
            libc::close(stderr);
        }
    }
    print_no_backtrace();
}

/// The standard library prints a backtrace where memory fails, if the environment asks for it. In a
/// large program that takes longer than a child is given, and nobody reads it.
fn print_no_backtrace() {
    // SAFETY: the string, if there is one, ends with a 0, belongs to this process, and its only
    // thread is this one. It gets no longer.
    unsafe {
        let style = libc::getenv(c"RUST_BACKTRACE".as_ptr());
        if !style.is_null() && *style != 0 {
            *style = *c"0".as_ptr();
            *style.add(1) = 0;
        }
    }
}

/// The rest of a child.
fn end(child: &mut dyn FnMut() -> u32, word: &AtomicU32) -> ! {
    // What is further up the stack belongs to the worker.
    let answer = catch_unwind(AssertUnwindSafe(child));
    let status = i32::from(answer.is_err());
    word.store(answer.unwrap_or(NONE), SeqCst);
    // SAFETY: ends the process without anything that only the worker may do at its end.
    unsafe { libc::_exit(status) }
}

/// A pipe that no other program inherits.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: there is room for both numbers.
    if unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // The end of the child blocks, as a pipe of the coordinator does.
    // SAFETY: both are open, and nobody else owns them.
    let (read, write) = unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) };
    // SAFETY: a number that is open, and a flag.
    if unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETFL, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((read, write))
}

/// A child that is not reaped yet. Dropping it kills and reaps it.
struct Process {
    pid: libc::pid_t,
    is_reaped: bool,
}

impl Process {
    fn new(pid: libc::pid_t) -> Self {
        Self { pid, is_reaped: false }
    }

    /// A descriptor that becomes readable when it has ended.
    fn fd(&self) -> io::Result<OwnedFd> {
        // SAFETY: numbers only. The process is not reaped, so that its number is its own.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid, 0) };
        let fd = RawFd::try_from(fd).unwrap_or(-1);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened just now, and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn kill(&self) {
        if !self.is_reaped {
            // SAFETY: the process is not reaped, so that its number is its own.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
        }
    }

    /// Waits for its end.
    fn reap(&mut self) -> ExitStatus {
        let mut status = 0;
        loop {
            // SAFETY: there is room for the status.
            let reaped = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
            if reaped == -1 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
                continue;
            }
            self.is_reaped = true;
            return match reaped {
                -1 => ExitStatus::Unknown,
                _ if libc::WIFEXITED(status) => ExitStatus::Exited(libc::WEXITSTATUS(status)),
                _ => ExitStatus::Signaled(libc::WTERMSIG(status)),
            };
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.kill();
            self.reap();
        }
    }
}

/// A child that runs.
struct Watch {
    process: Process,
    /// `None` after the last writer closed it.
    stderr: Option<File>,
    /// The newest bytes of it.
    tail: Vec<u8>,
    limits: ChildLimits,
    started: Instant,
}

impl Watch {
    /// Waits until the child is gone. The cause is `None` if the call must end.
    fn wait(&mut self, must_stop: &dyn Fn() -> bool) -> io::Result<(ExitStatus, Option<Cause>)> {
        let end = self.process.fd()?;
        let mut cause = Some(Cause::Itself);
        loop {
            let has_ended = self.poll(&end)?;
            self.read_some(FORK_READ_BYTES);
            if has_ended {
                break;
            }
            if must_stop() {
                cause = None;
                break;
            }
            if let Some(alarm) = self.alarm() {
                cause = Some(alarm);
                break;
            }
        }
        self.process.kill();
        let status = self.process.reap();
        self.read_some(FORK_REST_BYTES_MAX);
        Ok((status, cause))
    }

    /// Waits a moment, for its end or for what it writes. Whether it has ended.
    fn poll(&self, end: &OwnedFd) -> io::Result<bool> {
        let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // Those below 0 are passed over.
        let stderr = self.stderr.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let mut entries = [entry(end.as_raw_fd()), entry(stderr)];
        let wait = self.limits.timeout.map_or(FORK_TICK, |timeout| {
            timeout.saturating_sub(self.started.elapsed()).min(FORK_TICK)
        });
        let millis = libc::c_int::try_from(wait.as_millis() + 1).unwrap_or(libc::c_int::MAX);
        // SAFETY: the array has as many entries as are named.
        let found = unsafe { libc::poll(entries.as_mut_ptr(), 2, millis) };
        if found == -1 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(found > 0 && entries[0].revents != 0)
    }

    /// Takes what there is of its standard error, at most about `bytes_max` bytes.
    fn read_some(&mut self, bytes_max: usize) {
        let mut buffer = [0; FORK_READ_BYTES];
        let mut taken = 0;
        while let Some(stderr) = &mut self.stderr
            && taken < bytes_max
        {
            match stderr.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.stderr = None,
                Ok(length) => {
                    taken += length;
                    self.tail.extend_from_slice(&buffer[..length]);
                    let too_many = self.tail.len().saturating_sub(STDERR_TAIL_BYTES);
                    self.tail.drain(..too_many);
                }
            }
        }
    }

    /// Why it has to be killed, if it has.
    fn alarm(&self) -> Option<Cause> {
        let elapsed = self.started.elapsed();
        if let Some(timeout) = self.limits.timeout.filter(|&timeout| elapsed >= timeout) {
            return Some(Cause::Hung { timeout, is_running: true });
        }
        let limit = self.limits.memory;
        if limit == 0 || elapsed < FORK_TICK {
            return None;
        }
        let seen = own_memory(self.process.pid).filter(|&seen| seen > limit)?;
        Some(Cause::Memory { limit, seen })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }
}

/// Resident bytes of a process that it shares with nobody; `None` if the system does not say.
fn own_memory(pid: libc::pid_t) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let mut pages = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    resident.saturating_sub(shared).checked_mul(u64::try_from(page).ok()?)
}

#[cfg(test)]
pub(crate) mod tests;

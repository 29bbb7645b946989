//! Waiting for a process and its output with pidfd and poll.
//!
//! Owns: the loop. The end of the process is the end of the matter, never the end of a pipe: a
//! child of it may hold the pipes for ever.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Ended, Finished, Output, Spawn};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Reads of each pipe after the process has ended: a pipe holds 1 MiB at most, by default 64 KiB.
const LAST_READS_MAX: usize = 32;

pub(super) fn run(mut command: Command, limit: Duration, spawn: Spawn) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let deadline = Instant::now().checked_add(limit).ok_or_else(too_long)?;
    let mut child = spawn(command)?;
    let watched = Watched::new(&mut child).and_then(|mut watched| {
        let is_over = watched.until(deadline)?;
        Ok((is_over, watched))
    });
    // Not reaped yet, so the group cannot be another's. What is left of it ends here.
    let group = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
    // It may have left its group. One that cannot be killed is not waited for.
    child.kill()?;
    let status = child.wait()?;
    match group {
        // A leader that has ended may already count as nobody.
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => return Err(error.into()),
    }
    let (is_over, mut watched) = watched?;
    for pipe in &mut watched.pipes {
        pipe.drain()?;
    }
    let [stdout, stderr] = watched.pipes.map(|pipe| pipe.output);
    let ended = if is_over { Ended::Exited(status) } else { Ended::TimedOut };
    Ok(Finished { ended, stdout, stderr })
}

fn too_long() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "too long a limit")
}

/// One output of the process.
struct Pipe {
    file: File,
    is_open: bool,
    output: Output,
}

struct Watched {
    pidfd: OwnedFd,
    pipes: [Pipe; 2],
}

impl Watched {
    fn new(child: &mut Child) -> io::Result<Self> {
        let lost = || io::Error::other("the pipes of the process are gone");
        let stdout = child.stdout.take().ok_or_else(lost)?;
        let stderr = child.stderr.take().ok_or_else(lost)?;
        let pidfd = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        Ok(Self { pidfd, pipes: [Pipe::new(stdout.into())?, Pipe::new(stderr.into())?] })
    }

    /// Reads until the process has ended. False if the deadline came first.
    fn until(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Ok(false);
            };
            let left = Timespec::try_from(left).map_err(|_| too_long())?;
            let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
            let open = self.pipes.iter().filter(|pipe| pipe.is_open);
            fds.extend(open.map(|pipe| PollFd::new(&pipe.file, PollFlags::IN)));
            match poll(&mut fds, Some(&left)) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if !fds[0].revents().is_empty() {
                return Ok(true);
            }
            for pipe in &mut self.pipes {
                pipe.read()?;
            }
        }
    }
}

impl Pipe {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        // Only of our end: the process waits where it writes.
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(Self { file: fd.into(), is_open: true, output: Output::default() })
    }

    /// One read, which does not wait. False if there is nothing to read.
    fn read(&mut self) -> io::Result<bool> {
        let mut chunk = vec![0; CHUNK_BYTES];
        while self.is_open {
            match self.file.read(&mut chunk) {
                Ok(0) => self.is_open = false,
                Ok(length) => {
                    self.output.push(&chunk[..length]);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// What lay in the pipe when the process ended.
    fn drain(&mut self) -> io::Result<()> {
        for _ in 0..LAST_READS_MAX {
            if !self.read()? {
                break;
            }
        }
        Ok(())
    }
}

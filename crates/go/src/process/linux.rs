//! Waiting for a process and its output with pidfd and poll.
//!
//! Owns: the loop. The end of the process is the end of the matter, never the end of a pipe: a
//! child of it may hold the pipes for ever.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Ended, Finished, Output};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Reads of each pipe after the process has ended: a pipe holds 1 MiB at most, by default 64 KiB.
const LAST_READS_MAX: usize = 32;

pub(super) fn run(mut command: Command, limit: Duration) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let deadline = Instant::now() + limit;
    let mut child = command.spawn()?;
    let watched = Watched::new(&mut child).and_then(|mut watched| {
        let is_over = watched.until(deadline)?;
        Ok((is_over, watched))
    });
    // Not reaped yet, so the group cannot be another's. What is left of it ends here.
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let killed = pid.map(|pid| rustix::process::kill_process_group(pid, Signal::KILL));
    let status = child.wait()?;
    // A leader that has ended may already count as nobody.
    if let Some(Err(error)) = killed
        && error != Errno::SRCH
    {
        return Err(error.into());
    }
    let (is_over, mut watched) = watched?;
    for pipe in &mut watched.pipes {
        pipe.drain()?;
    }
    let [stdout, stderr] = watched.pipes.map(|pipe| pipe.output);
    let ended = if is_over { Ended::Exited(status) } else { Ended::TimedOut };
    Ok(Finished { ended, stdout, stderr })
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
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(lost)?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        let pipe = |fd: OwnedFd| Pipe { file: fd.into(), is_open: true, output: Output::default() };
        Ok(Self { pidfd, pipes: [pipe(stdout.into()), pipe(stderr.into())] })
    }

    /// Reads until the process has ended. False if the deadline came first.
    fn until(&mut self, deadline: Instant) -> io::Result<bool> {
        loop {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Ok(false);
            };
            let left =
                Timespec::try_from(left).map_err(|_| io::Error::other("too long a limit"))?;
            let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
            let open = self.pipes.iter().filter(|pipe| pipe.is_open);
            fds.extend(open.map(|pipe| PollFd::new(&pipe.file, PollFlags::IN)));
            match poll(&mut fds, Some(&left)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !fds[0].revents().is_empty() {
                return Ok(true);
            }
            for pipe in &mut self.pipes {
                pipe.read_if_ready()?;
            }
        }
    }
}

impl Pipe {
    /// One read, if it would not wait. False if there is nothing to read.
    fn read_if_ready(&mut self) -> io::Result<bool> {
        if !self.is_open {
            return Ok(false);
        }
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut fds = [PollFd::from_borrowed_fd(self.file.as_fd(), PollFlags::IN)];
        if poll(&mut fds, Some(&at_once))? == 0 {
            return Ok(false);
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = self.file.read(&mut chunk)?;
        self.output.push(&chunk[..length]);
        self.is_open = length > 0;
        Ok(self.is_open)
    }

    /// What lay in the pipe when the process ended.
    fn drain(&mut self) -> io::Result<()> {
        for _ in 0..LAST_READS_MAX {
            if !self.read_if_ready()? {
                break;
            }
        }
        Ok(())
    }
}

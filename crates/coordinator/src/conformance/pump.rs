//! The pipes of one process, moved by hand.
//!
//! Owns: waiting for the next thing to happen, with a deadline, and what came out of each pipe.
//! Blocking: a conformance run has one process at a time and nothing else to do. Must not know
//! calls.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use fuzzd_protocol::LINE_BYTES_MAX;
use fuzzd_protocol::line::{LineDecoder, LineError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::limits::{OUTPUT_BYTES_MAX, READ_BYTES};
use crate::process::{Child, ExitStatus, GroupSignal, Spawned};

/// What a worker did when it was listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// It wrote a line.
    Line(Vec<u8>),
    /// It ended.
    Ended(ExitStatus),
    /// Nothing within the time.
    Silence,
    /// What it wrote is no line: too long, or cut off by its end.
    NoLine(LineError),
}

/// What can be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Exit,
    FuzzIn,
    FuzzOut,
    Stdout,
    Stderr,
}

/// One process and its pipes.
#[derive(Debug)]
pub(super) struct Pump {
    child: Child,
    status: Option<ExitStatus>,
    fuzz_in: Option<OwnedFd>,
    fuzz_out: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    outgoing: Vec<u8>,
    written: usize,
    decoder: LineDecoder,
    /// The first bytes of standard output.
    pub(super) output: Vec<u8>,
    /// The last bytes of standard error.
    pub(super) complaints: Vec<u8>,
}

impl Pump {
    /// Takes over a process that was just started.
    pub(super) fn new(spawned: Spawned) -> io::Result<Self> {
        let Spawned { child, fuzz_in, fuzz_out, stdout, stderr } = spawned;
        for pipe in [&fuzz_in, &fuzz_out, &stdout, &stderr] {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self {
            child,
            status: None,
            fuzz_in: Some(fuzz_in),
            fuzz_out: Some(fuzz_out),
            stdout: Some(stdout),
            stderr: Some(stderr),
            outgoing: Vec::new(),
            written: 0,
            decoder: LineDecoder::new(LINE_BYTES_MAX),
            output: Vec::new(),
            complaints: Vec::new(),
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Queues bytes for `fuzz_in`; they are written while somebody listens.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.outgoing.drain(..self.written);
        self.written = 0;
        self.outgoing.extend_from_slice(bytes);
    }

    /// Whether everything queued was written, or cannot be any more.
    pub(super) fn has_sent(&self) -> bool {
        self.fuzz_in.is_none() || self.written == self.outgoing.len()
    }

    pub(super) fn close_input(&mut self) {
        self.fuzz_in = None;
    }

    pub(super) fn interrupt(&self) {
        self.child.interrupt();
    }

    pub(super) fn signal(&self, signal: GroupSignal) {
        self.child.signal_group(signal);
    }

    /// The next line, or what came instead within `patience`.
    pub(super) fn hear(&mut self, patience: Duration) -> io::Result<Heard> {
        let deadline = Instant::now() + patience;
        loop {
            match self.decoder.next_line() {
                Ok(Some(line)) => return Ok(Heard::Line(line)),
                Ok(None) => {}
                Err(error) => return Ok(Heard::NoLine(error)),
            }
            if let Some(status) = self.status {
                let is_whole = self.decoder.finish();
                return Ok(is_whole.map_or_else(Heard::NoLine, |()| Heard::Ended(status)));
            }
            if Instant::now() >= deadline {
                return Ok(Heard::Silence);
            }
            self.turn(deadline)?;
        }
    }

    /// Waits until it has ended, whatever it writes meanwhile. `None`: it lives on.
    pub(super) fn end(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + patience;
        while self.status.is_none() && Instant::now() < deadline {
            self.turn(deadline)?;
        }
        Ok(self.status)
    }

    /// Waits for the next thing to happen, but not beyond the deadline, and moves bytes.
    pub(super) fn turn(&mut self, deadline: Instant) -> io::Result<()> {
        for source in self.ready(deadline)? {
            match source {
                Source::Exit => self.take_rest(),
                Source::FuzzIn => self.write_some(),
                Source::FuzzOut => {
                    let bytes = read_some(&mut self.fuzz_out);
                    self.decoder.push(&bytes);
                }
                Source::Stdout => {
                    let bytes = read_some(&mut self.stdout);
                    let room = OUTPUT_BYTES_MAX - self.output.len();
                    self.output.extend_from_slice(&bytes[..bytes.len().min(room)]);
                }
                Source::Stderr => {
                    self.complaints.extend(read_some(&mut self.stderr));
                    let too_many = self.complaints.len().saturating_sub(OUTPUT_BYTES_MAX);
                    self.complaints.drain(..too_many);
                }
            }
        }
        Ok(())
    }

    fn ready(&self, deadline: Instant) -> io::Result<Vec<Source>> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let has_more = self.written < self.outgoing.len();
        let watched = [
            (Source::FuzzOut, self.fuzz_out.as_ref(), PollFlags::IN),
            (Source::Stdout, self.stdout.as_ref(), PollFlags::IN),
            (Source::Stderr, self.stderr.as_ref(), PollFlags::IN),
            (Source::FuzzIn, self.fuzz_in.as_ref().filter(|_| has_more), PollFlags::OUT),
        ];
        let (mut sources, mut fds) = (Vec::new(), Vec::new());
        for (source, fd, flags) in watched {
            if let Some(fd) = fd {
                sources.push(source);
                fds.push(PollFd::new(fd, flags));
            }
        }
        if self.status.is_none() {
            sources.push(Source::Exit);
            fds.push(PollFd::new(&self.child, PollFlags::IN));
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = sources.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|(source, _)| source).collect())
    }

    fn write_some(&mut self) {
        let Some(pipe) = &self.fuzz_in else { return };
        match rustix::io::write(pipe, &self.outgoing[self.written..]) {
            Ok(bytes) => self.written += bytes,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.fuzz_in = None,
        }
    }

    /// The process has ended: takes what it left on `fuzz_out`, then reaps it. Whoever else holds
    /// the pipe may go on writing; the longest line bounds that.
    fn take_rest(&mut self) {
        let mut taken = 0;
        while taken <= LINE_BYTES_MAX {
            let bytes = read_some(&mut self.fuzz_out);
            if bytes.is_empty() {
                break;
            }
            taken += bytes.len();
            self.decoder.push(&bytes);
        }
        self.complaints.extend(read_some(&mut self.stderr));
        self.status = self.child.reap();
    }
}

/// What there is to read now; nothing, and no pipe any more, at its end.
fn read_some(pipe: &mut Option<OwnedFd>) -> Vec<u8> {
    let Some(open) = pipe else { return Vec::new() };
    let mut buffer = vec![0; READ_BYTES];
    match rustix::io::read(&*open, &mut buffer) {
        Ok(0) => *pipe = None,
        Ok(length) => return buffer[..length].to_vec(),
        Err(Errno::AGAIN | Errno::INTR) => {}
        Err(_) => *pipe = None,
    }
    Vec::new()
}

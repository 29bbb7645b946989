//! A worker process, started as a coordinator would start it, and its pipes.
//!
//! Owns: the process, its memory, and the deadline of every wait. Must not know calls.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_integration::limits::DEADLINE;
use fuzzd_integration::process::Watch;
use fuzzd_protocol::line::LineDecoder;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, LINE_BYTES_MAX, MEMORY_FD};
use fuzzd_shm::SharedMemory;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;

pub(crate) struct WorkerProcess {
    child: Child,
    fuzz_in: Option<PipeWriter>,
    fuzz_out: PipeReader,
    lines: LineDecoder,
    pub(crate) memory: SharedMemory,
}

/// No answer came before the deadline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

impl WorkerProcess {
    /// Starts it with a memory of so many bytes.
    pub(crate) fn start(mut command: Command, memory_bytes: usize) -> Self {
        let memory = SharedMemory::create(memory_bytes).unwrap();
        let (their_in, fuzz_in) = pipe().unwrap();
        let (fuzz_out, their_out) = pipe().unwrap();
        let passed = memory.fd().try_clone_to_owned().unwrap();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .fd_mappings(vec![
                FdMapping { parent_fd: their_in.into(), child_fd: FUZZ_IN_FD },
                FdMapping { parent_fd: their_out.into(), child_fd: FUZZ_OUT_FD },
                FdMapping { parent_fd: passed, child_fd: MEMORY_FD },
            ])
            .unwrap();
        let child = command.spawn().unwrap();
        // Their ends of the pipes are closed here.
        drop(command);
        let lines = LineDecoder::new(LINE_BYTES_MAX);
        Self { child, fuzz_in: Some(fuzz_in), fuzz_out, lines, memory }
    }

    pub(crate) fn send(&mut self, line: &[u8]) {
        self.fuzz_in.as_ref().unwrap().write_all(line).unwrap();
    }

    /// The next line; `None` if the worker has closed its end instead.
    pub(crate) fn line(&mut self) -> Option<Vec<u8>> {
        self.line_within(DEADLINE).expect("an answer in time")
    }

    pub(crate) fn line_within(&mut self, patience: Duration) -> Result<Option<Vec<u8>>, Late> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(line) = self.lines.next_line().unwrap() {
                return Ok(Some(line));
            }
            let left = deadline.checked_duration_since(Instant::now()).ok_or(Late)?;
            let left = Timespec::try_from(left).unwrap();
            match poll(&mut [PollFd::new(&self.fuzz_out, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Err(Late),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => panic!("wait for an answer: {error}"),
            }
            let mut piece = vec![0; 1 << 16];
            let length = self.fuzz_out.read(&mut piece).unwrap();
            if length == 0 {
                return Ok(None);
            }
            self.lines.push(&piece[..length]);
        }
    }

    /// Closes the worker's input.
    pub(crate) fn close(&mut self) {
        self.fuzz_in = None;
    }

    /// Waits until it has ended.
    pub(crate) fn end(&mut self) -> ExitStatus {
        assert!(self.watch().has_ended_within(DEADLINE), "the worker lives on");
        self.child.wait().unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn watch(&self) -> Watch {
        Watch::new(self.pid())
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // It may have ended, and been reaped.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

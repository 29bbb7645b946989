//! This executable once more, as a worker whose fuzz test does next to nothing.
//!
//! Owns the process and its pipes, as a coordinator would: calls and replies at 3 and 4, the shared
//! memory at 5. For measurements only.

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::process::{Child, Command};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_protocol::message::{Call, PingCall, PingReply, decode_reply, encode_line};
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, MEMORY_FD, WORKER_ENV, layout};
use fuzzd_shm::SharedMemory;
use serde::de::DeserializeOwned;

/// Bytes of the value in memory.
const CAPACITY: usize = 1 << 20;

/// A worker process and the other ends of its pipes.
pub(crate) struct Worker {
    pub(crate) child: Child,
    pub(crate) memory: SharedMemory,
    calls: PipeWriter,
    replies: BufReader<PipeReader>,
    line: Vec<u8>,
}

impl Worker {
    /// Starts the worker, and gives its answer to the first Ping. Its `main` serves a target when
    /// it finds itself to be one.
    pub(crate) fn start() -> io::Result<(Self, PingReply)> {
        let memory =
            SharedMemory::create(layout::memory_bytes(CAPACITY)).map_err(io::Error::other)?;
        let (fuzz_in, calls) = io::pipe()?;
        let (replies, fuzz_out) = io::pipe()?;
        let mapping = |parent_fd, child_fd| FdMapping { parent_fd, child_fd };
        let mut command = Command::new(std::env::current_exe()?);
        command
            .env(WORKER_ENV, "1")
            .fd_mappings(vec![
                mapping(fuzz_in.into(), FUZZ_IN_FD),
                mapping(fuzz_out.into(), FUZZ_OUT_FD),
                mapping(memory.fd().try_clone_to_owned()?, MEMORY_FD),
            ])
            .map_err(io::Error::other)?;
        let child = command.spawn()?;
        let replies = BufReader::new(replies);
        let mut worker = Self { child, memory, calls, replies, line: Vec::new() };
        let control_offset = Some(layout::control_offset(CAPACITY) as u64);
        let hello = PingCall { proto: Some(1), control_offset, ..PingCall::default() };
        let reply = worker.call(&Call::Ping(hello))?;
        Ok((worker, reply))
    }

    /// One call and its answer.
    pub(crate) fn call<T: DeserializeOwned>(&mut self, call: &Call) -> io::Result<T> {
        self.calls.write_all(&encode_line(call))?;
        self.line.clear();
        self.replies.read_until(b'\n', &mut self.line)?;
        decode_reply(&self.line).map_err(io::Error::other)
    }

    /// Ends the worker as its coordinator would: by closing its input.
    pub(crate) fn end(self) -> io::Result<()> {
        let Self { mut child, calls, .. } = self;
        drop(calls);
        child.wait().map(drop)
    }
}

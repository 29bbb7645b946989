//! This executable once more, as a worker whose fuzz test does next to nothing.
//!
//! Owns the fuzz test, the process and its pipes, as a coordinator would: calls and replies at 3
//! and 4, the shared memory at 5. For measurements only.

use std::hint::black_box;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_protocol::message::{Call, FuzzReply, PingCall, PingReply, decode_reply, encode_line};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, MEMORY_FD, WORKER_ENV, layout};
use fuzzd_shm::SharedMemory;
use fuzzd_worker::{Target, Verdict};
use serde::de::DeserializeOwned;

/// Bytes of the value in memory.
const CAPACITY: usize = 1 << 20;

/// Bytes of an input that fails, at least.
pub(crate) const FAILS_FROM_BYTES: usize = 2000;

/// What the instrumented program counts with.
pub(crate) static COUNTERS: [AtomicU8; 14_030] = [const { AtomicU8::new(0) }; 14_030];

/// Those that an execution hits, by ascending index: blocks of three functions.
pub(crate) const HIT: [u32; 6] = [100, 101, 7_000, 7_001, 13_500, 13_502];

/// A fuzz test that does nothing but count, and panics if the input is long.
pub(crate) struct Empty;

impl Target for Empty {
    fn types(&self) -> &[ValueType] {
        &[ValueType::Bytes]
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        for index in HIT {
            let cell = &COUNTERS[index as usize];
            cell.store(cell.load(Relaxed).wrapping_add(1), Relaxed);
        }
        assert!(black_box(input).len() < FAILS_FROM_BYTES, "too long");
        Verdict::Pass
    }
}

/// A worker process and the other ends of its pipes.
pub(crate) struct Worker {
    child: Child,
    memory: SharedMemory,
    calls: PipeWriter,
    replies: BufReader<PipeReader>,
    line: Vec<u8>,
}

impl Worker {
    /// Starts the worker. Its `main` serves a target when it finds itself to be one.
    pub(crate) fn start() -> io::Result<Self> {
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
        worker.call::<PingReply>(&Call::Ping(hello))?;
        Ok(worker)
    }

    /// A `Fuzz` call that begins with this input, whatever the last one made of its own.
    pub(crate) fn fuzz(&mut self, input: &[u8], call: &Call) -> io::Result<FuzzReply> {
        let region = self.memory.region();
        region.store_u64(layout::COUNT, 0).map_err(io::Error::other)?;
        region.store_u64(layout::VALUE_LEN, input.len() as u64).map_err(io::Error::other)?;
        region.write(layout::HEADER_BYTES, input).map_err(io::Error::other)?;
        self.call(call)
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

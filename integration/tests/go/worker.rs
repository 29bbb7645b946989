//! One Go worker, driven call by call.
//!
//! Owns: its process, pipes and memory. Must not judge what it answers.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_go::rebuild::Memory;
use fuzzd_integration::go;
use fuzzd_integration::limits::DEADLINE;
use fuzzd_integration::process::Watch;
use fuzzd_protocol::layout::{HEADER_BYTES, Header};
use fuzzd_protocol::line::LineDecoder;
use fuzzd_protocol::message::{
    Call, FuzzReply, MinimizeReply, PingCall, decode_reply, encode_line,
};
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, LINE_BYTES_MAX, MEMORY_FD};
use fuzzd_shm::SharedMemory;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;

pub(crate) struct Worker {
    child: Child,
    fuzz_in: Option<PipeWriter>,
    fuzz_out: PipeReader,
    lines: LineDecoder,
    memory: SharedMemory,
    capacity: usize,
}

/// What lay in the memory, copied out.
pub(crate) struct Picture {
    pub(crate) header: Header,
    value: Vec<u8>,
    capacity: usize,
}

impl Picture {
    pub(crate) fn memory(&self) -> Memory<'_> {
        Memory { header: self.header, value: &self.value, capacity: self.capacity }
    }
}

/// No answer came before the deadline.
#[derive(Debug, PartialEq, Eq)]
struct Late;

impl Worker {
    /// A worker for one fuzz test, which has answered its first call.
    pub(crate) fn start(
        binary: &Path,
        test: &str,
        capacity: usize,
        environment: &[(&str, String)],
    ) -> Self {
        let mut worker = Self::spawn(binary, test, capacity, environment);
        let pong = worker.line_for(&Call::Ping(PingCall::default()));
        assert_eq!(pong.as_deref(), Some(b"{}".as_slice()), "a Go worker answers {{}}");
        worker
    }

    fn spawn(binary: &Path, test: &str, capacity: usize, environment: &[(&str, String)]) -> Self {
        let memory = SharedMemory::create(HEADER_BYTES + capacity).unwrap();
        let (their_in, fuzz_in) = pipe().unwrap();
        let (fuzz_out, their_out) = pipe().unwrap();
        let mut command = Command::new(binary);
        command
            .args(["-test.fuzzworker", "-test.paniconexit0", "-test.fuzzcachedir=/nonexistent"])
            .args(["-test.run=^$", &format!("-test.fuzz=^{test}$")])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .fd_mappings(vec![
                FdMapping { parent_fd: their_in.into(), child_fd: FUZZ_IN_FD },
                FdMapping { parent_fd: their_out.into(), child_fd: FUZZ_OUT_FD },
                FdMapping {
                    parent_fd: memory.fd().try_clone_to_owned().unwrap(),
                    child_fd: MEMORY_FD,
                },
            ])
            .unwrap();
        let child = command.spawn().unwrap();
        // Their ends of the pipes are closed here.
        drop(command);
        let lines = LineDecoder::new(LINE_BYTES_MAX);
        Self { child, fuzz_in: Some(fuzz_in), fuzz_out, lines, memory, capacity }
    }

    /// Writes a value, and clears everything before it.
    pub(crate) fn put(&self, text: &[u8]) {
        assert!(text.len() <= self.capacity);
        let header = Header { value_len: i64::try_from(text.len()).unwrap(), ..Header::default() };
        self.memory.region().write(0, &header.to_bytes()).unwrap();
        self.memory.region().write(HEADER_BYTES, text).unwrap();
    }

    pub(crate) fn fuzz(&mut self, call: &Call) -> Option<FuzzReply> {
        self.line_for(call).map(|line| decode_reply(&line).unwrap())
    }

    pub(crate) fn minimize(&mut self, call: &Call) -> Option<MinimizeReply> {
        self.line_for(call).map(|line| decode_reply(&line).unwrap())
    }

    pub(crate) fn picture(&self) -> Picture {
        let mut header = [0; HEADER_BYTES];
        self.memory.region().read(0, &mut header).unwrap();
        let header = Header::from_bytes(&header);
        let mut value = vec![0; usize::try_from(header.value_len).unwrap().min(self.capacity)];
        self.memory.region().read(HEADER_BYTES, &mut value).unwrap();
        Picture { header, value, capacity: self.capacity }
    }

    /// The line of the answer; `None` if the worker has closed its end instead.
    fn line_for(&mut self, call: &Call) -> Option<Vec<u8>> {
        self.line_within(call, DEADLINE).expect("an answer in time")
    }

    fn line_within(&mut self, call: &Call, patience: Duration) -> Result<Option<Vec<u8>>, Late> {
        let mut fuzz_in = self.fuzz_in.as_ref().unwrap();
        fuzz_in.write_all(&encode_line(call)).unwrap();
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

    /// Closes the worker's input and waits until it has ended.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.fuzz_in = None;
        assert!(self.watch().has_ended_within(DEADLINE), "the worker lives on");
        self.child.wait().unwrap()
    }

    fn watch(&self) -> Watch {
        Watch::new(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.watch().has_ended_within(Duration::ZERO) {
            self.child.kill().unwrap_or_default();
        }
        self.child.wait().map(drop).unwrap_or_default();
    }
}

#[test]
fn a_worker_that_does_not_answer_is_not_waited_for_beyond_the_deadline() {
    let Some(binary) = go::test_binary() else { return };
    let mut worker = Worker::spawn(binary, "FuzzHangs", 4096, &[]);
    let ping = Call::Ping(PingCall::default());
    assert_eq!(worker.line_within(&ping, Duration::from_millis(200)), Err(Late));
}

//! One worker of either dialect, driven step by step, and every step written down.
//!
//! Owns: its process, pipes and memory. Must not judge what it answers.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_integration::limits::DEADLINE;
use fuzzd_integration::process::Watch;
use fuzzd_protocol::layout::{self, HEADER_BYTES, Header};
use fuzzd_protocol::line::LineDecoder;
use fuzzd_protocol::message::{Call, encode_line};
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, LINE_BYTES_MAX, MEMORY_FD, WORKER_ENV};
use fuzzd_shm::SharedMemory;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::transcript::Step;

/// Bytes of the control block that say something.
const CONTROL_SHOWN: usize = 16;

pub(crate) struct Driver {
    child: Child,
    fuzz_in: Option<PipeWriter>,
    fuzz_out: PipeReader,
    lines: LineDecoder,
    memory: SharedMemory,
    control: Option<usize>,
    pub(crate) steps: Vec<Step>,
}

impl Driver {
    /// A worker with room for `capacity` bytes, and a control block if it is a native one.
    pub(crate) fn start(mut command: Command, capacity: usize, is_native: bool) -> Self {
        let bytes =
            if is_native { layout::memory_bytes(capacity) } else { HEADER_BYTES + capacity };
        let memory = SharedMemory::create(bytes).unwrap();
        let (their_in, fuzz_in) = pipe().unwrap();
        let (fuzz_out, their_out) = pipe().unwrap();
        let passed = memory.fd().try_clone_to_owned().unwrap();
        command
            .env(WORKER_ENV, "1")
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
        let control = is_native.then(|| layout::control_offset(capacity));
        let (lines, steps) = (LineDecoder::new(LINE_BYTES_MAX), Vec::new());
        Self { child, fuzz_in: Some(fuzz_in), fuzz_out, lines, memory, control, steps }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory.region().len()
    }

    /// As `Ping` names it.
    pub(crate) fn control_offset(&self) -> Option<u64> {
        self.control.map(|offset| offset as u64)
    }

    /// Puts a value into the memory.
    pub(crate) fn put(&mut self, value: &[u8]) {
        let value_len = i64::try_from(value.len()).unwrap();
        let header = Header { value_len, ..Header::default() };
        let region = self.memory.region();
        region.write(0, &header.to_bytes()).unwrap();
        region.write(HEADER_BYTES, value).unwrap();
        if let Some(control) = self.control {
            region.write(control, &[0; CONTROL_SHOWN]).unwrap();
        }
        self.steps.push(Step::Value(value.to_vec()));
    }

    pub(crate) fn send(&mut self, call: &Call) {
        let line = encode_line(call);
        let mut fuzz_in = self.fuzz_in.as_ref().unwrap();
        fuzz_in.write_all(&line).unwrap();
        self.steps.push(Step::Call(text(&line[..line.len() - 1])));
    }

    /// Waits until something is executed.
    pub(crate) fn wait_for_executions(&self) {
        let deadline = Instant::now() + DEADLINE;
        while self.memory.region().load_u64(layout::COUNT).unwrap() == 0 {
            assert!(Instant::now() < deadline, "nothing is executed");
            let nothing: &mut [PollFd<'_>] = &mut [];
            let moment = Timespec::try_from(Duration::from_millis(1)).unwrap();
            poll(nothing, Some(&moment)).unwrap();
        }
    }

    /// The line of the answer; `None` if the worker has closed its end instead.
    pub(crate) fn reply(&mut self) -> Option<Vec<u8>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(line) = self.lines.next_line().unwrap() {
                self.steps.push(Step::Reply(text(&line)));
                return Some(line);
            }
            let left = deadline.checked_duration_since(Instant::now()).expect("in time");
            let left = Timespec::try_from(left).unwrap();
            poll(&mut [PollFd::new(&self.fuzz_out, PollFlags::IN)], Some(&left)).unwrap();
            let mut piece = vec![0; 1 << 16];
            let length = self.fuzz_out.read(&mut piece).unwrap();
            if length == 0 {
                return None;
            }
            self.lines.push(&piece[..length]);
        }
    }

    /// Writes down what lies in the memory.
    pub(crate) fn look(&mut self) {
        let region = self.memory.region();
        let mut header = [0; HEADER_BYTES];
        region.read(0, &mut header).unwrap();
        let length = usize::try_from(Header::from_bytes(&header).value_len).unwrap();
        let mut value = vec![0; length];
        region.read(HEADER_BYTES, &mut value).unwrap();
        let mut control = vec![0; self.control.map_or(0, |_| CONTROL_SHOWN)];
        region.read(self.control.unwrap_or(0), &mut control).unwrap();
        self.steps.push(Step::Memory { header: header.to_vec(), value, control });
    }

    pub(crate) fn interrupt(&mut self) {
        kill_process(self.pid(), Signal::INT).unwrap();
        self.steps.push(Step::Act("SIGINT"));
    }

    pub(crate) fn close(&mut self) {
        self.fuzz_in = None;
        self.steps.push(Step::Act("close fuzz_in"));
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) {
        assert!(Watch::new(self.pid()).has_ended_within(DEADLINE), "the worker lives on");
        let status = self.child.wait().unwrap();
        self.steps.push(Step::End { status: status.code(), signal: status.signal() });
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).expect("a message is text")
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended, and been reaped.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

//! One worker of either dialect, driven step by step, and every step written down.
//!
//! Owns: the steps, and what is put into its memory. Must not judge what it answers.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use fuzzd_integration::limits::DEADLINE;
use fuzzd_protocol::WORKER_ENV;
use fuzzd_protocol::layout::{self, HEADER_BYTES, Header};
use fuzzd_protocol::message::{Call, encode_line};
use rustix::event::{PollFd, Timespec, poll};
use rustix::process::{Signal, kill_process};

use crate::transcript::Step;
use crate::worker_process::WorkerProcess;

/// Bytes of the control block that say something.
const CONTROL_SHOWN: usize = 16;

pub(crate) struct Driver {
    process: WorkerProcess,
    control: Option<usize>,
    pub(crate) steps: Vec<Step>,
}

impl Driver {
    /// A worker with room for `capacity` bytes, and a control block if it is a native one.
    pub(crate) fn start(mut command: Command, capacity: usize, is_native: bool) -> Self {
        let bytes =
            if is_native { layout::memory_bytes(capacity) } else { HEADER_BYTES + capacity };
        command.env(WORKER_ENV, "1");
        let control = is_native.then(|| layout::control_offset(capacity));
        Self { process: WorkerProcess::start(command, bytes), control, steps: Vec::new() }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.process.memory.region().len()
    }

    /// As `Ping` names it.
    pub(crate) fn control_offset(&self) -> Option<u64> {
        self.control.map(|offset| offset as u64)
    }

    /// Puts a value into the memory.
    pub(crate) fn put(&mut self, value: &[u8]) {
        let value_len = i64::try_from(value.len()).unwrap();
        let header = Header { value_len, ..Header::default() };
        let region = self.process.memory.region();
        region.write(0, &header.to_bytes()).unwrap();
        region.write(HEADER_BYTES, value).unwrap();
        if let Some(control) = self.control {
            region.write(control, &[0; CONTROL_SHOWN]).unwrap();
        }
        self.steps.push(Step::Value(value.to_vec()));
    }

    pub(crate) fn send(&mut self, call: &Call) {
        let line = encode_line(call);
        self.process.send(&line);
        self.steps.push(Step::Call(text(&line[..line.len() - 1])));
    }

    /// Waits until something is executed.
    pub(crate) fn wait_for_executions(&self) {
        let deadline = Instant::now() + DEADLINE;
        while self.process.memory.region().load_u64(layout::COUNT).unwrap() == 0 {
            assert!(Instant::now() < deadline, "nothing is executed");
            let nothing: &mut [PollFd<'_>] = &mut [];
            let moment = Timespec::try_from(Duration::from_millis(1)).unwrap();
            poll(nothing, Some(&moment)).unwrap();
        }
    }

    /// The line of the answer; `None` if the worker has closed its end instead.
    pub(crate) fn reply(&mut self) -> Option<Vec<u8>> {
        let line = self.process.line();
        self.steps.extend(line.as_deref().map(|line| Step::Reply(text(line))));
        line
    }

    /// Writes down what lies in the memory.
    pub(crate) fn look(&mut self) {
        let region = self.process.memory.region();
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
        kill_process(self.process.pid(), Signal::INT).unwrap();
        self.steps.push(Step::Act("SIGINT"));
    }

    pub(crate) fn close(&mut self) {
        self.process.close();
        self.steps.push(Step::Act("close fuzz_in"));
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) {
        let status = self.process.end();
        self.steps.push(Step::End { status: status.code(), signal: status.signal() });
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).expect("a message is text")
}

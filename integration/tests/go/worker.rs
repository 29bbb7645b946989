//! One Go worker, driven call by call.
//!
//! Owns: what is put into its memory and read from it. Must not judge what it answers.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use fuzzd_go::rebuild::Memory;
use fuzzd_integration::go;
use fuzzd_protocol::layout::{HEADER_BYTES, Header};
use fuzzd_protocol::message::{
    Call, FuzzReply, MinimizeReply, PingCall, decode_reply, encode_line,
};

use crate::worker_process::{Late, WorkerProcess};

pub(crate) struct Worker {
    process: WorkerProcess,
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
        let mut command = Command::new(binary);
        command
            .args(["-test.fuzzworker", "-test.paniconexit0", "-test.fuzzcachedir=/nonexistent"])
            .args(["-test.run=^$", &format!("-test.fuzz=^{test}$")])
            .envs(environment.iter().map(|(name, value)| (name, value)));
        Self { process: WorkerProcess::start(command, HEADER_BYTES + capacity), capacity }
    }

    /// Writes a value, and clears everything before it.
    pub(crate) fn put(&self, text: &[u8]) {
        assert!(text.len() <= self.capacity);
        let header = Header { value_len: i64::try_from(text.len()).unwrap(), ..Header::default() };
        self.process.memory.region().write(0, &header.to_bytes()).unwrap();
        self.process.memory.region().write(HEADER_BYTES, text).unwrap();
    }

    pub(crate) fn fuzz(&mut self, call: &Call) -> Option<FuzzReply> {
        self.line_for(call).map(|line| decode_reply(&line).unwrap())
    }

    pub(crate) fn minimize(&mut self, call: &Call) -> Option<MinimizeReply> {
        self.line_for(call).map(|line| decode_reply(&line).unwrap())
    }

    pub(crate) fn picture(&self) -> Picture {
        let mut header = [0; HEADER_BYTES];
        self.process.memory.region().read(0, &mut header).unwrap();
        let header = Header::from_bytes(&header);
        let mut value = vec![0; usize::try_from(header.value_len).unwrap().min(self.capacity)];
        self.process.memory.region().read(HEADER_BYTES, &mut value).unwrap();
        Picture { header, value, capacity: self.capacity }
    }

    /// The line of the answer; `None` if the worker has closed its end instead.
    fn line_for(&mut self, call: &Call) -> Option<Vec<u8>> {
        self.process.send(&encode_line(call));
        self.process.line()
    }

    /// Closes the worker's input and waits until it has ended.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.process.close();
        self.process.end()
    }
}

#[test]
fn a_worker_that_does_not_answer_is_not_waited_for_beyond_the_deadline() {
    let Some(binary) = go::test_binary() else { return };
    let mut worker = Worker::spawn(binary, "FuzzHangs", 4096, &[]);
    worker.process.send(&encode_line(&Call::Ping(PingCall::default())));
    assert_eq!(worker.process.line_within(Duration::from_millis(200)), Err(Late));
}

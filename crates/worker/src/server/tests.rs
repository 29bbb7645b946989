//! The server in one process: heap memory, counters that are plain atomics, fuzz tests that are
//! closures. Used by the tests of the calls too.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use fuzzd_protocol::layout;
use fuzzd_protocol::message::{FuzzCall, MinimizeCall, decode_reply};
use fuzzd_protocol::value::ValueType;
use serde::de::DeserializeOwned;

use super::*;
use crate::failure;
use crate::target::Verdict;

/// Bytes of the value in the memories of tests.
pub(crate) const CAPACITY: usize = 4096;

/// Where their control block lies.
pub(crate) const CONTROL: usize = layout::control_offset(CAPACITY);

/// A fuzz test made of a closure.
pub(crate) struct FakeTarget<F> {
    pub(crate) types: Vec<ValueType>,
    pub(crate) seeds: Vec<Vec<u8>>,
    pub(crate) test: F,
}

impl<F: Fn(&[u8]) -> Verdict> Target for FakeTarget<F> {
    fn types(&self) -> &[ValueType] {
        &self.types
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        self.seeds.clone()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        (self.test)(input)
    }
}

/// Counters of a fake target. They live as long as the test process.
pub(crate) fn fake_counters(count: usize) -> &'static [AtomicU8] {
    Box::leak((0..count).map(|_| AtomicU8::new(0)).collect())
}

/// Hits one counter.
pub(crate) fn hit(counters: &[AtomicU8], index: usize) {
    counters[index].fetch_add(1, Relaxed);
}

/// Nothing is shared with a worker in one process.
fn no_shared(_fd: i32) -> Result<ReadOnlyMemory, ShmError> {
    Err(ShmError::Unsupported)
}

/// A worker and the memory it shares with the test.
pub(crate) struct Fixture<'a> {
    pub(crate) region: &'static Region,
    pub(crate) server: Server<'a>,
}

impl<'a> Fixture<'a> {
    /// A worker that has answered Ping.
    pub(crate) fn new(target: &'a dyn Target, counters: &'static [AtomicU8]) -> Self {
        let mut fixture = Self::unasked(target, counters);
        let call = PingCall {
            proto: Some(1),
            control_offset: Some(CONTROL as u64),
            ..PingCall::default()
        };
        let _reply: PingReply = fixture.call(Call::Ping(call));
        fixture
    }

    /// A worker that was not asked anything yet.
    pub(crate) fn unasked(target: &'a dyn Target, counters: &'static [AtomicU8]) -> Self {
        failure::install_hook();
        let region: &'static Region =
            Box::leak(Box::new(Region::heap(layout::memory_bytes(CAPACITY))));
        let no_control: &'static NoControl = Box::leak(Box::default());
        let interrupted: &'static AtomicBool = Box::leak(Box::default());
        let counters = Counters::over([counters]);
        let server =
            Server::new(target, region, no_control, counters, interrupted, &no_shared).unwrap();
        Self { region, server }
    }

    /// One call, with the counts set to 0 as the coordinator does.
    pub(crate) fn call<T: DeserializeOwned>(&mut self, call: Call) -> T {
        self.region.store_u64(layout::COUNT, 0).unwrap();
        self.region.store_u64(CONTROL + layout::OTHER_COUNT, 0).unwrap();
        let _gate = matches!(call, Call::Fuzz(_)).then(crate::hooks::tests::gate);
        let line = self.server.answer(call).unwrap();
        assert_eq!(line.last(), Some(&b'\n'));
        assert_eq!(self.region.load_u32(CONTROL + layout::PHASE), Ok(layout::PHASE_IDLE));
        decode_reply(&line[..line.len() - 1]).unwrap()
    }

    /// What the calls work with, for tests of a part of a call.
    pub(crate) fn parts(&mut self) -> (&mut Runner<'a>, &mut Engine<'a>) {
        (&mut self.server.runner, &mut self.server.engine)
    }

    /// A Fuzz call on `input`.
    pub(crate) fn fuzz(&mut self, input: &[u8], call: FuzzCall) -> FuzzReply {
        self.set_value(input);
        self.call(Call::Fuzz(call))
    }

    /// A Minimize call on `input`.
    pub(crate) fn minimize(&mut self, input: &[u8], call: MinimizeCall) -> MinimizeReply {
        self.set_value(input);
        self.call(Call::Minimize(call))
    }

    pub(crate) fn set_value(&self, input: &[u8]) {
        self.region.write(layout::HEADER_BYTES, input).unwrap();
        self.region.store_u64(layout::VALUE_LEN, input.len() as u64).unwrap();
    }

    /// The value, as the coordinator reads it.
    pub(crate) fn value(&self) -> Vec<u8> {
        let len = self.region.load_u64(layout::VALUE_LEN).unwrap();
        let mut value = vec![0; usize::try_from(len).unwrap()];
        self.region.read(layout::HEADER_BYTES, &mut value).unwrap();
        value
    }
}

fn pass_target() -> FakeTarget<impl Fn(&[u8]) -> Verdict> {
    FakeTarget {
        types: vec![ValueType::String, ValueType::Uint16],
        seeds: vec![b"\x02\0\0\0ab\x07\0".to_vec(), b"\xff\xff".to_vec()],
        test: |_: &[u8]| Verdict::Pass,
    }
}

#[test]
fn ping_tells_what_the_worker_is() {
    let target = pass_target();
    let mut fixture = Fixture::unasked(&target, fake_counters(300));
    let call =
        PingCall { proto: Some(9), control_offset: Some(CONTROL as u64), ..PingCall::default() };
    let reply: PingReply = fixture.call(Call::Ping(call));
    assert_eq!(reply.proto, Some(PROTOCOL_VERSION), "the highest version both speak");
    assert_eq!(reply.counters, Some(300));
    assert_eq!(reply.types, ["string", "uint16"]);
    assert_eq!(reply.seeds, 2);
    for cap in [caps::INPUT_IN_MEMORY, caps::COVERAGE_SPARSE, caps::IGNORE, caps::SEEDS] {
        assert!(reply.caps.iter().any(|announced| announced == cap), "{cap}");
    }
    assert!(reply.caps.iter().any(|announced| announced == caps::CONTROL));
    let call = PingCall { proto: Some(1), control_offset: None, ..PingCall::default() };
    let reply: PingReply = fixture.call(Call::Ping(call));
    assert!(reply.caps.iter().all(|announced| announced != caps::CONTROL));
    let call = PingCall { proto: Some(0), control_offset: None, ..PingCall::default() };
    let reply: PingReply = fixture.call(Call::Ping(call));
    assert_eq!(reply.proto, Some(1), "the lowest this worker speaks, for a caller that does not");
}

#[test]
fn without_a_version_nothing_is_announced_and_nothing_is_run() {
    let runs = Cell::new(0);
    let target = FakeTarget {
        types: vec![ValueType::Bytes],
        seeds: Vec::new(),
        test: |_: &[u8]| {
            runs.set(runs.get() + 1);
            Verdict::Pass
        },
    };
    let mut fixture = Fixture::unasked(&target, fake_counters(1));
    let reply: PingReply = fixture.call(Call::Ping(PingCall::default()));
    assert_eq!(reply, PingReply::default());
    let reply = fixture.fuzz(b"x", FuzzCall { limit: 5, ..FuzzCall::default() });
    assert!(reply.internal_err.contains("Ping"), "{}", reply.internal_err);
    assert!(!fixture.minimize(b"x", MinimizeCall::default()).wrote_to_mem);
    assert_eq!(runs.get(), 0);
}

#[test]
fn a_control_block_outside_the_memory_ends_the_worker() {
    let target = pass_target();
    let mut fixture = Fixture::unasked(&target, fake_counters(1));
    let call = PingCall { proto: Some(1), control_offset: Some(1 << 40), ..PingCall::default() };
    assert!(matches!(fixture.server.answer(Call::Ping(call)), Err(ServeError::Memory(_))));
}

#[test]
fn seeds_come_in_memory_form_and_unknown_ones_are_refused() {
    let target = pass_target();
    let mut fixture = Fixture::new(&target, fake_counters(1));
    let reply: SeedReply = fixture.call(Call::Seed(SeedCall { index: 0 }));
    assert_eq!(reply, SeedReply { total: 2, internal_err: String::new() });
    assert_eq!(fixture.value(), b"\x02\0\0\0ab\x07\0");
    let _: SeedReply = fixture.call(Call::Seed(SeedCall { index: 1 }));
    assert_eq!(fixture.value(), b"\0\0\0\0\0\0", "a seed is made canonical");
    for index in [2, u64::MAX] {
        let reply: SeedReply = fixture.call(Call::Seed(SeedCall { index }));
        assert_eq!(reply.internal_err, format!("there is no seed {index}, only 2"));
    }
}

#[test]
fn a_seed_beyond_the_memory_is_refused() {
    let target = FakeTarget { seeds: vec![vec![0; CAPACITY * 2]], ..pass_target() };
    let target = FakeTarget { types: vec![ValueType::Bytes], ..target };
    let mut fixture = Fixture::new(&target, fake_counters(1));
    let reply: SeedReply = fixture.call(Call::Seed(SeedCall { index: 0 }));
    assert!(reply.internal_err.contains("8192 bytes"), "{}", reply.internal_err);
}

/// Serves what `feed` writes; gives the result and the lines that came back.
fn serve_stream(feed: &[u8]) -> (Result<(), ServeError>, Vec<String>) {
    let target = pass_target();
    let mut fixture = Fixture::unasked(&target, fake_counters(1));
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(feed).unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let interrupted = AtomicBool::new(false);
    let mut pipes = Pipes::new(theirs.try_clone().unwrap(), theirs, &interrupted);
    let result = fixture.server.serve(&mut pipes);
    drop(pipes);
    (result, BufReader::new(ours).lines().map(|line| line.unwrap()).collect())
}

#[test]
fn calls_are_answered_in_order_until_the_stream_ends() {
    let calls = b"{\"Ping\":{\"Proto\":1}}\r\n{\"Ping\":{},\"Fuzz\":null,\"Minimize\":null}\n";
    let (result, lines) = serve_stream(calls);
    assert!(result.is_ok());
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("\"Proto\":1"), "{}", lines[0]);
    assert_eq!(lines[1], "{}");
}

#[test]
fn a_line_that_is_no_call_ends_the_worker_with_an_error() {
    for (feed, expected) in [
        (&b"{}\n"[..], "cannot understand a call: "),
        (b"\xff\n", "cannot understand a call: "),
        (
            b"{\"Ping\":{}}\n{\"Pi",
            "cannot read a call from fuzz_in: the stream ended inside a line",
        ),
    ] {
        let (result, _) = serve_stream(feed);
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn an_interrupt_ends_the_worker_after_the_reply() {
    let target = pass_target();
    let mut fixture = Fixture::unasked(&target, fake_counters(1));
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"{\"Ping\":{}}\n{\"Ping\":{}}\n").unwrap();
    let interrupted = AtomicBool::new(true);
    let mut pipes = Pipes::new(theirs.try_clone().unwrap(), theirs, &interrupted);
    assert!(fixture.server.serve(&mut pipes).is_ok(), "the stream is still open");
}

#[test]
fn a_reader_that_is_gone_ends_the_worker_quietly() {
    let target = pass_target();
    let mut fixture = Fixture::unasked(&target, fake_counters(1));
    let (mut calls, fuzz_in) = UnixStream::pair().unwrap();
    let (replies, fuzz_out) = UnixStream::pair().unwrap();
    drop(replies);
    calls.write_all(b"{\"Ping\":{}}\n").unwrap();
    let interrupted = AtomicBool::new(false);
    let mut pipes = Pipes::new(fuzz_in, fuzz_out, &interrupted);
    assert!(fixture.server.serve(&mut pipes).is_ok());
}

//! How fast the engine is: processor time per execution of a fuzz test that does nothing, the cost
//! of an ignored failure, and the round trip of a call. Run it with `--release`.
//!
//! To measure with counters, instrument this example alone:
//! `cargo rustc --release --example rate -- -Cpasses=sancov-module
//! -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
//! -Cllvm-args=-sanitizer-coverage-pc-table`

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::Instant;

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, PingCall, PingReply, decode_reply, encode_line,
};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, MEMORY_FD, WORKER_ENV, layout};
use fuzzd_shm::SharedMemory;
use fuzzd_worker::{Target, Verdict};
use serde::de::DeserializeOwned;

/// Bytes of the value in memory.
const CAPACITY: usize = 1 << 20;

/// Calls measured for the round trip.
const ROUND_TRIPS: u32 = 20_000;

/// Bytes that decide what the fuzz test does.
struct Empty;

impl Target for Empty {
    fn types(&self) -> &[ValueType] {
        &[ValueType::Bytes]
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        black_box(input);
        assert!(input.len() < 2000, "too long");
        Verdict::Pass
    }
}

struct Worker {
    child: Child,
    memory: SharedMemory,
    calls: PipeWriter,
    replies: BufReader<PipeReader>,
}

impl Worker {
    fn spawn() -> Result<Self, Box<dyn Error>> {
        let memory = SharedMemory::create(layout::memory_bytes(CAPACITY))?;
        let (fuzz_in, calls) = std::io::pipe()?;
        let (replies, fuzz_out) = std::io::pipe()?;
        let mapping = |parent_fd: OwnedFd, child_fd| FdMapping { parent_fd, child_fd };
        let mut command = Command::new(std::env::current_exe()?);
        command.env(WORKER_ENV, "1").fd_mappings(vec![
            mapping(fuzz_in.into(), FUZZ_IN_FD),
            mapping(fuzz_out.into(), FUZZ_OUT_FD),
            mapping(memory.fd().try_clone_to_owned()?, MEMORY_FD),
        ])?;
        let child = command.spawn()?;
        Ok(Self { child, memory, calls, replies: BufReader::new(replies) })
    }

    fn call<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, Box<dyn Error>> {
        self.calls.write_all(&encode_line(call))?;
        let mut line = Vec::new();
        self.replies.read_until(b'\n', &mut line)?;
        Ok(decode_reply(&line)?)
    }

    fn fuzz(&mut self, input: &[u8], call: FuzzCall) -> Result<FuzzReply, Box<dyn Error>> {
        let region = self.memory.region();
        region.store_u64(layout::COUNT, 0)?;
        region.store_u64(layout::VALUE_LEN, input.len() as u64)?;
        region.write(layout::HEADER_BYTES, input)?;
        self.call(&Call::Fuzz(call))
    }

    /// Processor time of a call per execution.
    fn nanos_per_execution(&mut self, input: &[u8], call: FuzzCall) -> Result<f64, Box<dyn Error>> {
        let before = self.processor_nanos()?;
        let reply = self.fuzz(input, call)?;
        #[expect(clippy::cast_precision_loss, reason = "a measurement")]
        Ok((self.processor_nanos()? - before) as f64 / reply.count.max(1) as f64)
    }

    /// Processor time of the worker's first thread, which runs the fuzz test.
    fn processor_nanos(&self) -> Result<u64, Box<dyn Error>> {
        let times = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()))?;
        Ok(times.split(' ').next().ok_or("schedstat is empty")?.parse()?)
    }
}

#[expect(clippy::print_stdout, reason = "a measurement talks to a person")]
fn main() -> Result<(), Box<dyn Error>> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let mut worker = Worker::spawn()?;
    let control = layout::control_offset(CAPACITY) as u64;
    let ping = Call::Ping(PingCall {
        proto: Some(1),
        control_offset: Some(control),
        ..PingCall::default()
    });
    let reply: PingReply = worker.call(&ping)?;
    println!("counters: {}", reply.counters.unwrap_or(0));

    let started = Instant::now();
    for _ in 0..ROUND_TRIPS {
        let _: PingReply = worker.call(&Call::Ping(PingCall::default()))?;
    }
    println!("round trip: {:?}", started.elapsed() / ROUND_TRIPS);

    for len in [0, 8, 64, 256, 1024] {
        let base = vec![b'a'; len];
        let max_len = Some(len.max(16) as u64 * 3 / 2);
        // The best of a few: others use this machine too.
        let mut best = f64::INFINITY;
        for seed in 0..8 {
            let call =
                FuzzCall { limit: 500_000, seed: Some(seed), max_len, ..FuzzCall::default() };
            best = best.min(worker.nanos_per_execution(&base, call)?);
        }
        println!("{len:5} bytes: {best:6.1} ns per execution, {:.1} M/s", 1000.0 / best);
    }
    let base = vec![b'a'; 3000];
    let reply = worker.fuzz(&base, FuzzCall { seed: Some(1), ..FuzzCall::default() })?;
    let failure = reply.failure.ok_or("the long input fails")?;
    let signature = Signature::of(FailureKind::Panic, &failure.location, &failure.message);
    let ignore = vec![signature.to_string()];
    let call = FuzzCall { limit: 50_000, seed: Some(1), ignore, ..FuzzCall::default() };
    println!("ignored panics: {:.0} ns per execution", worker.nanos_per_execution(&base, call)?);
    let Worker { mut child, calls, .. } = worker;
    drop(calls);
    child.wait()?;
    Ok(())
}

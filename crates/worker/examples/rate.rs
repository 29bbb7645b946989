//! How fast the engine is: processor time per execution of a fuzz test that does nothing, and the
//! cost of an ignored failure. Run it with `--release`.
//!
//! To measure with counters, instrument this example alone:
//! `cargo rustc --release --example rate -- -Cpasses=sancov-module
//! -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
//! -Cllvm-args=-sanitizer-coverage-pc-table`

use std::error::Error;
use std::hint::black_box;

use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::layout;
use fuzzd_protocol::message::{Call, FuzzCall, FuzzReply};
use fuzzd_protocol::value::ValueType;
use fuzzd_worker::{Target, Verdict};

#[path = "../benches/process/mod.rs"]
mod process;

use process::Worker;

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

fn fuzz(worker: &mut Worker, input: &[u8], call: FuzzCall) -> Result<FuzzReply, Box<dyn Error>> {
    let region = worker.memory.region();
    region.store_u64(layout::COUNT, 0)?;
    region.store_u64(layout::VALUE_LEN, input.len() as u64)?;
    region.write(layout::HEADER_BYTES, input)?;
    Ok(worker.call(&Call::Fuzz(call))?)
}

/// Processor time of a call per execution.
fn nanos_per_execution(
    worker: &mut Worker,
    input: &[u8],
    call: FuzzCall,
) -> Result<f64, Box<dyn Error>> {
    let before = processor_nanos(worker)?;
    let reply = fuzz(worker, input, call)?;
    #[expect(clippy::cast_precision_loss, reason = "a measurement")]
    Ok((processor_nanos(worker)? - before) as f64 / reply.count.max(1) as f64)
}

/// Processor time of the worker's first thread, which runs the fuzz test.
fn processor_nanos(worker: &Worker) -> Result<u64, Box<dyn Error>> {
    let times = std::fs::read_to_string(format!("/proc/{}/schedstat", worker.child.id()))?;
    Ok(times.split(' ').next().ok_or("schedstat is empty")?.parse()?)
}

#[expect(clippy::print_stdout, reason = "a measurement talks to a person")]
fn main() -> Result<(), Box<dyn Error>> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let (mut worker, reply) = Worker::start()?;
    println!("counters: {}", reply.counters.unwrap_or(0));

    for len in [0, 8, 64, 256, 1024] {
        let base = vec![b'a'; len];
        let max_len = Some(len.max(16) as u64 * 3 / 2);
        // The best of a few: others use this machine too.
        let mut best = f64::INFINITY;
        for seed in 0..8 {
            let call =
                FuzzCall { limit: 500_000, seed: Some(seed), max_len, ..FuzzCall::default() };
            best = best.min(nanos_per_execution(&mut worker, &base, call)?);
        }
        println!("{len:5} bytes: {best:6.1} ns per execution, {:.1} M/s", 1000.0 / best);
    }
    let base = vec![b'a'; 3000];
    let reply = fuzz(&mut worker, &base, FuzzCall { seed: Some(1), ..FuzzCall::default() })?;
    let failure = reply.failure.ok_or("the long input fails")?;
    let signature = Signature::of(FailureKind::Panic, &failure.location, &failure.message);
    let ignore = vec![signature.to_string()];
    let call = FuzzCall { limit: 50_000, seed: Some(1), ignore, ..FuzzCall::default() };
    println!(
        "ignored panics: {:.0} ns per execution",
        nanos_per_execution(&mut worker, &base, call)?
    );
    Ok(worker.end()?)
}

//! What an execution costs besides the fuzz test, at least: what the engine does for each, before
//! it has learnt anything to mix into inputs.
//!
//! The fuzz test is a program of 14,030 counters of which an execution hits six, in three lines.
//! The raw loop runs it over and over, its counters neither cleared nor read; a `Fuzz` call makes
//! an input, runs it, and passes over the counters. The difference is the overhead. The worker is
//! this executable, started as a coordinator would: pin both to one core
//! (`taskset -c 0 cargo bench -p fuzzd-worker --bench overhead`).

use std::hint::black_box;
use std::io;
use std::time::Instant;

use criterion::Criterion;
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::message::{Call, FuzzCall};
use fuzzd_protocol::sparse;
use fuzzd_worker::Target;

mod process;

use process::{COUNTERS, Empty, FAILS_FROM_BYTES, HIT, Worker};

/// Bytes of the texts that inputs are made from.
const BASES: [usize; 4] = [0, 40, 256, 1024];

/// Bytes of an input that passes, at most.
const PASSES_BYTES_MAX: u64 = FAILS_FROM_BYTES as u64 - 1;

/// The failure of an input that is too long, as calls name it.
fn too_long(worker: &mut Worker, base: &[u8], call: &FuzzCall) -> io::Result<String> {
    let reply = worker.fuzz(base, &Call::Fuzz(call.clone()))?;
    let failure = reply.failure.ok_or_else(|| io::Error::other("a long input fails"))?;
    let signature = Signature::of(FailureKind::Panic, &failure.location, &failure.message);
    Ok(signature.to_string())
}

fn main() -> io::Result<()> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::measure::register(&COUNTERS);
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut worker = Worker::start()?;
    let mut group = criterion.benchmark_group("execution");
    let target: &dyn Target = black_box(&Empty);
    group.bench_function("raw loop", |bencher| bencher.iter(|| target.run(black_box(b"an input"))));

    let covered = Some(sparse::encode(&HIT.map(|index| (index, 1))));
    let passing = FuzzCall {
        coverage_delta: covered,
        max_len: Some(PASSES_BYTES_MAX),
        ..FuzzCall::default()
    };
    let failing = FuzzCall { max_len: None, ..passing.clone() };
    let long = vec![b'a'; 2 * FAILS_FROM_BYTES];
    let ignore = vec![too_long(&mut worker, &long, &failing)?];
    let mut all: Vec<(String, Vec<u8>, FuzzCall)> = BASES
        .map(|len| (format!("fuzz call, from {len} bytes"), vec![b'a'; len], passing.clone()))
        .into();
    all.push(("fuzz call, a panic to ignore".to_owned(), long, FuzzCall { ignore, ..failing }));
    let mut seed = 0;
    for (name, base, call) in all {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|execs| {
                seed += 1;
                let limit = i64::try_from(execs).expect("they would take too long");
                let call = Call::Fuzz(FuzzCall { limit, seed: Some(seed), ..call.clone() });
                let started = Instant::now();
                let reply = worker.fuzz(&base, &call).expect("the worker answers");
                let took = started.elapsed();
                assert_eq!(reply.count.cast_unsigned(), execs, "there is nothing to find");
                took
            });
        });
    }
    group.finish();
    worker.end()?;
    criterion.final_summary();
    Ok(())
}

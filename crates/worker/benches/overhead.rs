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
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Instant;

use criterion::Criterion;
use fuzzd_protocol::layout::{self, HEADER_BYTES};
use fuzzd_protocol::message::{Call, FuzzCall, FuzzReply};
use fuzzd_protocol::sparse;
use fuzzd_protocol::value::ValueType;
use fuzzd_worker::{Target, Verdict};

mod process;

use process::Worker;

/// What the instrumented program counts with.
static COUNTERS: [AtomicU8; 14_030] = [const { AtomicU8::new(0) }; 14_030];

/// Those that an execution hits, by ascending index: blocks of three functions.
const HIT: [u32; 6] = [100, 101, 7_000, 7_001, 13_500, 13_502];

/// What inputs are made from: nothing, and a short text.
const BASES: [(&str, &[u8]); 2] = [("nothing", b""), ("40 bytes", &[b'a'; 40])];

/// A fuzz test that does nothing but count.
struct Empty;

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
        black_box(input);
        Verdict::Pass
    }
}

fn main() -> io::Result<()> {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::measure::register(&COUNTERS);
        fuzzd_worker::serve_and_exit(&Empty);
    }
    let mut criterion = Criterion::default().configure_from_args();
    let (mut worker, _) = Worker::start()?;
    let mut group = criterion.benchmark_group("execution");
    let target: &dyn Target = black_box(&Empty);
    group.bench_function("raw loop", |bencher| bencher.iter(|| target.run(black_box(b"an input"))));
    let covered = sparse::encode(&HIT.map(|index| (index, 1)));
    let mut seed = 0;
    for (name, base) in BASES {
        group.bench_function(format!("fuzz call, from {name}"), |bencher| {
            bencher.iter_custom(|execs| {
                seed += 1;
                let call = Call::Fuzz(FuzzCall {
                    limit: i64::try_from(execs).expect("they would take too long"),
                    seed: Some(seed),
                    coverage_delta: Some(covered.clone()),
                    ..FuzzCall::default()
                });
                let header = worker.memory.region();
                header.store_u64(layout::COUNT, 0).expect("the header is there");
                header.store_u64(layout::VALUE_LEN, base.len() as u64).expect("it is there");
                header.write(HEADER_BYTES, base).expect("it fits");
                let started = Instant::now();
                let reply = worker.call::<FuzzReply>(&call).expect("the worker answers");
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

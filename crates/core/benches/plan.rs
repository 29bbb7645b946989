//! What the scheduler costs: plans from large corpora, the merge of a find, and a whole session.
//!
//! `cargo bench -p fuzzd-core --bench plan`

mod session;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fuzzd_core::corpus::EntryIndex;
use fuzzd_core::coverage::{CoverageMap, Feature, Gain};
use fuzzd_core::schedule::{Newcomer, PLAN_PICKS, Schedule, Visit};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const COUNTERS: u32 = 16_384;
/// Counters that one input hits.
const HITS: u32 = 160;

fn below(rng: &mut impl Rng, bound: u32) -> u32 {
    u32::try_from(rng.next_u64() % u64::from(bound)).expect("below a bound of 32 bits")
}

/// Hits as a parser has them: most of them common, some rare.
fn coverage(rng: &mut impl Rng) -> Vec<Feature> {
    let mut all: Vec<Feature> = (0..HITS / 2).map(|counter| (counter, 1)).collect();
    all.extend((0..HITS / 2).map(|_| (below(rng, COUNTERS), 1u8 << below(rng, 8))));
    all
}

fn schedule(entries: u32) -> Schedule {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let functions: Vec<u32> = (0..COUNTERS).step_by(12).collect();
    let mut schedule = Schedule::new(true).with_functions(COUNTERS as usize, &functions);
    for number in 0..entries {
        let coverage = coverage(rng);
        schedule.hit(&coverage);
        let newcomer = Newcomer {
            len: 64,
            coverage: &coverage,
            gain: Gain { edges: u64::from(number % 4 == 0), features: 1 },
            exec_time: Duration::from_nanos(500),
            is_seen: true,
        };
        schedule.add(&newcomer);
        if number % 2 == 0 {
            let entry = EntryIndex::new(number as usize).expect("few");
            let elapsed = Duration::from_millis(1);
            schedule.book(entry, &Visit { execs: 1_000, elapsed, finds: 0.0 });
        }
    }
    schedule
}

fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(PLAN_PICKS as u64));
    for entries in [1_000, 100_000, 1_000_000] {
        let mut schedule = schedule(entries);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(2);
        schedule.plan(Duration::ZERO, rng);
        group.bench_function(BenchmarkId::new("made from a table", entries), |bencher| {
            bencher.iter(|| black_box(schedule.plan(Duration::ZERO, rng)));
        });
    }
    group.finish();
}

fn builds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build of the table");
    group.sample_size(10);
    for entries in [2_048, 100_000, 1_000_000] {
        let mut schedule = schedule(entries);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let mut hours = 0;
        group.throughput(Throughput::Elements(u64::from(entries)));
        group.bench_function(BenchmarkId::from_parameter(entries), |bencher| {
            bencher.iter(|| {
                hours += 1;
                black_box(schedule.plan(Duration::from_secs(3_600 * hours), rng))
            });
        });
    }
    group.finish();
}

fn finds(criterion: &mut Criterion) {
    let mut map = CoverageMap::new(COUNTERS as usize);
    let mut schedule = schedule(10_000);
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(4);
    let snapshots: Vec<Vec<Feature>> = (0..1_000).map(|_| coverage(rng)).collect();
    let mut next = 0;
    criterion.bench_function("a find is merged and added", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % snapshots.len();
            let coverage = &snapshots[next];
            let gain = map.merge(coverage);
            if gain.edges > 0 {
                schedule.hit(coverage);
            }
            let exec_time = Duration::from_nanos(500);
            schedule.add(&Newcomer { len: 64, coverage, gain, exec_time, is_seen: true });
        });
    });
}

criterion_group!(benches, plans, builds, finds, session::seconds);
criterion_main!(benches);

//! What the scheduler costs: plans from large corpora, the merge of a find, and a whole session.
//!
//! `cargo bench -p fuzzd-core --bench plan`

mod session;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use fuzzd_core::corpus::EntryIndex;
use fuzzd_core::coverage::{CoverageMap, Feature, Gain};
use fuzzd_core::schedule::{Newcomer, PLAN_PICKS, Schedule, Visit};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const COUNTERS: u32 = 16_384;
/// Counters that one input hits.
const HITS: u32 = 160;

/// Plans that a build may take, whatever the corpus.
const PLANS_PER_BUILD: usize = 2_048;
/// Builds that a time is the median of.
const BUILDS: usize = 5;

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

/// A schedule of entries with many edges, one of them of its own alone: each is favoured.
fn wide_schedule() -> Schedule {
    let mut schedule = Schedule::new(true);
    for number in 0..1_000 {
        let common = number * 97..number * 97 + 10_000;
        let coverage: Vec<Feature> = common.chain([200_000 + number]).map(|n| (n, 1)).collect();
        let gain = Gain { edges: 1, features: 1 };
        let exec_time = Duration::from_nanos(500);
        schedule.add(&Newcomer { len: 64, coverage: &coverage, gain, exec_time, is_seen: true });
    }
    schedule
}

/// The times of the plans in which a build is made, the first of them being the one it begins with.
fn times(schedule: &mut Schedule, at: Duration, rng: &mut Xoshiro256PlusPlus) -> Vec<Duration> {
    let time = |_| {
        let before = Instant::now();
        black_box(schedule.plan(at, rng));
        before.elapsed()
    };
    (0..PLANS_PER_BUILD).map(time).collect()
}

/// The longest plan of a build. Other processes delay single plans: so the time of each is the
/// median of several builds.
fn longest(mut build: impl FnMut() -> Vec<Duration>) -> Duration {
    let builds: Vec<Vec<Duration>> = (0..BUILDS).map(|_| build()).collect();
    let median = |plan: usize| {
        let mut times: Vec<Duration> = builds.iter().map(|times| times[plan]).collect();
        times.sort_unstable();
        times[BUILDS / 2]
    };
    (0..PLANS_PER_BUILD).map(median).max().expect("at least one plan")
}

/// All builds but the first of a schedule go without a choice of the favoured entries, for which
/// there is no cause then.
fn builds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build of the table");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let sizes = [1_000, 100_000, 1_000_000];
    let narrow = sizes.into_iter().map(|size| (size.to_string(), schedule(size)));
    let all = narrow.chain([("1000 of 10001 edges".to_owned(), wide_schedule())]);
    for (name, schedule) in all {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        group.bench_function(BenchmarkId::new("longest plan with the choice", &name), |bencher| {
            bencher.iter_custom(|iters| {
                let mut first = || times(&mut schedule.clone(), Duration::ZERO, rng);
                (0..iters).map(|_| longest(&mut first)).sum()
            });
        });
        let (mut schedule, mut at) = (schedule, Duration::ZERO);
        times(&mut schedule, at, rng);
        let mut later = || {
            at += Duration::from_secs(3_600);
            times(&mut schedule, at, rng)
        };
        group.bench_function(BenchmarkId::new("longest plan without", &name), |bencher| {
            bencher.iter_custom(|iters| (0..iters).map(|_| longest(&mut later)).sum());
        });
        group.bench_function(BenchmarkId::new("2048 plans with one", &name), |bencher| {
            bencher.iter(&mut later);
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

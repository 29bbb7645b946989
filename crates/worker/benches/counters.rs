//! What the engine pays per execution besides the fuzz test: the pass over the counters, and
//! `memcmp` with the gate of the comparisons shut.

#![expect(unsafe_code, reason = "calls memcmp, and looks the other one up")]

use std::ffi::c_int;
use std::hint::black_box;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use fuzzd_worker::measure::{Passes, set_gate};

/// Counters in the region, counters hit per execution, and live lines per line that is hit.
const TARGETS: &[(usize, usize, usize)] = &[
    (4 << 10, 100, 3),
    (14_030, 43, 1),
    (14_030, 750, 1),
    (64 << 10, 300, 3),
    (512 << 10, 500, 3),
];

/// Lengths of the compared pieces.
const LENGTHS: &[usize] = &[4, 8, 16, 32, 64, 256, 4096];

/// Time of the processor that this thread got: others use the machine too.
struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the clock exists, and `time` has room for what it says.
        let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        assert_eq!(failed, 0, "every thread has a clock");
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
    }

    fn end(&self, start: Duration) -> Duration {
        self.start() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

struct Target {
    region: &'static [AtomicU8],
    hits: Vec<usize>,
    passes: Passes,
}

impl Target {
    /// A target whose executions hit the same counters each time, in functions of 24 of which half
    /// are hit. Others have hit further lines.
    fn new(len: usize, hits: usize, live_per_hit: usize) -> Self {
        let region: &'static [AtomicU8] = Box::leak((0..len).map(|_| AtomicU8::new(0)).collect());
        let mut passes = Passes::over(region);
        let mut state: u64 = 0x1234_5678_9abc;
        let mut random = move |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 16).unwrap_or(0) % end
        };
        let mut hit = Vec::new();
        while hit.len() < hits {
            let function = random(len - 24);
            hit.extend((0..24).filter(|_| random(2) == 0).map(|at| function + at));
        }
        hit.truncate(hits);
        let mut lines: Vec<usize> = hit.iter().map(|index| index / 64).collect();
        lines.sort_unstable();
        lines.dedup();
        let live = (lines.len() * live_per_hit).min(len / 64);
        hit.iter().for_each(|index| region[*index].store(1, Relaxed));
        passes.full();
        while passes.live_lines() < live {
            region[random(len)].store(1, Relaxed);
            passes.full();
        }
        Self { region, hits: hit, passes }
    }

    #[inline]
    fn run(&self) {
        for &index in black_box(&self.hits) {
            let cell = &self.region[index];
            cell.store(cell.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }
}

fn passes(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("pass");
    for &(len, hits, live_per_hit) in TARGETS {
        let mut target = Target::new(len, hits, live_per_hit);
        let name = format!("{len}/{hits}-hits/{}-live", target.passes.live_lines());
        // The hits alone are to be taken off the two others.
        group.bench_function(BenchmarkId::new("none", &name), |bencher| {
            bencher.iter(|| target.run());
        });
        target.passes.full();
        group.bench_function(BenchmarkId::new("live", &name), |bencher| {
            bencher.iter(|| {
                target.run();
                target.passes.live()
            });
        });
        group.bench_function(BenchmarkId::new("full", &name), |bencher| {
            bencher.iter(|| {
                target.run();
                target.passes.full()
            });
        });
        group.bench_function(BenchmarkId::new("cold", &name), |bencher| {
            bencher.iter(|| target.passes.cold());
        });
        target.run();
        group.bench_function(BenchmarkId::new("path_hash", &name), |bencher| {
            bencher.iter(|| target.passes.path_hash());
        });
    }
    group.finish();
}

type Compare = unsafe extern "C" fn(*const u8, *const u8, usize) -> c_int;

// SAFETY: the declaration of the C library.
unsafe extern "C" {
    fn memcmp(left: *const u8, right: *const u8, len: usize) -> c_int;
}

/// The `memcmp` that would be used if fuzzd had none.
fn of_libc() -> Compare {
    // SAFETY: the name is text that ends with 0, and what bears this name has this type.
    unsafe {
        let found = libc::dlsym(libc::RTLD_NEXT, c"memcmp".as_ptr());
        assert!(!found.is_null(), "there is a C library");
        std::mem::transmute::<*mut libc::c_void, Compare>(found)
    }
}

fn comparisons(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("memcmp");
    for (name, compare) in [("shut", memcmp as Compare), ("libc", of_libc())] {
        let compare = black_box(compare);
        for &len in LENGTHS {
            let (left, right) = (vec![1_u8; len], vec![1_u8; len]);
            group.bench_function(BenchmarkId::new(name, len), |bencher| {
                // SAFETY: both sides have `len` bytes.
                bencher.iter(|| unsafe {
                    compare(black_box(left.as_ptr()), black_box(right.as_ptr()), black_box(len))
                });
            });
        }
    }
    group.finish();
}

fn callbacks(criterion: &mut Criterion<ProcessorTime>) {
    // SAFETY: as it is defined in the runtime; it takes any numbers.
    unsafe extern "C" {
        safe fn __sanitizer_cov_trace_cmp4(left: u32, right: u32);
    }
    let mut group = criterion.benchmark_group("callback");
    for (name, is_open, right) in
        [("shut", false, 5000), ("open, dropped", true, 4000), ("open, place full", true, 5000)]
    {
        set_gate(is_open);
        group.bench_function(name, |bencher| {
            bencher.iter(|| __sanitizer_cov_trace_cmp4(black_box(4000), black_box(right)));
        });
        set_gate(false);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime);
    targets = passes, comparisons, callbacks
}
criterion_main!(benches);

//! The compare stage of one new input: candidates, the pair table, colorization.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fuzzd_worker::measure::CompareStage;

fn stage(criterion: &mut Criterion) {
    for (len, count) in [(64, 50), (1_024, 500), (16_384, 2_000)] {
        let stage = CompareStage::new(len, count);
        let name = |what: &str| format!("compare/{what}/{len} bytes, {count} records");
        criterion.bench_function(&name("candidates"), |bencher| {
            bencher.iter(|| black_box(&stage).candidates());
        });
        criterion.bench_function(&name("pairs"), |bencher| {
            bencher.iter(|| black_box(&stage).pairs());
        });
        criterion.bench_function(&name("colorize"), |bencher| {
            bencher.iter(|| black_box(&stage).colorize());
        });
    }
}

criterion_group!(benches, stage);
criterion_main!(benches);

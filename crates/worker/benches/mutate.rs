//! What making an input costs: `cargo bench -p fuzzd-worker --bench mutate`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fuzzd_worker::measure::Mutations;

const TEXT: &[u8] = b"{\"name\": [1, 22, 333], \"other\": {\"x\": null, \"y\": \"text\"}}";

fn mutate(criterion: &mut Criterion) {
    let binary: Vec<u8> = (0..64u8).map(|byte| byte.wrapping_mul(37)).collect();
    let long: Vec<u8> = TEXT.iter().copied().cycle().take(4096).collect();
    let mut group = criterion.benchmark_group("mutate");
    for (name, base) in [("64 bytes", &binary[..]), ("text", TEXT), ("4 KiB of text", &long)] {
        let mut inputs = Mutations::of(base, 8192);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(inputs.make())));
    }
    let mut inputs = Mutations::of(TEXT, 8192);
    group.bench_function("begin a visit", |bencher| bencher.iter(|| inputs.visit()));
    group.finish();
}

criterion_group!(benches, mutate);
criterion_main!(benches);

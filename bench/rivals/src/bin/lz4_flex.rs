#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[path = "../../../bodies/lz4_flex.rs"]
mod body;
fuzzd_bench_rivals::main!(body::run);

#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[path = "../../../bodies/bug_demangle.rs"]
mod body;
fuzzd_bench_rivals::main!(body::run);

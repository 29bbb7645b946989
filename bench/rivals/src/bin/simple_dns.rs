#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[path = "../../../bodies/simple_dns.rs"]
mod body;
fuzzd_bench_rivals::main!(body::run);

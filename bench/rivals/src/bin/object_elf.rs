#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[path = "../../../bodies/object_elf.rs"]
mod body;
fuzzd_bench_rivals::main!(body::run);

#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[path = "../../../bodies/x509_parser.rs"]
mod body;
fuzzd_bench_rivals::main!(body::run);

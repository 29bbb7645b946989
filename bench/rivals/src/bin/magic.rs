#![cfg_attr(any(feature = "libfuzzer", feature = "libafl"), no_main)]
#[macro_use]
#[path = "../../../bodies/magic.rs"]
mod body;

macro_rules! named {
    ($($name:ident)*) => {
        /// The one that `BENCH_MAGIC` names: one executable is linked for all of them.
        fn chosen() -> fn(&[u8]) {
            match std::env::var("BENCH_MAGIC").as_deref() {
                $(Ok(stringify!($name)) => body::$name,)*
                other => panic!("BENCH_MAGIC must name one of the questions, and is {other:?}"),
            }
        }
    };
}
for_each_magic!(named);

fn run(data: &[u8]) {
    static CHOSEN: std::sync::LazyLock<fn(&[u8])> = std::sync::LazyLock::new(chosen);
    CHOSEN(data);
}

fuzzd_bench_rivals::main!(run);

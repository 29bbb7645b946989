//! `fuzzd_bench_rivals::main!(run)` is the entry point that the chosen engine wants.

#[cfg(feature = "afl")]
#[doc(hidden)]
pub use afl;
#[cfg(feature = "honggfuzz")]
#[doc(hidden)]
pub use honggfuzz;
#[cfg(feature = "libafl")]
#[doc(hidden)]
pub use libafl_libfuzzer;
#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
pub use libfuzzer_sys;

#[cfg(feature = "replay")]
pub mod replay;

#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! main {
    ($run:path) => {
        use $crate::libfuzzer_sys;
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $run(data));
    };
}

// The macro of LibAFL's own expects the name of the crate that it stands in for.
#[cfg(feature = "libafl")]
#[macro_export]
macro_rules! main {
    ($run:path) => {
        extern crate libafl_libfuzzer as libfuzzer_sys;
        libfuzzer_sys::fuzz_target!(|data: &[u8]| { $run(data) });
    };
}

#[cfg(feature = "afl")]
#[macro_export]
macro_rules! main {
    ($run:path) => {
        fn main() {
            $crate::afl::fuzz(true, |data: &[u8]| $run(data));
        }
    };
}

#[cfg(feature = "honggfuzz")]
#[macro_export]
macro_rules! main {
    ($run:path) => {
        fn main() {
            loop {
                $crate::honggfuzz::fuzz(|data: &[u8]| $run(data));
            }
        }
    };
}

#[cfg(feature = "replay")]
#[macro_export]
macro_rules! main {
    ($run:path) => {
        fn main() {
            $crate::replay::main($run);
        }
    };
}

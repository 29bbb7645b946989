//! The symbols that instrumented code calls (SanitizerCoverage).
//!
//! Owns the C names. Must stay trivial: the compare callbacks run inside the target, a thousand
//! times per execution, and must not compare, index or branch themselves in case this crate is
//! instrumented by mistake.

#![expect(unsafe_code, reason = "exported C symbols, called by instrumented code")]

use std::sync::atomic::AtomicU64;

use crate::counters;

/// The gate of the compare callbacks: instrumented code calls them only while this is not 0. Shut;
/// the compare pass opens it for single executions.
#[unsafe(no_mangle)]
pub static __sancov_should_track: AtomicU64 = AtomicU64::new(0);

/// Called by a constructor of each instrumented unit with the bounds of its 8-bit counters.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    counters::register(start, stop);
}

/// Called by a constructor of each instrumented unit with the bounds of its table of addresses.
/// Nothing reads the table yet.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_pcs_init(_start: *const usize, _stop: *const usize) {}

/// Called before each indirect call with its destination.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_trace_pc_indir(_callee: usize) {}

/// Called before each `switch` with its value and a table: number of cases, bits, the cases.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_trace_switch(_value: u64, _cases: *const u64) {}

/// The compare callbacks: both sides of one comparison.
macro_rules! compare_callbacks {
    ($($name:ident($side:ty);)*) => {$(
        /// Called before each comparison of this width with its two sides.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(_left: $side, _right: $side) {}
    )*};
}

compare_callbacks! {
    __sanitizer_cov_trace_cmp1(u8);
    __sanitizer_cov_trace_cmp2(u16);
    __sanitizer_cov_trace_cmp4(u32);
    __sanitizer_cov_trace_cmp8(u64);
    __sanitizer_cov_trace_const_cmp1(u8);
    __sanitizer_cov_trace_const_cmp2(u16);
    __sanitizer_cov_trace_const_cmp4(u32);
    __sanitizer_cov_trace_const_cmp8(u64);
}

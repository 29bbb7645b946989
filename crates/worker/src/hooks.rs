//! The symbols that instrumented code calls (SanitizerCoverage), and `memcmp`.
//!
//! Owns the C names and the gate. The callbacks run inside the target, a thousand times per
//! execution: with the gate shut they do nothing, with the gate open they write to the log of
//! comparisons and nothing else.
//!
//! Stable Rust cannot ask for a return address. So the exported callbacks are a few instructions of
//! assembly that pass it on as one more argument; where there are none, 0 is passed.

#![expect(unsafe_code, reason = "exported C symbols, called by instrumented code")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::compare::log;
use crate::counters;

mod callbacks;
#[cfg(unix)]
mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod random;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(any(test, all(unix, not(target_arch = "x86_64"))))]
mod words;

/// The gate of the compare callbacks: instrumented code calls them only while this is not 0.
#[unsafe(no_mangle)]
pub static __sancov_should_track: AtomicU64 = AtomicU64::new(0);

/// Opens or shuts the gate.
pub(crate) fn set_gate(is_open: bool) {
    __sancov_should_track.store(u64::from(is_open), Relaxed);
}

#[inline]
fn is_shut() -> bool {
    __sancov_should_track.load(Relaxed) == 0
}

/// Called by a constructor of each instrumented unit with the bounds of its 8-bit counters.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    counters::register(start, stop);
}

/// Called by a constructor of each instrumented unit with the bounds of its table of addresses:
/// for each counter the address of its code, and whether a function starts there.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_pcs_init(start: *const usize, stop: *const usize) {
    counters::register_places(start, stop);
}

/// Called before each indirect call with its destination.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_trace_pc_indir(_callee: usize) {}

/// A comparison of two numbers of `WIDTH` bytes at `pc`. Narrow arguments come with any bits above
/// their width.
extern "C" fn integer<const WIDTH: u8, const IS_CONST: bool>(left: u64, right: u64, pc: usize) {
    // Also tested here: older compilers do not know the gate and always call.
    if is_shut() {
        return;
    }
    let mask = u64::MAX >> (64 - 8 * u32::from(WIDTH));
    log::of_process().integer(pc, WIDTH, IS_CONST, left & mask, right & mask);
}

/// A `switch` over `value` at `pc`; `cases` is a table: number of cases, bits, the cases.
extern "C" fn switch(value: u64, cases: *const u64, pc: usize) {
    if is_shut() {
        return;
    }
    // SAFETY: the compiler passes a constant table that starts with its length and the width.
    let (count, bits) = unsafe { (*cases, *cases.add(1)) };
    let (mut below, mut above) = (None, None);
    for position in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the table has `count` cases after its two first words.
        let case = unsafe { *cases.add(2 + position) };
        if case < value && below.is_none_or(|below| below < case) {
            below = Some(case);
        } else if case > value && above.is_none_or(|above| case < above) {
            above = Some(case);
        }
    }
    let width = u8::try_from(bits.div_ceil(8)).unwrap_or(8);
    let (below, above) = (below.unwrap_or(value), above.unwrap_or(value));
    log::of_process().switch(pc, width, value, below, above);
}

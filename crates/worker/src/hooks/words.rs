//! `memcmp` in plain Rust, for processors without a version in assembly.
//!
//! Owns nothing; used by the hooks of such processors, and tested on all. Words are compared as
//! numbers, one at a time: the compiler makes no call of `memcmp` of that.

#![expect(unsafe_code, reason = "reads raw memory")]

use std::ffi::c_int;

/// The order of two pieces of memory as `memcmp` has it. Leaves no record.
///
/// # Safety
///
/// Both sides are readable for `len` bytes.
pub(super) unsafe extern "C" fn compare(left: *const u8, right: *const u8, len: usize) -> c_int {
    const WORD: usize = size_of::<u64>();
    let order = |left: u64, right: u64| c_int::from(left > right) - c_int::from(left < right);
    let word = |side: *const u8, at: usize| {
        // SAFETY: `at + WORD` is at most `len` wherever this is called.
        u64::from_be(unsafe { side.add(at).cast::<u64>().read_unaligned() })
    };
    if len >= WORD {
        let mut at = 0;
        loop {
            let (one, other) = (word(left, at), word(right, at));
            if one != other || at + WORD == len {
                return order(one, other);
            }
            at = (at + WORD).min(len - WORD);
        }
    }
    let (mut one, mut other) = (0, 0);
    for at in 0..len {
        // SAFETY: `at` is below `len`. Volatile: a loop over bytes is what compilers look for.
        let (a, b) = unsafe { (left.add(at).read_volatile(), right.add(at).read_volatile()) };
        one = one << 8 | u64::from(a);
        other = other << 8 | u64::from(b);
    }
    order(one, other)
}

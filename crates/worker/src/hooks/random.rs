//! `getrandom`, the source of all randomness that the system gives.
//!
//! Owns the C name. In a worker it gives numbers that depend on nothing but how many were asked for
//! before: a fuzz test whose maps are seeded with them takes the same path each time it runs the
//! same input, and a run with a seed repeats. In any other process it asks the system.

#![expect(unsafe_code, reason = "an exported C symbol that writes where its caller says")]

use std::ffi::{c_uint, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::rng::iteration_seed;

/// Whether this process is a worker.
static IS_FIXED: AtomicBool = AtomicBool::new(false);

/// Words given so far.
static WORDS: AtomicU64 = AtomicU64::new(0);

/// From now on nothing is random.
pub(crate) fn fix() {
    IS_FIXED.store(true, Relaxed);
}

/// Fills `bytes` bytes at `buffer`, and says how many. The standard library looks for this name
/// before it makes the system call.
///
/// # Safety
/// `buffer` has room for as many bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getrandom(
    buffer: *mut c_void,
    bytes: usize,
    flags: c_uint,
) -> isize {
    if !IS_FIXED.load(Relaxed) || buffer.is_null() {
        // SAFETY: the system checks what it is given.
        let given = unsafe { libc::syscall(libc::SYS_getrandom, buffer, bytes, flags) };
        return isize::try_from(given).unwrap_or(-1);
    }
    let mut at = buffer.cast::<u8>();
    let mut left = bytes;
    while left > 0 {
        let word = iteration_seed(0, WORDS.fetch_add(1, Relaxed)).to_le_bytes();
        let part = left.min(word.len());
        // SAFETY: the caller has room for `bytes` bytes, and no more are written.
        unsafe {
            std::ptr::copy_nonoverlapping(word.as_ptr(), at, part);
            at = at.add(part);
        }
        left -= part;
    }
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_no_worker_gets_what_the_system_gives() {
        let mut first = [0u8; 32];
        let mut second = [0u8; 32];
        for buffer in [&mut first, &mut second] {
            // SAFETY: the buffer has 32 bytes.
            let given = unsafe { getrandom(buffer.as_mut_ptr().cast(), 32, 0) };
            assert_eq!(given, 32);
        }
        assert_ne!(first, second);
    }
}

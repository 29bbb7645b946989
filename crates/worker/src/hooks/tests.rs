use std::cmp::Ordering;
use std::ffi::c_int;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::callbacks::*;
use super::*;
use crate::compare::log::{Kind, Record, close, drain, open};

// SAFETY: the declarations of the C library.
unsafe extern "C" {
    fn memcmp(left: *const u8, right: *const u8, len: usize) -> c_int;
    fn bcmp(left: *const u8, right: *const u8, len: usize) -> c_int;
}

/// The gate is one for the process: one test at a time opens it. Records of other tests' threads
/// get in all the same, so tests look for their own.
static GATE: Mutex<()> = Mutex::new(());

/// For every test that opens the gate, or lets a Fuzz call open it.
pub(crate) fn gate() -> MutexGuard<'static, ()> {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `run` leaves in the log, for an input of `len` bytes.
fn records(len: usize, run: impl FnOnce()) -> Vec<Record> {
    let _gate = gate();
    open(len);
    run();
    close();
    let mut records = Vec::new();
    drain(&mut records);
    records
}

fn memory(records: &[Record], left: &[u8], right: &[u8]) -> Vec<usize> {
    let is_it = |record: &&Record| match &record.kind {
        Kind::Memory { left: l, right: r } => l.iter().eq(left) && r.iter().eq(right),
        Kind::Integer { .. } | Kind::Switch { .. } => false,
    };
    records.iter().filter(is_it).map(|record| record.pc).collect()
}

type Compare = unsafe extern "C" fn(*const u8, *const u8, usize) -> c_int;

#[cfg(unix)]
const VERSIONS: [Compare; 4] = [memory::compare, words::compare, memcmp, bcmp];
#[cfg(not(unix))]
const VERSIONS: [Compare; 1] = [words::compare];

#[test]
fn every_version_orders_memory_of_every_length_by_its_first_difference() {
    let base: Vec<u8> = (0..300).map(|at: u32| at.to_le_bytes()[0].wrapping_mul(151)).collect();
    for len in (0..=140).chain([255, 256, 290]) {
        for compare in VERSIONS {
            let (left, mut right) = (&base[..len], [vec![1], base[..len].to_vec()].concat());
            // SAFETY: both sides have `len` bytes.
            let order = |right: &[u8]| unsafe { compare(left.as_ptr(), right.as_ptr(), len) };
            assert_eq!(order(&right[1..]), 0);
            for at in 0..len {
                for change in [1, 0x80, 0xff] {
                    right[1 + at] ^= change;
                    let last = right[len];
                    // A later difference does not matter.
                    right[len] = if at + 1 < len { !last } else { last };
                    let expected =
                        if left[at] < right[1 + at] { Ordering::Less } else { Ordering::Greater };
                    assert_eq!(order(&right[1..]).cmp(&0), expected, "{len} bytes, at {at}");
                    right[len] = last;
                    right[1 + at] ^= change;
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn no_version_reads_beyond_its_sides() {
    const PAGE: usize = 4096;
    // SAFETY: a fresh mapping of two pages, the second of which is then made unreadable.
    let page = unsafe {
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
        let start = libc::mmap(std::ptr::null_mut(), 2 * PAGE, access, kind, -1, 0);
        assert_ne!(start, libc::MAP_FAILED);
        assert_eq!(libc::mprotect(start.byte_add(PAGE), PAGE, libc::PROT_NONE), 0);
        start.cast::<u8>()
    };
    let other = [0; PAGE];
    for compare in VERSIONS {
        for len in 0..400 {
            // SAFETY: the last `len` bytes of the readable page, and as many of `other`.
            let orders = unsafe {
                let end = page.add(PAGE - len);
                [compare(end, other.as_ptr(), len), compare(other.as_ptr(), end, len)]
            };
            assert_eq!(orders, [0, 0]);
        }
    }
    // SAFETY: nothing points into the mapping any more.
    unsafe { libc::munmap(page.cast(), 2 * PAGE) };
}

#[cfg(unix)]
#[test]
fn comparisons_of_texts_are_seen_while_the_gate_is_open() {
    let (left, right) = (black_box(vec![b'q'; 100]), black_box(vec![b'w'; 100]));
    let found = records(0, || {
        black_box(left[..40] == right[..40]);
        black_box(left.cmp(&right));
        black_box(left[..9] == left[1..10]);
    });
    assert_eq!(memory(&found, &left[..40], &right[..40]).len(), 1);
    assert_eq!(memory(&found, &left[..64], &right[..64]).len(), 1, "64 bytes are kept");
    assert!(memory(&found, &left[..9], &left[..9]).is_empty(), "equal sides");
    let found = records(0, || ());
    assert!(memory(&found, &left[..40], &right[..40]).is_empty(), "a drained log is empty");
}

#[cfg(unix)]
#[test]
fn with_the_gate_shut_nothing_is_logged() {
    let _gate = gate();
    open(0);
    close();
    let (left, right) = (black_box(*b"with the gate"), black_box(*b"nothing is lo"));
    // SAFETY: both sides have 13 bytes.
    assert_ne!(unsafe { memcmp(left.as_ptr(), right.as_ptr(), 13) }, 0);
    __sanitizer_cov_trace_cmp4(0x1357_9bdf, 0x2468_ace0);
    let mut records = Vec::new();
    drain(&mut records);
    assert!(memory(&records, &left, &right).is_empty());
    assert!(numbers(&records, 4, 0x1357_9bdf).is_empty());
}

/// Where numbers of this width were compared of which the left was this, and the other one.
fn numbers(records: &[Record], size: u8, number: u64) -> Vec<(usize, bool, u64)> {
    let of = |record: &Record| match record.kind {
        Kind::Integer { width, is_const, left, right } if width == size && left == number => {
            Some((record.pc, is_const, right))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn every_callback_logs_its_width_and_whether_it_has_a_constant() {
    let found = records(7, || {
        __sanitizer_cov_trace_cmp1(7, 201);
        __sanitizer_cov_trace_cmp2(0x7123, 202);
        __sanitizer_cov_trace_cmp4(0x7123_4567, 203);
        __sanitizer_cov_trace_cmp8(0x7123_4567_89ab_cdef, 204);
        __sanitizer_cov_trace_const_cmp1(7, 205);
        __sanitizer_cov_trace_const_cmp2(0x7123, 206);
        __sanitizer_cov_trace_const_cmp4(0x7123_4567, 207);
        __sanitizer_cov_trace_const_cmp8(0x7123_4567_89ab_cdef, 208);
    });
    let expected =
        [(1, 7, 201), (2, 0x7123, 202), (4, 0x7123_4567, 203), (8, 0x7123_4567_89ab_cdef, 204)];
    for (width, left, right) in expected {
        let sides: Vec<_> = numbers(&found, width, left).iter().map(|n| (n.1, n.2)).collect();
        assert_eq!(sides, [(false, right), (true, right + 4)]);
    }
}

#[inline(never)]
fn compares(other: u32) {
    __sanitizer_cov_trace_cmp4(0x0ddc_0ffe, other);
    black_box(other);
}

#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn a_record_tells_the_place_of_its_comparison() {
    let found = records(0, || {
        compares(1000);
        compares(2000);
        __sanitizer_cov_trace_cmp4(0x0ddc_0ffe, 3000);
    });
    let places = numbers(&found, 4, 0x0ddc_0ffe);
    let [first, second, third] = places[..] else { panic!("{places:?}") };
    let start = compares as *const () as usize;
    assert!((start..start + 200).contains(&first.0), "{start:x} {places:x?}");
    assert_eq!(first.0, second.0);
    assert_ne!(first.0, third.0);
}

#[test]
fn a_switch_logs_the_cases_next_to_its_value() {
    let cases: [u64; 7] = [5, 32, 0x7000, 0x7002, 0x7003, 0x7007, 0x7009];
    let found = records(0, || {
        for value in [0x7004, 0x7003, 0x6fff, 0x700a] {
            __sanitizer_cov_trace_switch(value, cases.as_ptr());
        }
    });
    let of = |record: &Record| match record.kind {
        Kind::Switch { width: 4, value, below, above } => Some((value, below, above)),
        _ => None,
    };
    let switches: Vec<_> = found.iter().filter_map(of).collect();
    let expected = [
        (0x7004, 0x7003, 0x7007),
        (0x7003, 0x7002, 0x7007),
        (0x6fff, 0x6fff, 0x7000),
        (0x700a, 0x7009, 0x700a),
    ];
    assert_eq!(switches, expected);
}

//! The operations on lines with AVX2.
//!
//! Owns nothing. Two halves of 32 bytes make a line; the class of a counter comes out of two tables
//! of 16, by its lower four bits if the upper ones are 0, else by the upper ones.

#![expect(unsafe_code, reason = "vector loads and stores through addresses")]

use std::arch::x86_64::{
    __m256i, _mm_setr_epi8, _mm256_and_si256, _mm256_andnot_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256, _mm256_testz_si256,
};

use fuzzd_core::coverage::Feature;

use super::{LINE, Line, LiveLine, Sweep, note};

/// Lines tested together where most are 0.
const GROUP: usize = 4;

#[target_feature(enable = "avx2")]
pub(super) fn pass(lines: &[LiveLine], seen: &[u8], hot: &mut Vec<Feature>) {
    for line in lines {
        take(line.cells, line.first, seen, hot);
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn sweep(sweep: &mut Sweep<'_>, seen: &[u8], hot: &mut Vec<Feature>) {
    let groups = sweep.lines.chunks(GROUP).zip(sweep.marks.chunks_mut(GROUP));
    let mut first = sweep.first;
    for (group, marks) in groups {
        let any = group.iter().fold(_mm256_setzero_si256(), |any, line| {
            let (low, high) = load(line);
            _mm256_or_si256(any, _mm256_or_si256(low, high))
        });
        if !is_zero(any) {
            for (position, (line, mark)) in group.iter().zip(marks).enumerate() {
                if take(line, first + position * LINE, seen, hot) && !*mark {
                    *mark = true;
                    sweep.has_new_mark = true;
                }
            }
        }
        first += GROUP * LINE;
    }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn next_hit(lines: &[Line], from: usize) -> Option<usize> {
    let rest = lines.get(from..)?;
    let (groups, last) = rest.as_chunks::<GROUP>();
    let mut at = from;
    for group in groups {
        let halves = group.each_ref().map(|line| load(line));
        let any = halves.iter().fold(_mm256_setzero_si256(), |any, (low, high)| {
            _mm256_or_si256(any, _mm256_or_si256(*low, *high))
        });
        if !is_zero(any) {
            let hit = halves.iter().position(|(low, high)| !is_zero(_mm256_or_si256(*low, *high)));
            return hit.map(|position| at + position);
        }
        at += GROUP;
    }
    for line in last {
        let (low, high) = load(line);
        if !is_zero(_mm256_or_si256(low, high)) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Clears one line and notes what is new; says whether it was hit.
#[inline]
#[target_feature(enable = "avx2")]
fn take(cells: &Line, first: usize, seen: &[u8], hot: &mut Vec<Feature>) -> bool {
    let (low, high) = load(cells);
    if is_zero(_mm256_or_si256(low, high)) {
        return false;
    }
    let zero = _mm256_setzero_si256();
    let at = cells.as_ptr().cast_mut().cast::<__m256i>();
    // SAFETY: the line has room for two halves, at any alignment; atomics may be written through a
    // shared reference. A hit in between is lost, which is what a counter cleared by its reader
    // must expect.
    unsafe {
        _mm256_storeu_si256(at, zero);
        _mm256_storeu_si256(at.add(1), zero);
    }
    let Some(seen) = seen.get(first..).and_then(|seen| seen.first_chunk::<LINE>()) else {
        return true;
    };
    let at = seen.as_ptr().cast::<__m256i>();
    // SAFETY: `seen` has two halves, at any alignment.
    let (seen_low, seen_high) = unsafe { (_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))) };
    let low = _mm256_andnot_si256(seen_low, classes(low));
    let high = _mm256_andnot_si256(seen_high, classes(high));
    if !is_zero(_mm256_or_si256(low, high)) {
        let mut fresh = [0; LINE];
        let at = fresh.as_mut_ptr().cast::<__m256i>();
        // SAFETY: `fresh` has two halves, at any alignment.
        unsafe {
            _mm256_storeu_si256(at, low);
            _mm256_storeu_si256(at.add(1), high);
        }
        note(&fresh, first, hot);
    }
    true
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(cells: &Line) -> (__m256i, __m256i) {
    let at = cells.as_ptr().cast::<__m256i>();
    // SAFETY: the line has two halves, at any alignment. Threads of the target can write to it
    // meanwhile, just as they do to each other; whatever is read is a number.
    unsafe { (_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn is_zero(value: __m256i) -> bool {
    _mm256_testz_si256(value, value) != 0
}

/// The class bit of each of 32 counters.
#[inline]
#[target_feature(enable = "avx2")]
fn classes(counters: __m256i) -> __m256i {
    let by_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 1, 2, 4, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16,
    ));
    // -128 is the highest bit.
    let by_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 32, 64, 64, 64, 64, 64, 64, -128, -128, -128, -128, -128, -128, -128, -128,
    ));
    let nibble = _mm256_set1_epi8(15);
    let high = _mm256_and_si256(_mm256_srli_epi16(counters, 4), nibble);
    let low = _mm256_shuffle_epi8(by_low, _mm256_and_si256(counters, nibble));
    let has_no_high = _mm256_cmpeq_epi8(high, _mm256_setzero_si256());
    _mm256_or_si256(_mm256_and_si256(low, has_no_high), _mm256_shuffle_epi8(by_high, high))
}

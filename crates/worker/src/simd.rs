//! Lines of counters with the widest instructions this processor has.
//!
//! Owns the choice between the versions of each operation, all of which do the same. Must not know
//! where lines come from.

#![expect(unsafe_code, reason = "counters are read and cleared many at a time")]

use std::sync::atomic::AtomicU8;

use fuzzd_core::coverage::{Feature, class_of};

use crate::limits::HOT_FEATURES_MAX;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

/// Counters looked at together: a cache line. Most lines are untouched by most inputs.
pub(crate) const LINE: usize = 64;

/// A line of counters, at any address.
pub(crate) type Line = [AtomicU8; LINE];

/// A line that inputs have hit, to be looked at after every execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveLine {
    pub(crate) cells: &'static Line,
    /// Index of its first counter. The whole line lies within the mask it is compared with.
    pub(crate) first: usize,
}

/// Lines next to each other, and the marks of those that are live.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    pub(crate) lines: &'static [Line],
    /// Index of the first counter.
    pub(crate) first: usize,
    /// Of each line, whether it was ever hit. Set here.
    pub(crate) marks: &'a mut [bool],
    /// Set if a mark was.
    pub(crate) has_new_mark: bool,
}

/// Which version of the operations works on this processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Words of 64 bits: everywhere.
    Portable,
    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// The best there is.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Portable
    }

    /// Clears `lines` and adds to `hot` what they showed and `seen` lacks.
    #[inline]
    pub(crate) fn pass(self, lines: &[LiveLine], seen: &[u8], hot: &mut Vec<Feature>) {
        match self {
            Self::Portable => portable::pass(lines, seen, hot),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this level exists only where the processor was found to have AVX2.
            Self::Avx2 => unsafe { avx2::pass(lines, seen, hot) },
        }
    }

    /// As [`pass`](Self::pass), over lines next to each other; marks those that were hit.
    #[inline]
    pub(crate) fn sweep(self, sweep: &mut Sweep<'_>, seen: &[u8], hot: &mut Vec<Feature>) {
        assert!(sweep.marks.len() >= sweep.lines.len(), "every line has a mark");
        match self {
            Self::Portable => portable::sweep(sweep, seen, hot),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `pass`.
            Self::Avx2 => unsafe { avx2::sweep(sweep, seen, hot) },
        }
    }

    /// The first line from `from` on that has a counter which is not 0. Changes nothing.
    #[inline]
    pub(crate) fn next_hit(self, lines: &[Line], from: usize) -> Option<usize> {
        match self {
            Self::Portable => portable::next_hit(lines, from),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `pass`.
            Self::Avx2 => unsafe { avx2::next_hit(lines, from) },
        }
    }
}

/// The class bit of every counter value.
pub(crate) static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut counter: u8 = 255;
    while counter > 0 {
        classes[counter as usize] = class_of(counter);
        counter -= 1;
    }
    classes
};

/// The class bits of eight counters.
#[inline]
pub(crate) fn classes_of(word: u64) -> u64 {
    u64::from_ne_bytes(word.to_ne_bytes().map(|counter| CLASSES[usize::from(counter)]))
}

/// The counters of a line, as words.
#[inline]
pub(crate) fn words_of(cells: &Line) -> [u64; LINE / 8] {
    // SAFETY: the line may be read as plain bytes at any alignment. Threads of the target can write
    // to it meanwhile, just as they do to each other; whatever is read is a number.
    unsafe { cells.as_ptr().cast::<[u64; LINE / 8]>().read_unaligned() }
}

/// Sets a line to 0.
#[inline]
pub(crate) fn clear(cells: &Line) {
    // SAFETY: atomics may be written through a shared reference, and the line is as long as this;
    // a hit in between is lost, which is what a counter cleared by its reader must expect.
    unsafe { cells.as_ptr().cast_mut().cast::<[u64; LINE / 8]>().write_unaligned([0; LINE / 8]) }
}

/// Adds the features of `fresh` class bits to `hot`, up to its bound.
#[cold]
#[inline(never)]
pub(crate) fn note(fresh: &[u8], first: usize, hot: &mut Vec<Feature>) {
    for (position, &class) in fresh.iter().enumerate() {
        if class != 0 && hot.len() < HOT_FEATURES_MAX {
            // COUNTERS_MAX keeps every index within u32.
            hot.push((u32::try_from(first + position).unwrap_or(u32::MAX), class));
        }
    }
}

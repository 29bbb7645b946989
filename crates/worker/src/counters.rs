//! The coverage counters of the target: registration, and the pass after each execution.
//!
//! Owns the counter regions and the mask of what was seen. Must not touch a byte outside a region:
//! the neighbours are data of the target.
//!
//! The contract of the pass is that of the engine to come (live lines, SIMD): it leaves all
//! counters 0 for the next execution, says whether any class bit was new, and for the rare input
//! with something new the caller runs it a second time and takes a snapshot.

#![expect(unsafe_code, reason = "the counters are memory of the instrumented target")]

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use fuzzd_core::coverage::{Feature, class_of};

use crate::limits::{COUNTER_REGIONS_MAX, COUNTERS_MAX, HOT_FEATURES_MAX};

mod seen;
#[cfg(test)]
mod tests;

pub(crate) use seen::Seen;

/// Bytes of one word of the pass.
const WORD: usize = size_of::<u64>();

/// Words looked at together: a cache line. Most lines are untouched by most inputs.
const LINE_WORDS: usize = 8;

/// The class bit of every counter value.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut counter: u8 = 255;
    while counter > 0 {
        classes[counter as usize] = class_of(counter);
        counter -= 1;
    }
    classes
};

/// Start and end addresses of the regions of instrumented units. Units of one linked object name
/// the same region.
struct Registry {
    regions: [(usize, usize); COUNTER_REGIONS_MAX],
    len: usize,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { regions: [(0, 0); COUNTER_REGIONS_MAX], len: 0 });

impl Registry {
    fn add(&mut self, start: usize, stop: usize) {
        if start >= stop {
            return;
        }
        let known = &mut self.regions[..self.len];
        if let Some(region) = known.iter_mut().find(|region| start < region.1 && region.0 < stop) {
            *region = (region.0.min(start), region.1.max(stop));
        } else if self.len < COUNTER_REGIONS_MAX {
            self.regions[self.len] = (start, stop);
            self.len += 1;
        }
    }
}

/// Notes a region of counters. Called before `main`, once per instrumented unit: it must neither
/// allocate nor panic.
pub(crate) fn register(start: *mut u8, stop: *mut u8) {
    // Addresses become pointers again in `registered`.
    let (start, stop) = (start.expose_provenance(), stop.expose_provenance());
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner).add(start, stop);
}

/// One region, cut at word boundaries: the words lie wholly inside.
#[derive(Debug)]
struct Cells {
    head: &'static [AtomicU8],
    words: &'static [AtomicU64],
    tail: &'static [AtomicU8],
}

impl Cells {
    fn new(bytes: &'static [AtomicU8]) -> Self {
        // SAFETY: eight `AtomicU8` may be viewed as one `AtomicU64` where it is aligned: same size,
        // all bit patterns valid, both allow changes by others.
        let (head, words, tail) = unsafe { bytes.align_to::<AtomicU64>() };
        Self { head, words, tail }
    }

    fn len(&self) -> usize {
        self.head.len() + self.words.len() * WORD + self.tail.len()
    }

    fn get(&self, index: usize) -> u8 {
        if let Some(cell) = self.head.get(index) {
            return cell.load(Relaxed);
        }
        let index = index - self.head.len();
        match self.words.get(index / WORD) {
            Some(word) => word.load(Relaxed).to_ne_bytes()[index % WORD],
            None => self.tail[index - self.words.len() * WORD].load(Relaxed),
        }
    }
}

/// All counters of the target, as one array in the order of registration.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    regions: Vec<Cells>,
    len: usize,
    hot: Vec<Feature>,
}

impl Counters {
    /// The counters that instrumented units have registered until now.
    pub(crate) fn registered() -> Self {
        let registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        let regions = registry.regions[..registry.len].iter().map(|&(start, stop)| {
            let first = std::ptr::with_exposed_provenance::<AtomicU8>(start);
            // SAFETY: the compiler's own constructor passed the bounds of a section of a loaded
            // object, which stays loaded; the bytes are only ever counters.
            unsafe { std::slice::from_raw_parts(first, stop - start) }
        });
        Self::over(regions)
    }

    /// Counters over given regions, of any alignment.
    pub(crate) fn over(regions: impl IntoIterator<Item = &'static [AtomicU8]>) -> Self {
        let mut all = Self { hot: Vec::with_capacity(HOT_FEATURES_MAX), ..Self::default() };
        for bytes in regions {
            let cells = Cells::new(&bytes[..bytes.len().min(COUNTERS_MAX - all.len)]);
            all.len += cells.len();
            all.regions.push(cells);
        }
        all
    }

    /// Number of counters; 0: the target is not instrumented.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Sets all counters to 0.
    pub(crate) fn clear(&self) {
        for cells in &self.regions {
            cells.head.iter().chain(cells.tail).for_each(|cell| cell.store(0, Relaxed));
            cells.words.iter().for_each(|word| word.store(0, Relaxed));
        }
    }

    /// After an execution: whether it hit anything that `seen` lacks. Leaves all counters 0;
    /// [`hot`](Self::hot) tells what was new.
    #[inline]
    pub(crate) fn pass(&mut self, seen: &Seen) -> bool {
        self.hot.clear();
        let mut bits = seen.bits();
        let mut first = 0;
        for cells in &self.regions {
            let (head, rest) = bits.split_at(cells.head.len());
            pass_bytes(cells.head, head, first, &mut self.hot);
            first += head.len();

            let (words, rest) = rest.split_at(cells.words.len() * WORD);
            pass_lines(cells.words, words, first, &mut self.hot);
            first += words.len();

            let (tail, rest) = rest.split_at(cells.tail.len());
            pass_bytes(cells.tail, tail, first, &mut self.hot);
            first += tail.len();
            bits = rest;
        }
        !self.hot.is_empty()
    }

    /// What the last [`pass`](Self::pass) found to be new (the first
    /// [`HOT_FEATURES_MAX`](crate::limits::HOT_FEATURES_MAX) of it).
    pub(crate) fn hot(&self) -> &[Feature] {
        &self.hot
    }

    /// Every counter that is not 0, with its class, by ascending index. Changes nothing.
    pub(crate) fn snapshot(&self) -> Vec<Feature> {
        let mut features = Vec::new();
        let mut first = 0;
        for cells in &self.regions {
            snapshot_bytes(cells.head, first, &mut features);
            first += cells.head.len();
            for (position, word) in cells.words.iter().enumerate() {
                let word = word.load(Relaxed);
                if word != 0 {
                    push_classes(classes_of(word), first + position * WORD, &mut features);
                }
            }
            first += cells.words.len() * WORD;
            snapshot_bytes(cells.tail, first, &mut features);
            first += cells.tail.len();
        }
        features
    }

    /// Whether the counters show every class bit of `keep`, as they stand.
    pub(crate) fn have(&self, keep: &[Feature]) -> bool {
        keep.iter().all(|&(index, bits)| self.class(index) & bits == bits)
    }

    /// The class bit of one counter; 0 outside all regions.
    fn class(&self, index: u32) -> u8 {
        let mut index = index as usize;
        for cells in &self.regions {
            if index < cells.len() {
                return class_of(cells.get(index));
            }
            index -= cells.len();
        }
        0
    }
}

fn pass_lines(words: &[AtomicU64], bits: &[u8], first: usize, hot: &mut Vec<Feature>) {
    let (bits, _) = bits.as_chunks::<WORD>();
    let (lines, rest) = words.as_chunks::<LINE_WORDS>();
    let (line_bits, rest_bits) = bits.as_chunks::<LINE_WORDS>();
    for (position, (line, bits)) in lines.iter().zip(line_bits).enumerate() {
        if line.iter().fold(0, |any, word| any | word.load(Relaxed)) != 0 {
            pass_words(line, bits, first + position * LINE_WORDS * WORD, hot);
        }
    }
    pass_words(rest, rest_bits, first + lines.len() * LINE_WORDS * WORD, hot);
}

#[inline]
fn pass_words(words: &[AtomicU64], bits: &[[u8; WORD]], first: usize, hot: &mut Vec<Feature>) {
    for (position, (word, bits)) in words.iter().zip(bits).enumerate() {
        let counters = word.load(Relaxed);
        if counters == 0 {
            continue;
        }
        word.store(0, Relaxed);
        let fresh = classes_of(counters) & !u64::from_ne_bytes(*bits);
        if fresh != 0 {
            note(fresh, first + position * WORD, hot);
        }
    }
}

fn pass_bytes(cells: &[AtomicU8], bits: &[u8], first: usize, hot: &mut Vec<Feature>) {
    for (position, (cell, bits)) in cells.iter().zip(bits).enumerate() {
        let counter = cell.load(Relaxed);
        if counter == 0 {
            continue;
        }
        // Not a swap, which locks the bus: a hit in between is lost, as it is in the words.
        cell.store(0, Relaxed);
        let fresh = CLASSES[usize::from(counter)] & !bits;
        if fresh != 0 {
            let mut word = [0; WORD];
            word[0] = fresh;
            note(u64::from_ne_bytes(word), first + position, hot);
        }
    }
}

/// The class bits of eight counters.
#[inline]
fn classes_of(word: u64) -> u64 {
    u64::from_ne_bytes(word.to_ne_bytes().map(|counter| CLASSES[usize::from(counter)]))
}

#[cold]
fn note(classes: u64, first: usize, hot: &mut Vec<Feature>) {
    if hot.len() + WORD <= HOT_FEATURES_MAX {
        push_classes(classes, first, hot);
    }
}

fn snapshot_bytes(cells: &[AtomicU8], first: usize, features: &mut Vec<Feature>) {
    for (position, cell) in cells.iter().enumerate() {
        let mut word = [0; WORD];
        word[0] = class_of(cell.load(Relaxed));
        push_classes(u64::from_ne_bytes(word), first + position, features);
    }
}

fn push_classes(classes: u64, first: usize, features: &mut Vec<Feature>) {
    for (position, class) in classes.to_ne_bytes().into_iter().enumerate() {
        if class != 0 {
            // COUNTERS_MAX keeps every index within u32.
            features.push((u32::try_from(first + position).unwrap_or(u32::MAX), class));
        }
    }
}

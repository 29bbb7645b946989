//! The coverage counters of the target: registration, and the pass after each execution.
//!
//! Owns the counter regions and which of their lines are live. Must not touch a byte outside a
//! region: the neighbours are data of the target.
//!
//! A line (64 counters) is live once an execution hit it. The pass after each execution looks at
//! live lines only: its cost does not grow with the target. Every now and then `cold` looks whether
//! any other line was hit since; then the caller runs those inputs again, each with a full pass.
//!
//! ```text
//! line:  cold ── hit, seen by pass_all ──► live (until the worker ends)
//! ```

#![expect(unsafe_code, reason = "the counters are memory of the instrumented target")]

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use fuzzd_core::coverage::{Feature, class_of};

use self::region::Region;
use crate::limits::{COUNTER_REGIONS_MAX, COUNTERS_MAX, FULL_PASS_COUNTERS_MAX, HOT_FEATURES_MAX};
use crate::simd::{CLASSES, Level, LiveLine, classes_of};

mod functions;
mod region;
mod seen;
#[cfg(test)]
mod tests;

pub(crate) use functions::Functions;
pub(crate) use seen::Seen;

/// Odd numbers without pattern, for the hash of a path.
const PLACE_FACTOR: u64 = 0xa076_1d64_78bd_642f;
/// See [`PLACE_FACTOR`].
const CLASS_FACTOR: u64 = 0xe703_7ed1_a0b4_28db;

/// Bytes of one word of a snapshot.
const WORD: usize = size_of::<u64>();

/// Start and end addresses of the regions of instrumented units. Units of one linked object name
/// the same region.
struct Registry {
    regions: [(usize, usize); COUNTER_REGIONS_MAX],
    len: usize,
}

/// Regions of counters.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry::new());

/// Tables of addresses, in the same order.
static PLACES: Mutex<Registry> = Mutex::new(Registry::new());

impl Registry {
    const fn new() -> Self {
        Self { regions: [(0, 0); COUNTER_REGIONS_MAX], len: 0 }
    }

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

    fn regions(&self) -> &[(usize, usize)] {
        &self.regions[..self.len]
    }
}

/// Notes a region of counters. Called before `main`, once per instrumented unit: it must neither
/// allocate nor panic.
pub(crate) fn register(start: *mut u8, stop: *mut u8) {
    // Addresses become pointers again in `registered`.
    let (start, stop) = (start.expose_provenance(), stop.expose_provenance());
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner).add(start, stop);
}

/// Notes the table of addresses of a region of counters; as [`register`].
pub(crate) fn register_places(start: *const usize, stop: *const usize) {
    let (start, stop) = (start.expose_provenance(), stop.expose_provenance());
    PLACES.lock().unwrap_or_else(PoisonError::into_inner).add(start, stop);
}

/// All counters of the target, as one array in the order of registration.
#[derive(Debug)]
pub(crate) struct Counters {
    level: Level,
    regions: Vec<Region>,
    len: usize,
    /// A region has fewer counters than a line.
    has_short: bool,
    /// What the pass looks at, by ascending index.
    live: Vec<LiveLine>,
    hot: Vec<Feature>,
}

impl Counters {
    /// The counters that instrumented units have registered until now.
    pub(crate) fn registered() -> Self {
        let registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        let regions = registry.regions().iter().map(|&(start, stop)| {
            let first = std::ptr::with_exposed_provenance::<AtomicU8>(start);
            // SAFETY: the compiler's own constructor passed the bounds of a section of a loaded
            // object, which stays loaded; the bytes are only ever counters.
            unsafe { std::slice::from_raw_parts(first, stop - start) }
        });
        Self::over(regions)
    }

    /// Counters over given regions, of any alignment.
    pub(crate) fn over(regions: impl IntoIterator<Item = &'static [AtomicU8]>) -> Self {
        Self::over_with(Level::detect(), regions)
    }

    fn over_with(level: Level, regions: impl IntoIterator<Item = &'static [AtomicU8]>) -> Self {
        let mut all = Self {
            level,
            regions: Vec::new(),
            len: 0,
            has_short: false,
            live: Vec::new(),
            hot: Vec::with_capacity(HOT_FEATURES_MAX),
        };
        for bytes in regions {
            let region = Region::new(&bytes[..bytes.len().min(COUNTERS_MAX - all.len)], all.len);
            all.len += region.bytes.len();
            all.has_short |= !region.short().is_empty();
            all.regions.push(region);
        }
        all
    }

    /// Number of counters; 0: the target is not instrumented.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Number of live lines.
    pub(crate) fn live_lines(&self) -> usize {
        self.live.len()
    }

    /// Sets all counters to 0.
    pub(crate) fn clear(&mut self) {
        for region in &self.regions {
            region.clear(self.level);
        }
    }

    /// After an execution: whether it hit anything in the live lines that `seen` lacks. Leaves them
    /// 0; [`hot`](Self::hot) tells what was new. Of few counters, all are looked at.
    #[inline]
    pub(crate) fn pass(&mut self, seen: &Seen) -> bool {
        if self.len <= FULL_PASS_COUNTERS_MAX {
            return self.pass_all(seen);
        }
        self.hot.clear();
        self.level.pass(&self.live, seen.bits(), &mut self.hot);
        if self.has_short {
            self.pass_short(seen);
        }
        !self.hot.is_empty()
    }

    /// Of regions that have no lines.
    #[inline(never)]
    fn pass_short(&mut self, seen: &Seen) {
        for region in &self.regions {
            region.pass_short(seen.bits(), &mut self.hot);
        }
    }

    /// As [`pass`](Self::pass), over all counters. Lines that were hit become live.
    #[inline(never)]
    pub(crate) fn pass_all(&mut self, seen: &Seen) -> bool {
        self.hot.clear();
        for region in &mut self.regions {
            if region.pass_all(self.level, seen.bits(), &mut self.hot) {
                region.add_live(&mut self.live);
            }
            region.pass_short(seen.bits(), &mut self.hot);
        }
        !self.hot.is_empty()
    }

    /// Whether any counter outside the live lines is not 0. Changes nothing.
    pub(crate) fn cold(&self) -> bool {
        self.regions.iter().any(|region| region.is_hit_outside_live(self.level))
    }

    /// What the last [`pass`](Self::pass) or [`pass_all`](Self::pass_all) found to be new, the
    /// first [`HOT_FEATURES_MAX`] of it.
    pub(crate) fn hot(&self) -> &[Feature] {
        &self.hot
    }

    /// Every counter that is not 0, with its class, by ascending index. Changes nothing.
    pub(crate) fn snapshot(&self) -> Vec<Feature> {
        let mut features = Vec::new();
        self.for_each_hit(&mut |first, word| {
            let classes = classes_of(word).to_ne_bytes();
            for (position, class) in classes.into_iter().enumerate().filter(|(_, c)| *c != 0) {
                // COUNTERS_MAX keeps every index within u32.
                features.push((u32::try_from(first + position).unwrap_or(u32::MAX), class));
            }
        });
        features
    }

    /// A hash of every counter that is not 0 with its class: equal for executions that took the
    /// same way. Changes nothing.
    pub(crate) fn path_hash(&self) -> u64 {
        let mut hash: u64 = 0;
        // A sum, as the words may come in any grouping at the borders of lines.
        self.for_each_hit(&mut |first, word| {
            let place = (first as u64 + 1).wrapping_mul(PLACE_FACTOR);
            let product = u128::from(classes_of(word) ^ place) * u128::from(CLASS_FACTOR);
            let folded = u64::try_from(product >> 64).unwrap_or(0) ^ place;
            hash = hash.wrapping_add(folded.wrapping_mul(PLACE_FACTOR));
        });
        hash
    }

    /// Calls `visit` with the index of the first of eight counters, and the eight, wherever any of
    /// them is not 0. At the borders of a region and of lines they may be fewer than eight.
    fn for_each_hit(&self, visit: &mut dyn FnMut(usize, u64)) {
        for region in &self.regions {
            region.for_each_hit(self.level, visit);
        }
    }

    /// Whether the counters show every class bit of `keep`, as they stand.
    pub(crate) fn have(&self, keep: &[Feature]) -> bool {
        keep.iter().all(|&(index, bits)| self.class(index) & bits == bits)
    }

    /// The class bit of one counter; 0 outside all regions.
    fn class(&self, index: u32) -> u8 {
        let index = index as usize;
        let after = self.regions.partition_point(|region| region.first <= index);
        let region = after.checked_sub(1).and_then(|position| self.regions.get(position));
        region
            .and_then(|region| region.bytes.get(index - region.first))
            .map_or(0, |cell| class_of(cell.load(Relaxed)))
    }
}

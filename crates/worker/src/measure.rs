//! What the benchmarks of this crate measure, which its interface does not name.
//!
//! Owns nothing. Not for use by anything else: it may change at any time.

use std::sync::atomic::AtomicU8;

pub use crate::compare::measure::CompareStage;
use crate::counters::{Counters, Seen};
use crate::hooks;

/// Counters, and a mask that has seen everything.
#[derive(Debug)]
pub struct Passes {
    counters: Counters,
    seen: Seen,
}

impl Passes {
    /// Over one region.
    #[must_use]
    pub fn over(region: &'static [AtomicU8]) -> Self {
        let mut seen = Seen::new(region.len());
        assert!(seen.replace(&vec![u8::MAX; region.len()]), "the mask has its size");
        Self { counters: Counters::over([region]), seen }
    }

    /// A pass over the live lines.
    #[inline(never)]
    pub fn live(&mut self) -> bool {
        self.counters.pass(&self.seen)
    }

    /// A pass over all counters.
    #[inline(never)]
    pub fn full(&mut self) -> bool {
        self.counters.pass_all(&self.seen)
    }

    /// The look at all other lines.
    #[inline(never)]
    #[must_use]
    pub fn cold(&self) -> bool {
        self.counters.cold()
    }

    /// The hash of a path.
    #[inline(never)]
    #[must_use]
    pub fn path_hash(&self) -> u64 {
        self.counters.path_hash()
    }

    /// Number of live lines.
    #[must_use]
    pub fn live_lines(&self) -> usize {
        self.counters.live_lines()
    }
}

/// Opens or shuts the gate of the comparisons.
pub fn set_gate(is_open: bool) {
    hooks::set_gate(is_open);
}

//! What the benchmarks of this crate measure, which its interface does not name.
//!
//! Owns nothing. Not for use by anything else: it may change at any time.

use std::rc::Rc;
use std::sync::atomic::AtomicU8;

use fuzzd_protocol::value::ValueType;

pub use crate::compare::measure::CompareStage;
use crate::counters::{Counters, Seen};
use crate::hooks;
use crate::mutator::{Base, Materials, Mutator};
use crate::rng::mutation_seed;

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

/// Registers counters, as a constructor of an instrumented program does.
pub fn register(counters: &'static [AtomicU8]) {
    let bounds = counters.as_ptr_range();
    crate::counters::register(bounds.start.cast_mut().cast(), bounds.end.cast_mut().cast());
}

/// Opens or shuts the gate of the comparisons.
pub fn set_gate(is_open: bool) {
    hooks::set_gate(is_open);
}

/// Inputs made from one base, as in a visit.
#[derive(Debug)]
pub struct Mutations {
    mutator: Mutator,
    base: Rc<Base>,
    materials: Rc<Materials>,
    buffer: Vec<u8>,
    made: u64,
}

impl Mutations {
    /// Inputs of one byte string of this content, which may become `len_max` bytes long, with
    /// another one at hand to take pieces from.
    #[must_use]
    pub fn of(content: &[u8], len_max: usize) -> Self {
        let types = [ValueType::Bytes];
        let base = Rc::new(Base::new(&types, content.to_vec()));
        let partners = vec![content.iter().rev().copied().collect()];
        let materials = Rc::new(Materials { partners, ..Materials::default() });
        let buffer = vec![0; len_max.max(content.len())];
        let mut all = Self { mutator: Mutator::new(&types), base, materials, buffer, made: 0 };
        all.visit();
        all
    }

    /// Ends a visit and begins the next.
    pub fn visit(&mut self) {
        self.mutator.end_visit(256);
        let (base, materials) = (Rc::clone(&self.base), Rc::clone(&self.materials));
        self.mutator.begin_visit(base, materials, self.buffer.len());
    }

    /// Makes the next input, and gives its length.
    #[inline(never)]
    pub fn make(&mut self) -> usize {
        self.made += 1;
        self.mutator.mutate(mutation_seed(1, self.made), &mut self.buffer)
    }
}

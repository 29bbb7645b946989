//! Making new inputs from one.
//!
//! Owns the choice of operators and how they add up. Inputs are made in *chains*: the first of a
//! chain is the base changed by one operator, each other one is the input before it changed by one
//! more. So an input costs one operator, and most of the depth of stacked operators is there still.
//! Inputs are mutated where they lie, so that they are there whatever happens to the process when
//! it runs. The result is always in the one canonical memory form, and a function of base,
//! materials, limits, wheels and the seeds of its chain only: all but the seeds are frozen during a
//! visit, so that any input of it can be made again.
//!
//! ```text
//! begin_visit ─► mutate, mutate, .. ─► end_visit
//!   wheels drawn   reward (at once)      evidence taken over
//! ```

mod bandit;
mod base;
mod bits;
mod blocks;
mod compare;
mod context;
mod decimal;
mod fields;
mod length_field;
mod limits;
mod lines;
mod matches;
mod mix;
mod nest;
mod number;
mod operator;
mod profile;
mod scalar;
mod shape;
mod text;
mod value;
mod visit;
mod wheel;
mod words;

#[cfg(test)]
mod goals;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use fuzzd_protocol::value::ValueType;

use crate::rng::{Rng, iteration_seed};
use bandit::Bandit;
pub(crate) use bandit::Reward;
pub(crate) use base::{Base, Materials};
#[cfg(test)]
use operator::Operator;
pub(crate) use profile::Profile;
use value::Slot;
use visit::{Turn, Visit};

/// A mutator for one base at a time.
#[derive(Debug)]
pub(crate) struct Mutator {
    types: Vec<ValueType>,
    visit: Visit,
    bandit: Bandit,
    profile: Profile,
    /// What the wheels of each visit are drawn with.
    visits: Rng,
    /// Where the values of the input are that is being made.
    slots: Vec<Slot>,
    /// Bytes of that input.
    len: usize,
    /// The chain that it belongs to.
    chain: Chain,
    /// What differs from the base in the buffer; `None`: all of it may.
    changed: Option<(usize, usize)>,
}

impl Mutator {
    /// A mutator for fuzz tests with these parameters.
    pub(crate) fn new(types: &[ValueType]) -> Self {
        let mut mutator = Self {
            types: types.to_vec(),
            visit: Visit::default(),
            bandit: Bandit::default(),
            profile: Profile::Usual,
            visits: Rng::new(0),
            slots: Vec::new(),
            len: 0,
            chain: Chain::default(),
            changed: None,
        };
        mutator.begin_visit(Rc::new(Base::new(types, Vec::new())), Rc::default(), 0);
        mutator
    }

    /// Begins a call: what is random about its visits depends on its seed. What was learnt stays.
    pub(crate) fn begin_call(&mut self, call_seed: u64, profile: Profile) {
        self.profile = profile;
        self.visits = Rng::new(iteration_seed(call_seed, u64::MAX - 1));
    }

    /// Takes what the next inputs are made from, and how long they may become. A base that is
    /// longer is cut; only scalars, which cannot be, may exceed the limit. The base is put into the
    /// buffer by the next [`mutate`](Self::mutate).
    pub(crate) fn begin_visit(&mut self, base: Rc<Base>, materials: Rc<Materials>, len_max: usize) {
        let fits = base.bytes().len() <= len_max;
        let base = if fits { base } else { Rc::new(base.cut_to(&self.types, len_max)) };
        self.restart();
        self.slots.clear();
        self.slots.extend(base.fields().iter().map(Slot::of));
        let base = if self.profile.has_places() { base } else { Rc::new(base.without_places()) };
        let (mut classes, mut exponents) = self.bandit.draw(base.bytes().len(), &mut self.visits);
        self.profile.lean(&mut classes, &mut exponents);
        let shares = self.visit.begin(base, materials, len_max, &classes, &exponents);
        self.bandit.set_shares(shares);
    }

    /// The next input begins a chain, whatever came before.
    pub(crate) fn restart(&mut self) {
        self.chain = Chain::default();
        self.changed = None;
    }

    /// How many inputs of its chain came before the last one.
    pub(crate) fn place_in_chain(&self) -> u32 {
        self.chain.made.saturating_sub(1)
    }

    /// Makes the next input at the start of `buffer` and gives its length: the base, or the input
    /// made last if its chain goes on, changed by one operator. Allocates nothing. The bits of
    /// `seed` are used as they are: it comes from [`mutation_seed`](crate::rng::mutation_seed).
    /// Bytes of the buffer up to the length limit may hold anything afterwards, those behind it are
    /// not touched.
    ///
    /// The first bytes of the buffer, as many as the longest input of the visit has, must be as
    /// this mutator left them, or [`restart`](Self::restart) was called.
    #[inline]
    pub(crate) fn mutate(&mut self, seed: u64, buffer: &mut [u8]) -> usize {
        if self.chain.made == self.chain.len {
            self.chain = Chain { made: 0, len: self.visit.chain_len(seed), seed };
            self.put_base(buffer);
        }
        self.chain.made += 1;
        let turn = self.turn(seed);
        let (len, start, end) = if self.visit.is_raw() {
            self.visit.mutate_raw(turn, buffer, &mut self.slots[0])
        } else {
            self.visit.mutate_packed(turn, buffer, &mut self.slots, self.len)
        };
        self.changed = Some((start, end));
        self.len = len;
        len
    }

    #[inline]
    fn put_base(&mut self, buffer: &mut [u8]) {
        let base = self.visit.base();
        match self.changed {
            Some((_, end)) if end <= HEAD_BYTES && self.visit.restore_head(buffer) => {}
            Some((start, end)) => restore(buffer, base.bytes(), start, end),
            None => buffer[..base.bytes().len()].copy_from_slice(base.bytes()),
        }
        self.len = base.bytes().len();
        for (slot, field) in self.slots.iter_mut().zip(base.fields()) {
            *slot = Slot::of(field);
        }
    }

    /// The operator that changed a lone value to the input made last, by `seed`, unless it did not
    /// apply; and whether a chain began with it.
    #[cfg(test)]
    fn last_operator(&self, seed: u64) -> (Operator, bool) {
        let turn = self.turn(seed);
        (self.visit.choose(turn).0, turn.is_first)
    }

    /// The input made last, by `seed`, showed something new.
    pub(crate) fn reward(&mut self, seed: u64, reward: Reward) {
        let exponent = self.visit.exponent(self.chain.seed);
        self.bandit.reward(self.visit.class(self.turn(seed)), exponent, reward);
    }

    #[inline]
    fn turn(&self, seed: u64) -> Turn {
        Turn { seed, is_first: self.chain.made == 1 }
    }

    /// Ends the visit after `execs` inputs: what they have shown counts from the next one on.
    pub(crate) fn end_visit(&mut self, execs: u64) {
        self.bandit.end_visit(execs);
    }
}

/// A chain of inputs, each made from the one before.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    /// Inputs made.
    made: u32,
    /// Inputs it has in all.
    len: u32,
    /// The seed that began it.
    seed: u64,
}

/// Bytes that are restored at once: few enough to need no call.
const RESTORED_AT_ONCE: usize = 32;

/// Bytes at the start of the base that are restored as one.
const HEAD_BYTES: usize = 32;

/// Copies a part of `base` to the same place of `buffer`.
#[inline]
fn restore(buffer: &mut [u8], base: &[u8], start: usize, end: usize) {
    let len = end - start;
    if len > 2 * RESTORED_AT_ONCE || end < RESTORED_AT_ONCE {
        buffer[start..end].copy_from_slice(&base[start..end]);
        return;
    }
    // Both may overlap each other, and what lies around, which is as in the base already.
    let copy = |buffer: &mut [u8], at: usize| {
        let range = at..at + RESTORED_AT_ONCE;
        buffer[range.clone()].copy_from_slice(&base[range]);
    };
    copy(buffer, end - RESTORED_AT_ONCE);
    if len > RESTORED_AT_ONCE {
        copy(buffer, start);
    }
}

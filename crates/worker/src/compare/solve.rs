//! Input-to-state: which bytes of the input an operand came from, and what to write there.
//!
//! Owns the candidates for one input: both logs of the same path are laid side by side, and where
//! an operand lies in both inputs at the same place, in some encoding, the other operand is
//! proposed there. Must not execute anything, and is bounded in time, memory and candidates.
//!
//! ```text
//! base, its log ──────┐                    ┌─ integers (raw, computed) ─┐
//!                     ├─ pairs of records ─┼─ numbers in text           ├─ candidates, by promise
//! colorized, its log ─┘                    ├─ memory                    │
//!                                          └─ lengths ──────────────────┘
//! ```
//!
//! After "REDQUEEN: Fuzzing with Input-to-State Correspondence" (Aschermann et al., NDSS 2019).

mod align;
mod candidates;
mod integers;
mod lengths;
mod memory;
mod numbers;
mod places;
#[cfg(test)]
mod tests;

use fuzzd_protocol::input::Field;

use super::limits::{RELATION_TESTS_MAX, TOGETHER_MAX};
use super::log::{Kind, Record};
use super::pairs::Side;
use candidates::{Candidates, Change, apply, promise};
use integers::Operand;
use lengths::{Asked, Stated};
use memory::Run;
use numbers::Number;
use places::{Places, Span};

/// The candidates of one input, made at once and given out one by one.
#[derive(Debug)]
pub(crate) struct Solver {
    /// The base and the colorized input.
    inputs: [Vec<u8>; 2],
    spans: Vec<Span>,
    /// Changes of one of the inputs, the most promising last.
    stack: Vec<(usize, Change)>,
}

impl Solver {
    /// Candidates for an input of one value of variable length. The logs are those of `base` and of
    /// `colorized`, which has the same length and takes the same path.
    pub(crate) fn new(
        base: &[u8],
        base_log: &[Record],
        colorized: &[u8],
        colorized_log: &[Record],
    ) -> Self {
        let span = Span { range: 0..base.len(), prefix: None, grows: true };
        Self::over(vec![span], base, base_log, colorized, colorized_log)
    }

    /// Candidates for an input of several values, which lie at `fields`.
    pub(crate) fn for_fields(
        fields: &[Field],
        base: &[u8],
        base_log: &[Record],
        colorized: &[u8],
        colorized_log: &[Record],
    ) -> Self {
        Self::over(Span::of_fields(fields), base, base_log, colorized, colorized_log)
    }

    fn over(
        spans: Vec<Span>,
        base: &[u8],
        base_log: &[Record],
        colorized: &[u8],
        colorized_log: &[Record],
    ) -> Self {
        let places = Places::new(base, colorized, spans);
        let mut search = Search::new(&places);
        for pair in align::pairs(base_log, colorized_log) {
            search.pair(pair.order, base_log[pair.order], colorized_log[pair.other].kind);
            search.tell_unplaced(pair.other);
        }
        search.together();
        lengths::finish(&mut search);
        let (first, asked) = (search.candidates, search.asked);
        let mut unplaced = search.unplaced;
        unplaced.extend(align::without_partner(base_log, colorized_log));
        // What was computed from a place that differs between the runs (an offset is in the input)
        // lies nowhere at the same place; but random bytes lie in the colorized input only once.
        let alone = Places::new(&places.colorized, &places.colorized, places.spans.clone());
        let mut search = Search::new(&alone);
        search.is_alone = true;
        for order in unplaced {
            search.pair(order, colorized_log[order], colorized_log[order].kind);
        }
        search.asked = asked;
        lengths::finish(&mut search);
        let stack = Candidates::into_stack([first, search.candidates]);
        Self { inputs: [places.base, places.colorized], spans: places.spans, stack }
    }

    /// Puts the next candidate into `buffer`; false: there is none left.
    pub(crate) fn next(&mut self, buffer: &mut Vec<u8>) -> bool {
        while let Some((input, change)) = self.stack.pop() {
            let input = &self.inputs[input];
            if apply(&change, input, &self.spans, buffer) && buffer != input {
                return true;
            }
        }
        false
    }
}

/// The record of one comparison: where its candidates come from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    pc: usize,
    order: usize,
}

/// The state of making candidates.
#[derive(Debug)]
struct Search<'a> {
    places: &'a Places,
    numbers: Vec<Number>,
    candidates: Candidates,
    relation_tests_left: usize,
    /// The best replacement for each record that has one.
    placed: Vec<(Origin, usize, Side)>,
    /// Fields of the input that state its length, or are asked to.
    stated: Vec<Stated>,
    /// Values that are asked to have some length.
    asked: Vec<Asked>,
    /// Whether an operand of the last record changed with the input and should be looked for in the
    /// colorized input alone.
    is_unplaced: bool,
    /// The records of the colorized input for which that was so.
    unplaced: Vec<usize>,
    /// There is one input only: no guesses, which were made with the first.
    is_alone: bool,
}

impl<'a> Search<'a> {
    fn new(places: &'a Places) -> Self {
        Self {
            places,
            numbers: numbers::in_text(places),
            candidates: Candidates::new(places.base.len()),
            relation_tests_left: RELATION_TESTS_MAX,
            placed: Vec::new(),
            stated: lengths::stated(places),
            asked: Vec::new(),
            is_unplaced: false,
            unplaced: Vec::new(),
            is_alone: false,
        }
    }

    /// Proposes what solves one comparison, made in both executions.
    fn pair(&mut self, order: usize, record: Record, colorized: Kind) {
        if let (Some(kind), Some(colorized)) = (record.kind.payload(), colorized.payload()) {
            self.whole(order, Record { kind, ..record }, colorized);
        }
        self.whole(order, record, colorized);
    }

    /// As [`pair`](Self::pair), of operands as they are.
    fn whole(&mut self, order: usize, record: Record, colorized: Kind) {
        let origin = Origin { pc: record.pc, order };
        match (record.kind, colorized) {
            (
                Kind::Integer { width, is_const, left, right },
                Kind::Integer { left: left_then, right: right_then, .. },
            ) => {
                let operand = |base, colorized, target| Operand {
                    origin,
                    width,
                    base,
                    colorized,
                    target,
                    has_neighbours: true,
                };
                self.integer(&operand(right, right_then, left));
                if !is_const {
                    self.integer(&operand(left, left_then, right));
                }
            }
            (
                Kind::Switch { width, value, below, above },
                Kind::Switch { value: value_then, .. },
            ) => {
                for target in [below, above] {
                    self.integer(&Operand {
                        origin,
                        width,
                        base: value,
                        colorized: value_then,
                        target,
                        has_neighbours: false,
                    });
                }
            }
            (Kind::Memory { left, right }, Kind::Memory { left: left_then, right: right_then }) => {
                let (left, left_then) = (left.as_slice(), left_then.as_slice());
                let (right, right_then) = (right.as_slice(), right_then.as_slice());
                let run = |base, colorized, target| Run { origin, base, colorized, target };
                self.memory(&run(left, left_then, right));
                self.memory(&run(right, right_then, left));
            }
            (Kind::Integer { .. } | Kind::Switch { .. } | Kind::Memory { .. }, _) => {}
        }
    }

    fn integer(&mut self, operand: &Operand) {
        if operand.base == operand.target {
            return;
        }
        let is_copied = integers::copied(self, operand);
        let is_text = numbers::solve(self, operand);
        if !is_copied && !is_text {
            integers::computed(self, operand);
        }
        // Also if it was found: in a base of equal bytes that can be by chance.
        self.is_unplaced |= operand.is_free();
        lengths::solve(self, operand, is_copied || is_text);
    }

    /// Keeps the record of the colorized input for a look at that input alone.
    fn tell_unplaced(&mut self, colorized_order: usize) {
        if std::mem::take(&mut self.is_unplaced) {
            self.unplaced.push(colorized_order);
        }
    }

    fn memory(&mut self, run: &Run<'_>) {
        let is_placed = memory::solve(self, run);
        self.is_unplaced |= run.base != run.colorized && !is_placed;
    }

    fn add(&mut self, origin: Origin, promise: u32, change: Change) {
        self.candidates.add(origin.pc, origin.order, promise, change);
    }

    /// Proposes `with` in place of the bytes at `at`.
    fn splice(&mut self, origin: Origin, promise: u32, at: usize, remove: usize, with: &[u8]) {
        let side = Side::new(with);
        if remove == with.len() && promise > promise::PINNED {
            let is_known = self.placed.last().is_some_and(|(last, ..)| last.order == origin.order);
            if !is_known {
                self.placed.push((origin, at, side));
            }
        }
        self.add(origin, promise, Change::Splice { at, remove, with: side });
    }

    /// Proposes all replacements of one place in the code at once (a loop without an early end),
    /// and those of all places.
    fn together(&mut self) {
        let placed = std::mem::take(&mut self.placed);
        let mut pcs: Vec<usize> = placed.iter().map(|(origin, ..)| origin.pc).collect();
        pcs.sort_unstable();
        pcs.dedup();
        let groups = pcs.iter().take(TOGETHER_MAX).map(|&pc| Some(pc));
        for group in groups.chain([None]) {
            let mut parts: Vec<(usize, Side)> = Vec::new();
            let mut last = None;
            for (origin, at, side) in &placed {
                if group.is_some_and(|pc| pc != origin.pc) || parts.len() == TOGETHER_MAX {
                    continue;
                }
                let end = at + side.bytes().len();
                let is_apart =
                    |part: &(usize, Side)| end <= part.0 || part.0 + part.1.bytes().len() <= *at;
                if parts.iter().all(is_apart) {
                    parts.push((*at, *side));
                    last = Some(*origin);
                }
            }
            if let Some(origin) = last.filter(|_| parts.len() > 1) {
                self.add(origin, promise::TOGETHER, Change::Together(parts));
            }
        }
    }
}

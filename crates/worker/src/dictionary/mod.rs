//! Tokens that the target may be looking for.
//!
//! Owns the tokens, where in the code each is used, and their weights. Must not grow beyond
//! [`limits::TOKENS_MAX`] tokens: user, executable and comparisons have a share each. What
//! mutation picks from ([`Tokens`]) is a copy that stays as it is until the next weighing.

mod code;
mod elf;
mod harvest;
pub(crate) mod limits;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fuzzd_core::alias::Alias;

use crate::compare::log::{Kind, Record};
use crate::compare::pairs::Side;
use crate::counters::{Functions, Seen};
use crate::rng::Rng;
use elf::Image;
use harvest::Harvest;
use limits::{
    CODE_BYTES_MAX, CODE_BYTES_PER_STEP, PLACES_MAX, SEEN_TOKENS_MAX, STATIC_TOKENS_MAX,
    TOKEN_BYTES_MAX, TOKEN_BYTES_MIN, TOKEN_PLACES_MAX, USER_TOKENS_MAX,
};

/// How far executions got into a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Never entered. It can hold the magic that leads to it, but rarely does.
    Never,
    /// All of it was executed, or nothing is known about it.
    Fully,
    /// Entered, and parts of it were never executed: what it compares with may lead there.
    Partly,
}

impl Reach {
    /// The share of a token that such a function uses.
    fn weight(self) -> u32 {
        match self {
            Self::Never => 3,
            Self::Fully => 10,
            Self::Partly => 80,
        }
    }
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    User,
    Executable,
    Compare,
}

/// Where a token came from, and the code that uses it.
#[derive(Debug, Clone)]
struct Origin {
    source: Source,
    /// Addresses.
    places: Vec<usize>,
    /// The functions of the first of them, as far as they were looked up.
    functions: Vec<Option<usize>>,
}

/// How far the executable was looked through.
#[derive(Debug, Default)]
enum Scan {
    #[default]
    Waiting,
    Code {
        harvest: Box<Harvest>,
        next: usize,
        bytes_left: usize,
    },
    Data(Box<Harvest>),
    Done,
}

/// All tokens of 2 to 64 bytes that are known.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    tokens: Vec<Side>,
    origins: Vec<Origin>,
    weights: Vec<u32>,
    known: BTreeMap<Vec<u8>, usize>,
    /// Position in `tokens` of each token from comparisons, and which is replaced next.
    from_compares: Vec<usize>,
    next_replaced: usize,
    counts: [usize; 2],
    /// Both sides of the memory compare seen last at each place, as tokens.
    last_sides: BTreeMap<usize, [Side; 2]>,
    scan: Scan,
    has_changed: bool,
}

/// Tokens to be picked, by weight.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    tokens: Vec<Side>,
    picks: Alias,
}

impl Tokens {
    /// Whether there is no token.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// A random token, by weight.
    #[inline]
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<&[u8]> {
        let cell = rng.below(self.picks.len());
        let draw = u32::try_from(rng.bits() >> 32).unwrap_or(0);
        self.tokens.get(self.picks.choose(cell, draw)? as usize).map(Side::bytes)
    }
}

impl Dictionary {
    /// Looks through a further part of the executable for tokens that its instrumented functions
    /// name: a few milliseconds of work. Finds none if the file cannot be read, or was built for a
    /// processor whose code is not understood.
    pub(crate) fn scan_on(&mut self, functions: &Functions) {
        let (mut harvest, next, mut bytes_left) =
            match std::mem::replace(&mut self.scan, Scan::Done) {
                Scan::Waiting => (Box::default(), 0, CODE_BYTES_MAX),
                Scan::Code { harvest, next, bytes_left } => (harvest, next, bytes_left),
                Scan::Data(harvest) => return self.take(*harvest),
                Scan::Done => return,
            };
        let stop = bytes_left.saturating_sub(CODE_BYTES_PER_STEP);
        let rest = next..functions.len();
        for next in rest {
            if bytes_left <= stop {
                self.scan = Scan::Code { harvest, next, bytes_left };
                return;
            }
            harvest.add_code(functions, next, &mut bytes_left);
        }
        let is_small = next == 0 && bytes_left > stop + CODE_BYTES_PER_STEP / 2;
        if is_small {
            self.take(*harvest);
        } else {
            self.scan = Scan::Data(harvest);
        }
    }

    /// Takes over what was found, and what lies in the data.
    fn take(&mut self, mut harvest: Harvest) {
        if let Some(image) = Image::of_this_process() {
            harvest.add_data(&image);
        }
        for (token, places) in harvest.into_tokens() {
            for place in places {
                self.add_static(&token, place);
            }
        }
    }

    /// Number of tokens.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Token `position`, or nothing (no bytes) beyond the last one.
    #[cfg(test)]
    pub(crate) fn get(&self, position: usize) -> &[u8] {
        self.tokens.get(position).map_or(&[], Side::bytes)
    }

    /// Whether tokens came or went since the last [`tokens`](Self::tokens).
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// The tokens with the weights they have now.
    pub(crate) fn tokens(&mut self) -> Tokens {
        self.has_changed = false;
        let mut weights: Vec<f64> = self.weights.iter().map(|&weight| weight.into()).collect();
        let mut picks = Alias::default();
        picks.build(&mut weights);
        Tokens { tokens: self.tokens.clone(), picks }
    }

    /// Adds a token of the person's; says whether there was room. Longer ones are cut.
    pub(crate) fn add_user(&mut self, token: &[u8]) -> bool {
        self.add(token, Source::User, 0)
    }

    /// Adds a token that the code at `place` uses; 0: no known code.
    pub(crate) fn add_static(&mut self, token: &[u8], place: usize) -> bool {
        self.add(token, Source::Executable, place)
    }

    /// Adds the constants that comparisons named: of switches, of comparisons with constants, and
    /// the side of memory compares that stays while the other changes.
    pub(crate) fn add_records(&mut self, records: &[Record]) {
        for record in records {
            if let Some(Kind::Integer { width, left, .. }) = record.kind.payload() {
                self.add_integer(left, width, record.pc);
            }
            match record.kind {
                Kind::Integer { width, is_const: true, left, .. } => {
                    self.add_integer(left, width, record.pc);
                }
                Kind::Integer { is_const: false, .. } => {}
                Kind::Switch { width, value, below, above } => {
                    for case in [below, above] {
                        if case != value {
                            self.add_integer(case, width, record.pc);
                        }
                    }
                }
                Kind::Memory { left, right } => {
                    let sides = [Side::new(left.as_slice()), Side::new(right.as_slice())];
                    self.add_memory(record.pc, sides);
                }
            }
        }
    }

    /// Integers that need two bytes at least, in both byte orders.
    fn add_integer(&mut self, value: u64, width: u8, place: usize) {
        let is_small = value < 256 || value.wrapping_neg() < 256;
        if is_small || width < 2 {
            return;
        }
        let little = Side::integer(value, width);
        let mut big = little.bytes().to_vec();
        big.reverse();
        self.add(little.bytes(), Source::Compare, place);
        self.add(&big, Source::Compare, place);
    }

    fn add_memory(&mut self, place: usize, sides: [Side; 2]) {
        if let Some(last) = self.last_sides.get(&place).copied() {
            for (now, other) in [(0, 1), (1, 0)] {
                let stayed = last.contains(&sides[now]) && !last.contains(&sides[other]);
                if stayed {
                    self.add(sides[now].bytes(), Source::Compare, place);
                }
            }
        }
        if self.last_sides.len() < PLACES_MAX || self.last_sides.contains_key(&place) {
            self.last_sides.insert(place, sides);
        }
    }

    fn add(&mut self, token: &[u8], source: Source, place: usize) -> bool {
        let token = &token[..token.len().min(TOKEN_BYTES_MAX)];
        if token.len() < TOKEN_BYTES_MIN {
            return false;
        }
        if let Some(&position) = self.known.get(token) {
            let origin = &mut self.origins[position];
            if source == Source::User && origin.source == Source::Executable {
                origin.source = Source::User;
            }
            let has_room = origin.places.len() < TOKEN_PLACES_MAX;
            if has_room && place != 0 && !origin.places.contains(&place) {
                origin.places.push(place);
            }
            return true;
        }
        let places = if place == 0 { Vec::new() } else { vec![place] };
        let origin = Origin { source, places, functions: Vec::new() };
        let (count, max) = match source {
            Source::User => (&mut self.counts[0], USER_TOKENS_MAX),
            Source::Executable => (&mut self.counts[1], STATIC_TOKENS_MAX),
            Source::Compare => return self.add_seen(token, origin),
        };
        if *count >= max {
            return false;
        }
        *count += 1;
        self.push(token, origin);
        true
    }

    /// Adds a token from comparisons; the oldest of them makes room.
    fn add_seen(&mut self, token: &[u8], origin: Origin) -> bool {
        if self.from_compares.len() < SEEN_TOKENS_MAX {
            self.from_compares.push(self.tokens.len());
            self.push(token, origin);
            return true;
        }
        let position = self.from_compares[self.next_replaced];
        self.next_replaced = (self.next_replaced + 1) % SEEN_TOKENS_MAX;
        self.known.remove(self.tokens[position].bytes());
        self.known.insert(token.to_vec(), position);
        self.tokens[position] = Side::new(token);
        self.origins[position] = origin;
        self.has_changed = true;
        true
    }

    fn push(&mut self, token: &[u8], origin: Origin) {
        self.known.insert(token.to_vec(), self.tokens.len());
        self.tokens.push(Side::new(token));
        self.origins.push(origin);
        self.weights.push(Reach::Fully.weight());
        self.has_changed = true;
    }

    /// Weighs the tokens anew after more was seen.
    pub(crate) fn reweight(&mut self, functions: &Functions, seen: &Seen) {
        let reaches: Vec<Reach> = (0..functions.len())
            .map(|number| {
                let counters = functions.get(number).map(|function| function.counters.clone());
                let range = counters.map_or(0..0, |range| range.start as usize..range.end as usize);
                let bits = seen.bits().get(range).unwrap_or(&[]);
                if functions.is_partly_covered(seen, number) {
                    Reach::Partly
                } else if bits.iter().any(|bits| *bits != 0) {
                    Reach::Fully
                } else {
                    Reach::Never
                }
            })
            .collect();
        for origin in &mut self.origins {
            let unknown = origin.places.iter().skip(origin.functions.len());
            origin.functions.extend(unknown.map(|&place| functions.of_pc(place)));
        }
        self.reweight_by(|function| {
            function.and_then(|number| reaches.get(number)).copied().unwrap_or(Reach::Fully)
        });
    }

    /// Weighs every token by the most promising of the functions that use it. `reach` tells how far
    /// executions got into one, if it is known. Tokens of the person's weigh the most.
    fn reweight_by(&mut self, reach: impl Fn(Option<usize>) -> Reach) {
        for (origin, weight) in self.origins.iter().zip(&mut self.weights) {
            let best = match origin.source {
                Source::User => Reach::Partly,
                Source::Executable | Source::Compare => {
                    let reaches = origin.functions.iter().map(|&function| reach(function));
                    reaches.max().unwrap_or(Reach::Fully)
                }
            };
            *weight = best.weight();
        }
    }
}

//! Tokens that the target may be looking for.
//!
//! Owns the tokens, where in the code each is used, and their weights. Must not grow beyond
//! [`limits::TOKENS_MAX`] tokens: user, executable and comparisons have a share each.

mod code;
mod elf;
mod harvest;
pub(crate) mod limits;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::compare::log::{Kind, Record};
use crate::compare::pairs::Side;
use crate::counters::{Functions, Seen};
use crate::rng::Rng;
use elf::Image;
use harvest::Harvest;
use limits::{
    PLACES_MAX, SEEN_TOKENS_MAX, STATIC_TOKENS_MAX, TOKEN_BYTES_MAX, TOKEN_BYTES_MIN,
    TOKEN_PLACES_MAX, USER_TOKENS_MAX,
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

/// Where a token came from, and addresses of code that uses it.
#[derive(Debug, Clone)]
struct Origin {
    source: Source,
    places: Vec<usize>,
}

/// The dictionary: weighted tokens of 2 to 64 bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    tokens: Vec<Side>,
    origins: Vec<Origin>,
    known: BTreeMap<Vec<u8>, usize>,
    /// Sums of the weights up to and including each token.
    sums: Vec<u32>,
    /// Position in `tokens` of each token from comparisons, and which is replaced next.
    from_compares: Vec<usize>,
    next_replaced: usize,
    counts: [usize; 2],
    /// Both sides of the memory compare seen last at each place, as tokens.
    last_sides: BTreeMap<usize, [Side; 2]>,
}

impl Tokens {
    /// Adds the tokens that the instrumented functions of this executable name. None if it cannot
    /// be read, or was built for a processor whose code is not understood.
    pub(crate) fn add_executable(&mut self, functions: &Functions) {
        let image = Image::of_this_process();
        for (token, places) in Harvest::of(functions, image.as_ref()).into_tokens() {
            for place in places {
                self.add_static(&token, place);
            }
        }
    }

    /// Number of tokens.
    #[inline]
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Token `position`, or nothing (no bytes) beyond the last one.
    #[inline]
    #[cfg(test)]
    pub(crate) fn get(&self, position: usize) -> &[u8] {
        self.tokens.get(position).map_or(&[], Side::bytes)
    }

    /// A random token, by weight.
    #[inline]
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<&[u8]> {
        let total = *self.sums.last()?;
        let draw = rng.below(total as usize);
        let position = self.sums.partition_point(|&sum| sum as usize <= draw);
        self.tokens.get(position).map(Side::bytes)
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
        let origin = Origin { source, places };
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
        true
    }

    fn push(&mut self, token: &[u8], origin: Origin) {
        self.known.insert(token.to_vec(), self.tokens.len());
        self.tokens.push(Side::new(token));
        self.origins.push(origin);
        let sum = self.sums.last().copied().unwrap_or(0);
        self.sums.push(sum + Reach::Fully.weight());
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
        self.reweight_by(|place| {
            let function = functions.of_pc(place);
            function.and_then(|number| reaches.get(number)).copied().unwrap_or(Reach::Fully)
        });
    }

    /// Weighs every token by the most promising of the functions that use it. `reach` tells how far
    /// executions got into the function around an address. Tokens of the person's weigh the most.
    pub(crate) fn reweight_by(&mut self, reach: impl Fn(usize) -> Reach) {
        let mut sum = 0;
        for (origin, slot) in self.origins.iter().zip(&mut self.sums) {
            let best = match origin.source {
                Source::User => Reach::Partly,
                Source::Executable | Source::Compare => {
                    origin.places.iter().map(|&place| reach(place)).max().unwrap_or(Reach::Fully)
                }
            };
            sum += best.weight();
            *slot = sum;
        }
    }
}

//! Which entries to fuzz, how often, and how long inputs may become.
//!
//! Owns what is known of each entry of one test's corpus beside its bytes: rarity, nearness to code
//! that nobody reached, cost, yield, and the table that entries are picked from in constant time.
//! Entries are numbered as in the corpus. Must not know workers or calls, and must not read a
//! clock: times are given, and only those that a session may depend on.
//!
//! The table is built anew from time to time, not with each find; entries that came since have a
//! fixed part of the picks until then. The larger the corpus, the longer the time between two
//! builds: their share of the coordinator's time stays the same. Large ones are built in slices
//! (see `building`): no plan waits for more than one.

mod building;
mod cover;
mod frontier;
mod length;
pub(crate) mod profile;
mod rarity;
pub(crate) mod share;
mod sparse;
mod table;
mod weight;

pub use profile::Profile;
pub use weight::Visit;

use std::collections::VecDeque;
use std::time::Duration;

use rand_core::Rng;

use crate::chance::{below, log2, uniform};
use crate::corpus::EntryIndex;
use crate::coverage::{Feature, Gain};
use crate::schedule::building::Building;
use crate::schedule::cover::Cover;
use crate::schedule::frontier::Frontier;
use crate::schedule::length::LengthLimit;
use crate::schedule::rarity::Rarity;
use crate::schedule::table::Table;
use crate::schedule::weight::{Stagnation, Stats, Tier};

/// Picks of one plan.
pub const PLAN_PICKS: usize = 64;

/// Items of one plan that are there because nobody has looked at them: a look costs more than a
/// pick.
const UNSEEN_PER_PLAN: usize = 8;

/// Plans at a time that ask for the look at one entry: a worker comes to few of the items it is
/// given, and where there are many workers, they are not all to look.
const LOOKS_AT_ONCE: u8 = 2;

/// One pick in this many goes to entries that came since the table was built.
const RECENT_EVERY: u64 = 4;

/// What each doubling of the counters at the frontier adds to an entry's weight, in parts of it.
/// With all of it, large parsers took longer to the same edges, at fewer executions per second.
const FRONTIER_SHARE: f64 = 0.25;

/// One item of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// The entry.
    pub entry: EntryIndex,
    /// How often it was picked; at least 1.
    pub weight: u32,
    /// Nobody has looked at it so far: this worker is to.
    pub is_new: bool,
}

/// What is known of an entry when it comes.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// Bytes of its input.
    pub len: usize,
    /// Its whole snapshot.
    pub coverage: &'a [Feature],
    /// What it added to the map.
    pub gain: Gain,
    /// Time of one execution; zero: not measured, or not to be depended on.
    pub exec_time: Duration,
    /// The worker that brought it looks at it, or says that it did not come to
    /// ([`Schedule::owe_look`]).
    pub is_seen: bool,
}

/// The schedule of one fuzz test.
#[derive(Debug, Clone)]
pub struct Schedule {
    stats: Vec<Stats>,
    rarity: Rarity,
    frontier: Frontier,
    cover: Cover,
    table: Table,
    building: Building,
    weights: Vec<f64>,
    /// Entries that can be picked and are not in the table yet.
    recent: Vec<EntryIndex>,
    /// Entries that brought nothing: seeds beside others, mostly.
    dull: Vec<EntryIndex>,
    unseen: VecDeque<EntryIndex>,
    /// Entries from here on are never picked.
    end: usize,
    /// When the newest build was begun, in the time that plans are made at; `None`: the next one is
    /// due.
    built_at: Option<Duration>,
    turn: usize,
    /// Builds until the favoured entries may be chosen anew.
    choice_in: u32,
    /// The newest choice of them that is made.
    choice: u32,
    execs: u64,
    nanos: u64,
    executed: u64,
    length: LengthLimit,
    since_edge: Duration,
    stagnation: Stagnation,
}

impl Schedule {
    /// The schedule of an empty corpus. `is_seeded`: some input was given to start from.
    #[must_use]
    pub fn new(is_seeded: bool) -> Self {
        Self {
            stats: Vec::new(),
            rarity: Rarity::default(),
            frontier: Frontier::default(),
            cover: Cover::default(),
            table: Table::default(),
            building: Building::default(),
            weights: Vec::new(),
            recent: Vec::new(),
            dull: Vec::new(),
            unseen: VecDeque::new(),
            end: usize::MAX,
            built_at: None,
            turn: 0,
            choice_in: 0,
            choice: Cover::default().newest_choice(),
            execs: 0,
            nanos: 0,
            executed: 0,
            length: LengthLimit::new(is_seeded),
            since_edge: Duration::ZERO,
            stagnation: Stagnation::None,
        }
    }

    /// The same for a test with so many counters, whose functions begin at these: entries next to
    /// code that nobody reached weigh more then.
    #[must_use]
    pub fn with_functions(self, counters: usize, functions: &[u32]) -> Self {
        Self { frontier: Frontier::new(counters, functions), ..self }
    }

    /// Notes coverage that was merged, be it an entry's or not.
    pub fn hit(&mut self, coverage: &[Feature]) {
        self.frontier.hit(coverage);
    }

    /// Adds the next entry of the corpus, whose coverage was noted by [`hit`](Self::hit).
    pub fn add(&mut self, newcomer: &Newcomer<'_>) {
        let number = self.stats.len();
        let Some(entry) = EntryIndex::new(number) else { return };
        let exec_nanos = nanos(newcomer.exec_time);
        let cost = exec_nanos.max(1).saturating_mul(newcomer.len as u64 + 1);
        self.rarity.add(newcomer.coverage);
        let mut stats = Stats::new(newcomer.len, Tier::of(newcomer.gain));
        if self.cover.add(newcomer.coverage, cost) {
            stats.favoured_in = self.cover.newest_choice();
        }
        stats.exec_nanos = exec_nanos;
        stats.is_seen = newcomer.is_seen;
        self.stats.push(stats);
        self.look_up(number);
        let stats = &self.stats[number];
        if number >= self.end {
            return;
        }
        if stats.tier == Tier::Nothing {
            self.dull.push(entry);
            return;
        }
        self.recent.push(entry);
        if !stats.is_seen {
            self.unseen.push_back(entry);
        }
    }

    /// A shorter entry, the last one added, stands in for `parent` from now on.
    pub fn replace(&mut self, parent: EntryIndex) {
        let Some(tier) = self.stats.get(parent.index()).map(|stats| stats.tier) else { return };
        self.stats[parent.index()].is_replaced = true;
        let Some(last) = self.stats.len().checked_sub(1) else { return };
        let stats = &mut self.stats[last];
        if stats.tier == Tier::Nothing && tier != Tier::Nothing {
            stats.tier = tier;
            self.dull.pop_if(|dull| dull.index() == last);
            self.recent.extend(EntryIndex::new(last).filter(|_| last < self.end));
        }
    }

    /// Whether an input of this length with this coverage can stand in for an entry: it has the
    /// rarest features of it, and is shorter by an eighth at least.
    #[must_use]
    pub fn may_replace(&self, parent: EntryIndex, len: usize, coverage: &[Feature]) -> bool {
        self.stats.get(parent.index()).is_some_and(|stats| {
            !stats.is_replaced
                && len <= stats.len - stats.len.div_ceil(8)
                && len < stats.len
                && self.rarity.is_within(parent.index(), coverage)
        })
    }

    /// From now on no entry is picked but the first `end`.
    pub fn close(&mut self, end: usize) {
        self.end = self.end.min(end);
        self.recent.retain(|entry| entry.index() < end);
        self.dull.retain(|entry| entry.index() < end);
        self.unseen.retain(|entry| entry.index() < end);
        self.build_over();
    }

    /// Books what a call did with an entry.
    pub fn book(&mut self, entry: EntryIndex, visit: &Visit) {
        let Some(stats) = self.stats.get_mut(entry.index()) else { return };
        self.executed += u64::from(stats.execs == 0 && visit.execs > 0);
        self.execs = self.execs.saturating_add(visit.execs);
        self.nanos = self.nanos.saturating_add(nanos(visit.elapsed));
        stats.book(visit);
    }

    /// Books a call as a whole: the test's own fuzzing time per worker, and what came of it.
    pub fn book_call(&mut self, spent: Duration, has_edge: bool) {
        self.length.book(spent, has_edge);
        if has_edge {
            self.since_edge = Duration::ZERO;
            self.stagnation = Stagnation::None;
            return;
        }
        self.since_edge = self.since_edge.saturating_add(spent);
        let reached = Stagnation::after(self.since_edge);
        if reached > self.stagnation {
            self.stagnation = reached;
            self.length.double(reached == Stagnation::VeryLong);
        }
    }

    /// The worker that brought an entry did not come to look at it. No plan is made for that; but a
    /// worker that is given the entry is told, whichever it is.
    pub fn owe_look(&mut self, entry: EntryIndex) {
        if let Some(stats) = self.stats.get_mut(entry.index()) {
            stats.is_look_owed = true;
        }
    }

    /// A call ended whose plan asked for a look.
    pub fn end_look(&mut self, entry: EntryIndex, has_looked: bool) {
        let Some(stats) = self.stats.get_mut(entry.index()) else { return };
        stats.looks = stats.looks.saturating_sub(1);
        stats.is_look_owed &= !has_looked;
    }

    /// Whether the worker of a plan under way is to look at an entry.
    fn begin_look(&mut self, entry: EntryIndex) -> bool {
        let stats = &mut self.stats[entry.index()];
        let is_asked = stats.is_look_owed && stats.looks < LOOKS_AT_ONCE;
        stats.looks += u8::from(is_asked);
        is_asked
    }

    /// The look that a plan asked for was cut off.
    pub fn unsee(&mut self, entry: EntryIndex) {
        if let Some(stats) = self.stats.get_mut(entry.index())
            && stats.is_seen
            && !stats.is_look_owed
            && entry.index() < self.end
        {
            stats.is_seen = false;
            self.unseen.push_back(entry);
        }
    }

    /// One entry, for a worker that takes no plans. `None` only if there is no entry.
    pub fn pick(&mut self, at: Duration, rng: &mut impl Rng) -> Option<Pick> {
        self.build_slice(at, rng);
        let entry = self.draw(rng)?;
        Some(Pick { entry, weight: 1, is_new: !self.stats[entry.index()].is_seen })
    }

    /// A plan of [`PLAN_PICKS`] picks; what is picked more than once is one item. `at` is the time
    /// that decides when weights are computed anew. Empty only if there is no entry.
    pub fn plan(&mut self, at: Duration, rng: &mut impl Rng) -> Vec<Pick> {
        self.build_slice(at, rng);
        let mut plan: Vec<Pick> = Vec::with_capacity(PLAN_PICKS);
        while plan.len() < UNSEEN_PER_PLAN
            && let Some(entry) = self.unseen.pop_front()
        {
            let stats = &mut self.stats[entry.index()];
            if !std::mem::replace(&mut stats.is_seen, true) {
                plan.push(Pick { entry, weight: 1, is_new: true });
            }
        }
        for _ in plan.len()..PLAN_PICKS {
            let Some(entry) = self.draw(rng) else { break };
            match plan.iter_mut().find(|pick| pick.entry == entry) {
                Some(pick) => pick.weight += 1,
                None => {
                    let is_new = self.begin_look(entry);
                    plan.push(Pick { entry, weight: 1, is_new });
                }
            }
        }
        plan
    }

    /// The longest input that a call on these entries may make.
    pub fn len_max(&mut self, plan: &[Pick]) -> usize {
        let lens = plan.iter().filter_map(|pick| self.stats.get(pick.entry.index()));
        let longest = lens.map(|stats| stats.len).max().unwrap_or(0);
        self.length.over(longest)
    }

    /// What neither the table nor the recent entries give, because a first build goes on or its
    /// entry was closed out since, is any entry.
    fn draw(&self, rng: &mut impl Rng) -> Option<EntryIndex> {
        let entries = self.end.min(self.stats.len());
        if entries == 0 {
            return None;
        }
        if !self.dull.is_empty() && uniform(rng) < self.stagnation.dull_share() {
            return Some(self.dull[below(rng, self.dull.len())]);
        }
        let is_recent = !self.recent.is_empty()
            && (self.table.is_empty() || rng.next_u64().is_multiple_of(RECENT_EVERY));
        let drawn = if is_recent {
            Some(self.recent[below(rng, self.recent.len())])
        } else {
            self.table.pick(rng).filter(|entry| entry.index() < entries)
        };
        drawn.or_else(|| EntryIndex::new(below(rng, entries)))
    }

    /// What an entry is worth for its rarest features, as of now.
    fn look_up(&mut self, number: usize) {
        let rare = self.rarity.counters_of(number);
        let near = rare.filter(|counter| self.frontier.has(*counter)).count();
        let stats = &mut self.stats[number];
        stats.rarity = short(self.rarity.of(number).sqrt());
        stats.frontier = short(1.0 + FRONTIER_SHARE * log2(1.0 + near as f64));
    }
}

/// A factor as it is kept for each entry.
#[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a weight")]
fn short(factor: f64) -> f32 {
    factor as f32
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! How the table is built anew: in slices, while picks go on.
//!
//! Owns when a build begins, how far it is, and what one slice may handle. One slice is made with
//! each plan (or pick, for workers that take no plans), so that no single one holds up the events
//! of the session; a corpus of one block is built at once.
//!
//! ```text
//!              due                          the last block is weighed
//! Resting ───────────► Weighing, by blocks ──────────────────────────► Resting
//!    ▲                     │ the schedule is closed                    picks from the new table
//!    └─────────────────────┘ (a build is due then)
//! ```
//!
//! Until then picks are made from the table before it, and from the entries that came since that
//! one was begun: what comes during a build is of the next one, or had no place in this one. The
//! favoured entries are chosen beside it, in slices of their own; a build goes by the newest choice
//! that is made. Must not know how picks are used.

use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::schedule::Schedule;
use crate::schedule::table::{BLOCK_ENTRIES, Table};
use crate::schedule::weight::Scene;

/// Time and finds between the begins of two builds, for a corpus up to [`BUILD_ENTRIES`].
const BUILD_TIME: Duration = Duration::from_millis(250);
/// See [`BUILD_TIME`].
pub(super) const BUILD_FINDS: usize = 64;
/// Entries that one build is meant for; with twice as many, builds are half as frequent.
const BUILD_ENTRIES: usize = 2_048;

/// One build in this many chooses the favoured entries anew, if there are others; until then those
/// that came as the cheapest owners of an edge count as favoured.
const BUILDS_PER_CHOICE: u32 = 8;

/// Entries whose rarity and frontier are looked up again with one build, in turn: by all its slices
/// together.
const LOOKED_UP_PER_BUILD: usize = 1_024;

/// What is built, if anything.
#[derive(Debug, Clone, Default)]
pub(super) enum Building {
    /// Nothing: the table is whole, or there is none yet.
    #[default]
    Resting,
    /// The next table, one block after the other.
    Weighing(Weighing),
}

/// A build that goes on.
#[derive(Debug, Clone)]
pub(super) struct Weighing {
    /// The blocks weighed so far.
    table: Table,
    /// Entries weighed so far.
    weighed: usize,
    /// Entries that are to be in the table: those there were when it was begun.
    entries: usize,
    /// How many of the recent entries are among them: the oldest ones.
    recent: usize,
    scene: Scene,
    rng: Xoshiro256PlusPlus,
}

impl Schedule {
    /// Begins a build that is due, or takes the one that goes on a slice further.
    pub(super) fn build_slice(&mut self, at: Duration, rng: &mut impl Rng) {
        let building = std::mem::take(&mut self.building);
        let is_due = match &building {
            Building::Resting => self.is_build_due(at),
            Building::Weighing(_) => false,
        };
        if is_due {
            self.begin_choice_if_due();
        }
        self.choose_slice();
        let build = match building {
            Building::Resting if is_due => self.begin_build(at, rng),
            Building::Resting => return,
            Building::Weighing(build) => build,
        };
        self.building = self.weigh_slice(build);
    }

    /// Drops a build that goes on; the next one is due at once.
    pub(super) fn build_over(&mut self) {
        self.building = Building::Resting;
        self.built_at = None;
    }

    fn is_build_due(&self, at: Duration) -> bool {
        let size = self.stats.len().max(self.cover.len());
        let scale = (size / BUILD_ENTRIES).max(1);
        let pause = BUILD_TIME * u32::try_from(scale).unwrap_or(u32::MAX);
        !self.stats.is_empty()
            && self.built_at.is_none_or(|built_at| {
                at >= built_at + pause || self.recent.len() >= BUILD_FINDS * scale
            })
    }

    fn begin_build(&mut self, at: Duration, rng: &mut impl Rng) -> Weighing {
        self.built_at = Some(at);
        let rng = Xoshiro256PlusPlus::seed_from_u64(rng.next_u64());
        let scene = Scene {
            mean_execs: self.execs as f64 / self.executed.max(1) as f64,
            mean_nanos: self.nanos as f64 / self.execs.max(1) as f64,
            stagnation: self.stagnation,
            choice: self.choice,
        };
        let (entries, recent) = (self.end.min(self.stats.len()), self.recent.len());
        Weighing { table: Table::default(), weighed: 0, entries, recent, scene, rng }
    }

    fn begin_choice_if_due(&mut self) {
        self.choice_in = self.choice_in.saturating_sub(1);
        if self.cover.is_stale() && self.cover.is_chosen() && self.choice_in == 0 {
            self.choice_in = BUILDS_PER_CHOICE;
            self.cover.begin_choice();
        }
    }

    /// Takes the choice of the favoured entries further, if one goes on.
    fn choose_slice(&mut self) {
        let (stats, choice) = (&mut self.stats, self.cover.newest_choice());
        self.cover.choose(|entry| stats[entry].favoured_in = choice);
        if self.cover.is_chosen() {
            self.choice = choice;
        }
    }

    /// Weighs the next block. With the last one the table is used in place of the one before.
    fn weigh_slice(&mut self, mut build: Weighing) -> Building {
        self.look_up_again(LOOKED_UP_PER_BUILD / build.entries.div_ceil(BLOCK_ENTRIES).max(1));
        let next = build.entries.min(build.weighed + BLOCK_ENTRIES);
        let block = &self.stats[build.weighed..next];
        self.weights.clear();
        self.weights.extend(block.iter().map(|stats| stats.weight(&build.scene, &mut build.rng)));
        build.table.add_block(&mut self.weights);
        build.weighed = next;
        if build.weighed < build.entries {
            return Building::Weighing(build);
        }
        build.table.finish();
        self.table = build.table;
        self.recent.drain(..build.recent);
        Building::Resting
    }

    fn look_up_again(&mut self, entries: usize) {
        let len = self.stats.len();
        for _ in 0..entries.min(len) {
            self.turn = (self.turn + 1) % len;
            self.look_up(self.turn);
        }
    }
}

#[cfg(test)]
mod tests;

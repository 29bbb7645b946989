//! Fuzz calls: which entries, for how long, and with which limits.
//!
//! Owns the making of plans, and that nothing is named to a worker before it is published. Must
//! not judge what comes back.

use std::time::Duration;

use rand_core::Rng;

use crate::corpus::EntryIndex;
use crate::ids::{TestIndex, WorkerId};
use crate::limits::{
    EXEC_TIME_PACED, FUZZ_CALL_EXECS, FUZZ_CALL_TIME, FUZZ_CALL_TIME_MAX, FUZZ_CALL_TIME_MIN,
    PUBLISHED_BYTES_MAX, PUBLISHED_ENTRIES_MAX,
};
use crate::schedule::{Pick, Profile, share};
use crate::session::Session;
use crate::session::assign::micros;
use crate::session::config::Pace;
use crate::session::effect::{Effect, PlanItem, Work};
use crate::session::slot::{FuzzJob, Job};

/// Executions handed out with one call when the clock paces the session and there is no budget.
const UNLIMITED_EXECS: u64 = 1 << 40;

impl Session {
    /// Gives a worker entries to fuzz.
    pub(super) fn fuzz(&mut self, worker: WorkerId, test: TestIndex) {
        let want = match self.config.pace {
            Pace::Clock => UNLIMITED_EXECS,
            Pace::Executions => FUZZ_CALL_EXECS,
        };
        let Some(reservation) = self.budget.reserve(want, self.slots.len() as u64) else { return };
        self.publish(test);
        let at = self.plan_time(test);
        let slot = &self.slots[worker.0];
        let (has_plans, call_time) = (slot.has_plans, slot.call_time);
        let schedule = &mut self.tests[test.0].schedule;
        let picks: Vec<Pick> = if has_plans {
            schedule.plan(at, &mut self.rng)
        } else {
            schedule.pick(at, &mut self.rng).into_iter().collect()
        };
        let len_max = has_plans.then(|| schedule.len_max(&picks));
        let time_max = self.time_limit(if has_plans { call_time } else { FUZZ_CALL_TIME });
        let profile = if has_plans {
            let profiles = &mut self.tests[test.0].profiles;
            profiles.next(time_max.map_or(reservation.execs(), micros))
        } else {
            Profile::Default
        };
        let Some(first) = picks.first() else {
            // A fuzzing test has an entry; should it not, the reservation goes back.
            self.budget.settle(reservation, 0);
            return;
        };
        let input = self.tests[test.0].corpus.entry(first.entry).input.clone();
        let item = |pick: &Pick| PlanItem {
            entry: pick.entry.number(),
            weight: pick.weight,
            is_new: pick.is_new,
        };
        let work = Work::Fuzz {
            execs_max: reservation.execs(),
            time_max,
            rng_seed: self.rng.next_u64(),
            plan: picks.iter().map(item).collect(),
            len_max,
            profile,
        };
        let finds = vec![0.0; picks.len()];
        let (plan, told) = (picks, Vec::new());
        let job = FuzzJob { plan, reservation, told, finds, has_edge: false, profile };
        self.send(worker, test, Job::Fuzz(job), input, work);
    }

    /// The time that decides when weights are computed anew.
    fn plan_time(&self, test: TestIndex) -> Duration {
        match self.config.pace {
            Pace::Clock => self.now,
            Pace::Executions => {
                let nanos = u64::try_from(EXEC_TIME_PACED.as_nanos()).unwrap_or(u64::MAX);
                Duration::from_nanos(self.tests[test.0].execs.saturating_mul(nanos))
            }
        }
    }

    /// A Fuzz call ended: calls get shorter while there are finds to tell the others of, and longer
    /// while there are none.
    pub(super) fn adapt_call_time(&mut self, worker: WorkerId, has_find: bool) {
        let time = &mut self.slots[worker.0].call_time;
        let next = if has_find { *time / 2 } else { *time * 2 };
        *time = next.clamp(FUZZ_CALL_TIME_MIN, FUZZ_CALL_TIME_MAX);
    }

    /// Shows the workers of a test what was merged and what became an entry since the last time.
    pub(super) fn publish(&mut self, test: TestIndex) {
        let state = &mut self.tests[test.0];
        let (features, shown) = state.coverage.since(state.shown.features);
        if !features.is_empty() {
            state.shown.features = shown;
            self.effects.push(Effect::PublishCoverage { test, features });
        }
        while state.shown.entries < state.corpus.len()
            && let Some(index) = EntryIndex::new(state.shown.entries)
            && !state.shown.is_full
        {
            let input = state.corpus.entry(index).input.clone();
            let bytes = state.shown.bytes.saturating_add(input.len());
            if state.shown.entries >= PUBLISHED_ENTRIES_MAX || bytes > PUBLISHED_BYTES_MAX {
                state.shown.is_full = true;
                state.schedule.close(state.shown.entries);
                break;
            }
            state.shown.entries += 1;
            state.shown.bytes = bytes;
            let index = index.number();
            self.effects.push(Effect::PublishEntry { test, index, input });
        }
    }

    /// The same for all tests, at the end of an event.
    pub(super) fn publish_all(&mut self) {
        for index in 0..self.tests.len() {
            self.publish(TestIndex(index));
        }
    }

    /// The weight of a test beside the others: by what it brings for its cost.
    pub(super) fn weight(&self, test: TestIndex) -> u64 {
        if self.tests.len() == 1 {
            return share::WEIGHT_MAX;
        }
        let alive = self.tests.iter().filter(|test| test.is_alive());
        let best = alive.map(|test| test.share.rate()).fold(0.0, f64::max);
        self.tests[test.0].share.weight(best)
    }
}

//! A smaller input for a find or a failure, by running candidates as they are.
//!
//! Owns when a candidate holds, and the bounds of the search. Which candidates there are is in
//! [`fuzzd_go::reduce`].

use std::time::{Duration, Instant};

use fuzzd_core::coverage::Feature;
use fuzzd_core::session::Outcome;
use fuzzd_core::signature::Signature;
use fuzzd_go::reduce::{Effort, Reducer};
use fuzzd_protocol::input::to_memory;
use fuzzd_protocol::value::{Value, ValueType};

use crate::worker::go::mask::has_all;
use crate::worker::go::talk::{Ran, Step, Way, features};

/// What a candidate must have to hold.
#[derive(Debug)]
pub(super) enum Goal {
    /// All of `keep`; the best that held `has` this.
    Coverage { keep: Vec<Feature>, has: Vec<Feature> },
    /// The same failure. Another one is no use, and will be found again by fuzzing.
    Failure(Signature),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shrinking {
    reducer: Reducer,
    goal: Goal,
    execs_left: u64,
    until: Option<Instant>,
}

impl Shrinking {
    pub(super) fn new(
        values: Vec<Value>,
        goal: Goal,
        execs_max: u64,
        time_max: Option<Duration>,
        now: Instant,
    ) -> Self {
        let reducer = Reducer::new(values, Effort::Full);
        Self { reducer, goal, execs_left: execs_max, until: time_max.map(|time| now + time) }
    }

    pub(super) fn next(&mut self, now: Instant) -> Option<Step> {
        if self.execs_left == 0 || self.until.is_some_and(|until| now >= until) {
            return None;
        }
        self.execs_left -= 1;
        let values = self.reducer.propose()?.to_vec();
        Some(Step { values, way: Way::AsIs { is_new: false } })
    }

    /// The candidate does not fit into the memory.
    pub(super) fn skip(&mut self) {
        self.reducer.judge(false);
    }

    pub(super) fn take(&mut self, ran: Ran) -> Result<(), String> {
        let held = match (&mut self.goal, &ran.failure) {
            (Goal::Failure(signature), Some(failure)) => failure.signature() == *signature,
            (Goal::Failure(_), None) | (Goal::Coverage { .. }, Some(_)) => false,
            (Goal::Coverage { keep, has }, None) => {
                let snapshot = ran.snapshot.as_deref();
                let holds = snapshot.is_some_and(|snapshot| has_all(snapshot, keep));
                if holds {
                    *has = features(snapshot)?;
                }
                holds
            }
        };
        self.reducer.judge(held);
        Ok(())
    }

    pub(super) fn outcome(&self, types: &[ValueType]) -> Outcome {
        let coverage = match &self.goal {
            Goal::Coverage { has, .. } => has.clone(),
            Goal::Failure(_) => Vec::new(),
        };
        Outcome::Minimized { input: to_memory(types, self.reducer.best()).into(), coverage }
    }
}

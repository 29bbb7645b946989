//! Searches for smaller inputs: budgets are exact, parts fit together, fuzzing is not starved.

use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::limits::{MINIMIZE_FAILURE_EXECS, MINIMIZE_FORKED_EXECS, SEARCH_PARTS_MAX};
use fuzzd_core::session::{Call, Work};

use crate::oracle::Oracle;
use crate::process::Process;

fn is_search(work: &Work) -> bool {
    matches!(work, Work::MinimizeFailure { .. })
}

impl Oracle {
    /// The core sends a call that minimizes a bug, perhaps.
    pub(crate) fn check_search(
        &mut self,
        process: &Process,
        call: &Call,
        slots: &[Option<Process>],
        clock: Duration,
    ) {
        let Work::MinimizeFailure { signature, by_fork, search, execs_max, .. } = &call.work else {
            return;
        };
        let searched = self.searched.entry((process.test, *signature)).or_default();
        *searched += execs_max;
        let limit = MINIMIZE_FAILURE_EXECS.max(MINIMIZE_FORKED_EXECS);
        assert!(*execs_max > 0 && *searched <= limit, "{searched} executions for one search");
        assert!(!by_fork || *execs_max <= MINIMIZE_FORKED_EXECS);
        let in_flight = slots.iter().flatten().filter_map(|other| other.in_flight.as_ref());
        let others = in_flight.filter(|flight| is_search(&flight.call.work)).count();
        let share = (slots.len() / 2).max(1);
        let has_budget = self.config.execs_max.is_none_or(|max| self.execs + self.reserved < max);
        let is_fuzzing = self.is_running(clock) && has_budget;
        assert!(!is_fuzzing || others < share, "{others} others minimize already");
        let Some(part) = search else { return };
        assert!(process.can.has_search, "a worker that cannot is sent a part of a search");
        assert!(part.part < part.parts && part.parts as usize <= SEARCH_PARTS_MAX);
        assert!(part.held.windows(2).all(|pair| pair[0] < pair[1]), "{part:?}");
        assert!(part.held.iter().all(|held| *held < part.from), "{part:?}");
        let same = slots.iter().flatten().filter(|other| other.test == process.test);
        for flight in same.filter_map(|other| other.in_flight.as_ref()) {
            if let Work::MinimizeFailure { signature: own, search: Some(other), .. } =
                &flight.call.work
                && own == signature
                && (other.from, &other.held, other.parts) == (part.from, &part.held, part.parts)
                && flight.call.input == call.input
            {
                assert_ne!(other.part, part.part, "two workers do the same part");
            }
        }
    }

    /// A call is over.
    pub(super) fn search_ended(&mut self, test: TestIndex, call: &Call, execs: u64) {
        if let Work::MinimizeFailure { signature, execs_max, .. } = &call.work
            && let Some(searched) = self.searched.get_mut(&(test, *signature))
        {
            *searched -= execs_max - execs.min(*execs_max);
        }
    }
}

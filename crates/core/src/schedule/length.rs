//! How long inputs may become: short ones first, longer ones where nothing is found.
//!
//! Owns the limit of one test. Time here is the test's own fuzzing time per worker.

use std::time::Duration;

/// The first limit, in bytes.
const START: usize = 64;
/// The longest input, in bytes.
const LEN_MAX: usize = 1 << 20;
/// The same where no input was given to start from, until the search stagnates for long.
const LEN_MAX_UNSEEDED: usize = 4 << 10;
/// Time without a new edge after which the limit grows, for each doubling of it. Finds that only
/// count higher do not hold it up: some code is reached by long inputs alone (a map that splits).
const PATIENCE: Duration = Duration::from_millis(20);
/// The limit grows by one part in so many.
const GROWTH: usize = 4;

/// The limit of one test.
#[derive(Debug, Clone)]
pub(super) struct LengthLimit {
    limit: usize,
    cap: usize,
    dry: Duration,
}

impl LengthLimit {
    pub(super) fn new(is_seeded: bool) -> Self {
        let cap = if is_seeded { LEN_MAX } else { LEN_MAX_UNSEEDED };
        Self { limit: START, cap, dry: Duration::ZERO }
    }

    /// The limit for a plan whose longest entry is so long; an entry is never cut by it.
    pub(super) fn over(&mut self, longest: usize) -> usize {
        self.limit = self.limit.max(longest.min(self.cap));
        self.limit.max(longest)
    }

    /// Books time that was spent, and whether it brought a new edge.
    pub(super) fn book(&mut self, spent: Duration, has_edge: bool) {
        if has_edge {
            self.dry = Duration::ZERO;
            return;
        }
        self.dry = self.dry.saturating_add(spent);
        while self.limit < self.cap && self.dry >= PATIENCE * self.limit.ilog2() {
            self.dry -= PATIENCE * self.limit.ilog2();
            self.limit = (self.limit + self.limit / GROWTH).min(self.cap);
        }
    }

    /// The search stagnates.
    pub(super) fn double(&mut self, lifts_cap: bool) {
        if lifts_cap {
            self.cap = LEN_MAX;
        }
        self.limit = (self.limit * 2).min(self.cap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_starts_low_and_grows_while_nothing_is_found() {
        let mut length = LengthLimit::new(true);
        assert_eq!(length.over(10), 64);
        assert_eq!(length.over(100), 100);
        length.book(PATIENCE * 5, false);
        length.book(PATIENCE, true);
        length.book(PATIENCE * 5, false);
        assert_eq!(length.over(10), 100, "an edge starts the wait anew");
        length.book(PATIENCE, false);
        assert_eq!(length.over(10), 125);
    }

    #[test]
    fn the_limit_has_a_cap_and_cuts_no_entry() {
        let mut length = LengthLimit::new(false);
        for _ in 0..1_000 {
            length.book(Duration::from_secs(100), false);
        }
        assert_eq!(length.over(0), LEN_MAX_UNSEEDED);
        assert_eq!(length.over(10_000), 10_000);
        length.double(false);
        assert_eq!(length.over(0), LEN_MAX_UNSEEDED);
        length.double(true);
        assert_eq!(length.over(0), 2 * LEN_MAX_UNSEEDED);
    }
}

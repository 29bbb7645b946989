//! The exact accounting of `--execs`.
//!
//! Owns how many executions of newly mutated inputs were done and how many are handed out. A call
//! reserves its limit before it is sent and settles it when it ends, however it ends, so that the
//! sum over all workers can reach the budget but never pass it.

/// Executions done and handed out, against a limit.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    max: Option<u64>,
    done: u64,
    reserved: u64,
}

/// Executions a call may do, to be given back to [`Budget::settle`]. Not cloneable: settled once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a reservation that is not settled blocks the end of the session"]
pub struct Reservation(u64);

impl Reservation {
    /// Executions the call may do.
    #[must_use]
    pub fn execs(&self) -> u64 {
        self.0
    }
}

impl Budget {
    /// Below this, what is left is not divided further.
    const SHARE_MIN: u64 = 256;

    /// A budget of `max` executions; `None` never ends.
    #[must_use]
    pub fn new(max: Option<u64>) -> Self {
        Self { max, done: 0, reserved: 0 }
    }

    /// Executions done so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Whether every execution of the budget was done.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.max.is_some_and(|max| self.done >= max)
    }

    /// Reserves at most `want` executions, and at most an equal share of what is left for each of
    /// `workers`. `None`: nothing is left to hand out at present.
    pub fn reserve(&mut self, want: u64, workers: u64) -> Option<Reservation> {
        let granted = match self.max {
            None => want,
            Some(max) => {
                let left = max.saturating_sub(self.done).saturating_sub(self.reserved);
                let share = (left / workers.max(1)).max(Self::SHARE_MIN);
                want.min(share).min(left)
            }
        };
        self.reserved = self.reserved.saturating_add(granted);
        (granted > 0).then_some(Reservation(granted))
    }

    /// Ends a reservation of which `execs` were done; a worker that claims more than it was
    /// granted is not believed. Returns what was counted.
    pub fn settle(&mut self, reservation: Reservation, execs: u64) -> u64 {
        let counted = execs.min(reservation.0);
        self.reserved = self.reserved.saturating_sub(reservation.0);
        self.done = self.done.saturating_add(counted);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_all_calls_reaches_the_budget_and_never_passes_it() {
        let mut budget = Budget::new(Some(10_000));
        let mut in_flight = Vec::new();
        let mut step = 0;
        while !budget.is_used_up() {
            while let Some(reservation) = budget.reserve(3_000, 4) {
                in_flight.push(reservation);
            }
            let reservation = in_flight.remove(0);
            step += 1;
            // Calls that end early, exactly, and with a lie.
            let claimed = [reservation.execs() / 3, reservation.execs(), u64::MAX][step % 3];
            budget.settle(reservation, claimed);
            assert!(budget.done() <= 10_000);
        }
        assert_eq!(budget.done(), 10_000);
    }

    #[test]
    fn a_budget_without_limit_is_never_used_up() {
        let mut budget = Budget::new(None);
        let reservation = budget.reserve(7, 2).expect("no limit");
        assert_eq!(reservation.execs(), 7);
        budget.settle(reservation, 7);
        assert!(!budget.is_used_up());
    }

    #[test]
    fn the_last_executions_are_not_split_into_crumbs() {
        let mut budget = Budget::new(Some(300));
        assert_eq!(budget.reserve(u64::MAX, 64), Some(Reservation(256)));
        assert_eq!(budget.reserve(u64::MAX, 64), Some(Reservation(44)));
        assert_eq!(budget.reserve(u64::MAX, 64), None);
    }
}

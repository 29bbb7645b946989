//! When a call with a timeout is over, without a look at the clock per execution.
//!
//! Owns how many executions pass between two looks: one at first, twice as many while a look comes
//! early, fewer when it comes late.

use std::time::{Duration, Instant};

use crate::limits::{CLOCK_EVERY_MAX, CLOCK_INTERVAL};

/// Tells when a call is over.
#[derive(Debug)]
pub(crate) struct Pace {
    deadline: Option<Instant>,
    looked: Instant,
    every: u32,
    left: u32,
}

impl Pace {
    /// A call that began at `now` and may take `timeout`; `None`: as long as it likes.
    pub(crate) fn new(timeout: Option<Duration>, now: Instant) -> Self {
        let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        Self { deadline, looked: now, every: 1, left: 1 }
    }

    /// To be asked before each execution.
    #[inline]
    pub(crate) fn is_over(&mut self) -> bool {
        self.left -= 1;
        self.left == 0 && self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        if self.deadline.is_none() {
            self.left = u32::MAX;
            return false;
        }
        self.look_at(Instant::now())
    }

    fn look_at(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.looked);
        if passed * 2 <= CLOCK_INTERVAL {
            self.every = (self.every * 2).min(CLOCK_EVERY_MAX);
        } else if passed > CLOCK_INTERVAL {
            let slower = u64::from(self.every) * nanos(CLOCK_INTERVAL) / nanos(passed);
            self.every = u32::try_from(slower).unwrap_or(1).max(1);
        }
        (self.looked, self.left) = (now, self.every);
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}

/// A duration in whole nanoseconds, at least 1.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// A duration as the protocol has it.
pub(crate) fn wire_nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A timeout of the protocol: 0 (and what is below, which has no meaning) is none.
pub(crate) fn wire_timeout(timeout_ns: i64) -> Option<Duration> {
    u64::try_from(timeout_ns).ok().filter(|nanos| *nanos > 0).map(Duration::from_nanos)
}

/// A limit of the protocol: 0 (and what is below, which has no meaning) is none.
pub(crate) fn wire_limit(limit: i64) -> u64 {
    u64::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs executions of `each` until the call is over; gives their number and the looks taken.
    fn simulate(timeout: Duration, each: impl Fn(u32) -> Duration) -> (u32, u32) {
        let start = Instant::now();
        let mut pace = Pace::new(Some(timeout), start);
        let (mut now, mut executions, mut looks) = (start, 0, 0);
        loop {
            pace.left -= 1;
            if pace.left == 0 {
                looks += 1;
                if pace.look_at(now) {
                    return (executions, looks);
                }
            }
            executions += 1;
            now += each(executions);
        }
    }

    #[test]
    fn short_executions_are_not_timed_one_by_one() {
        let (executions, looks) =
            simulate(Duration::from_millis(100), |_| Duration::from_nanos(80));
        assert!((1_250_000..1_290_000).contains(&executions), "{executions}");
        assert!(looks < 250, "{looks}");
    }

    #[test]
    fn long_executions_are_timed_one_by_one() {
        let (executions, _) = simulate(Duration::from_millis(100), |_| Duration::from_millis(30));
        assert_eq!(executions, 4);
    }

    #[test]
    fn executions_that_become_slower_are_followed() {
        let each = |number| Duration::from_micros(if number < 1000 { 1 } else { 500 });
        let (executions, _) = simulate(Duration::from_millis(400), each);
        assert!(executions < 2500, "{executions}");
    }

    #[test]
    fn a_call_without_timeout_is_never_over() {
        let mut pace = Pace::new(None, Instant::now());
        assert!((0..10_000).all(|_| !pace.is_over()));
        let mut pace = Pace::new(Some(Duration::MAX), Instant::now());
        assert!(!pace.is_over());
    }

    #[test]
    fn zero_and_less_mean_no_limit() {
        assert_eq!(wire_timeout(0), None);
        assert_eq!(wire_timeout(-1), None);
        assert_eq!(wire_timeout(5), Some(Duration::from_nanos(5)));
        assert_eq!((wire_limit(0), wire_limit(-5), wire_limit(3)), (u64::MAX, u64::MAX, 3));
    }
}

//! Time in which the coordinator itself did not run: it was stopped, suspended or starved.
//!
//! Owns how such a gap is told from a tick that is late, and the clock of the session, which stands
//! still in a gap: what nobody could do in it must not be too late after it. Must not read a clock.

use std::time::{Duration, Instant};

use crate::limits::{CLOCK_GAP_MIN, LOOP_TICK};

/// The gap between two ticks that were to be `period` apart. Zero for one as late as ticks may be.
pub(crate) fn gap(last: Instant, now: Instant, period: Duration) -> Duration {
    let late = now.saturating_duration_since(last).saturating_sub(period);
    if late > CLOCK_GAP_MIN { late } else { Duration::ZERO }
}

/// What a session is told as `now`: the time since its start, gaps left out.
#[derive(Debug)]
pub(crate) struct SessionClock {
    last: Instant,
    now: Duration,
}

impl SessionClock {
    pub(crate) fn start(now: Instant) -> Self {
        Self { last: now, now: Duration::ZERO }
    }

    /// The session's time `now`. Asked at least with every tick of the loop.
    pub(crate) fn at(&mut self, now: Instant) -> Duration {
        let gap = gap(self.last, now, LOOP_TICK);
        self.now += now.saturating_duration_since(self.last) - gap;
        self.last = self.last.max(now);
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_ticks_count_from_half_a_second() {
        let start = Instant::now();
        let period = Duration::from_millis(25);
        let gap_of = |late: u64| gap(start, start + period + Duration::from_millis(late), period);
        assert_eq!(gap_of(0), Duration::ZERO);
        assert_eq!(gap_of(500), Duration::ZERO);
        assert_eq!(gap_of(501), Duration::from_millis(501));
        assert_eq!(gap(start + period, start, period), Duration::ZERO);
    }

    #[test]
    fn the_clock_of_a_session_stands_still_while_nobody_runs() {
        let start = Instant::now();
        let mut clock = SessionClock::start(start);
        assert_eq!(clock.at(start + Duration::from_millis(400)), Duration::from_millis(400));
        let stopped = start + Duration::from_secs(3_600);
        assert_eq!(clock.at(stopped), Duration::from_millis(450));
        assert_eq!(clock.at(stopped + Duration::from_millis(10)), Duration::from_millis(460));
        assert_eq!(clock.at(stopped), Duration::from_millis(460), "it never runs backwards");
        assert_eq!(clock.at(stopped + Duration::from_millis(20)), Duration::from_millis(470));
    }
}

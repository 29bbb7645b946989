//! The watchdog of one call: is it getting on, and within its memory?
//!
//! Pure: it is given samples and the time. Must not kill anything; the task does what an
//! [`Alarm`] says.

use std::time::{Duration, Instant};

use crate::limits::{
    CALL_GRACE, EXECS_OTHER_PER_CALL_MAX, INPUT_TIMEOUT_MAX, MEMORY_INTERVAL, STARVED_TIMEOUTS_MAX,
    WATCH_TICK, WATCH_TICK_MAX,
};
use crate::worker::gauge::Activity;
use crate::worker::memory::Counts;

/// The limits of every call of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WatchLimits {
    /// One input.
    pub(crate) input_timeout: Duration,
    /// Resident memory in bytes; 0 is no limit.
    pub(crate) rss_limit_bytes: u64,
}

impl WatchLimits {
    /// Time between two looks at a call that gets on: a hang is noticed a tenth of its time late at
    /// most, as far as [`WATCH_TICK`] allows.
    pub(crate) fn tick(&self) -> Duration {
        (self.input_timeout / 10).clamp(WATCH_TICK, WATCH_TICK_MAX)
    }
}

/// When the memory of one process is to be read: reading it is the dearest part of a look.
#[derive(Debug, Default)]
pub(super) struct MemoryPace {
    next: Option<Instant>,
    /// Above three quarters of the limit when it was last read.
    pub(super) is_near: bool,
}

impl MemoryPace {
    /// Whether to read it `now`. Urgent: an execution takes long, and may be filling memory.
    pub(super) fn is_due(&self, now: Instant, is_urgent: bool, limit: u64) -> bool {
        limit > 0 && (is_urgent || self.is_near || self.next.is_none_or(|next| now >= next))
    }

    /// What was read; `None`: nothing.
    pub(super) fn saw(&mut self, now: Instant, rss_bytes: Option<u64>, limit: u64) {
        if let Some(rss) = rss_bytes {
            self.next = Some(now + MEMORY_INTERVAL);
            self.is_near = rss > limit / 4 * 3;
        }
    }
}

/// What was seen at one tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// From memory: hostile.
    pub(super) counts: Counts,
    /// From memory: hostile.
    pub(super) is_running: bool,
    /// A part of a reply has arrived.
    pub(super) is_replying: bool,
    /// Resident bytes; `None` if they were not read, or the system does not say.
    pub(super) rss_bytes: Option<u64>,
    /// What the process does, if [`Watch::asks_activity`]; `None`: the system does not say.
    pub(super) activity: Option<Activity>,
}

/// When the execution in progress was first seen to take long.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// How long it had taken.
    taken: Duration,
    /// What the process had had of a core.
    cpu_time: Duration,
}

/// Why the worker has to be killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alarm {
    /// No execution ended within the per-input timeout.
    Hung { is_running: bool },
    /// Resident memory is above the limit; the bytes seen.
    Memory { seen: u64 },
    /// The worker does not do what the call said; why.
    Misbehaved(String),
}

/// Watches one call.
#[derive(Debug)]
pub(super) struct Watch {
    limits: WatchLimits,
    /// Executions of newly mutated inputs the call may do.
    execs_max: u64,
    counts: Counts,
    /// When the execution in progress has taken too long.
    input_deadline: Instant,
    mark: Option<Mark>,
    /// How much more time it may be given.
    starved_left: Duration,
    /// When the call should end by itself; only if it has a time limit.
    time_up: Option<Instant>,
    /// When the call as a whole has taken too long; only if it has a time limit.
    call_deadline: Option<Instant>,
}

impl Watch {
    /// A call that starts now.
    pub(super) fn start(
        limits: WatchLimits,
        execs_max: u64,
        time_max: Option<Duration>,
        now: Instant,
    ) -> Self {
        // Bounded, so that adding them to a clock cannot overflow.
        let time_max = time_max.map(|time| time.min(INPUT_TIMEOUT_MAX));
        let time_up = time_max.map(|time| now + time);
        let call_deadline = time_up.map(|at| at + limits.input_timeout + CALL_GRACE);
        let input_deadline = now + limits.input_timeout;
        Self {
            limits,
            execs_max,
            counts: Counts::default(),
            input_deadline,
            mark: None,
            starved_left: limits.input_timeout * STARVED_TIMEOUTS_MAX,
            time_up,
            call_deadline,
        }
    }

    /// The same for a call in which so much may pass before its first execution.
    pub(super) fn after_walk(self, walk_max: Duration) -> Self {
        let input_deadline = self.input_deadline + walk_max;
        let call_deadline = self.call_deadline.map(|deadline| deadline + walk_max);
        Self { input_deadline, call_deadline, ..self }
    }

    /// Whether executions ended since the last look, and the call has time left. One that has none
    /// is in its last execution, which takes long.
    pub(super) fn is_calm(&self, now: Instant, counts: Counts) -> bool {
        counts != self.counts && self.time_up.is_none_or(|at| now < at)
    }

    /// Whether the next look needs to know what the process does: when an execution begins to take
    /// long, and when it has taken too long.
    pub(super) fn asks_activity(&self, now: Instant, counts: Counts) -> bool {
        counts == self.counts && (self.mark.is_none() || now >= self.input_deadline)
    }

    /// How much of its time the execution in progress wanted a core and had none: a machine that is
    /// too busy is no fault of the input.
    fn starved(&self, activity: Option<Activity>) -> Duration {
        let Some(activity) = activity else { return Duration::ZERO };
        // Without a mark we had no core ourselves, and nothing is known: it begins anew.
        let had = self.mark.map_or(Duration::ZERO, |mark| {
            mark.taken + activity.cpu_time.saturating_sub(mark.cpu_time)
        });
        let starved = self.limits.input_timeout.saturating_sub(had).min(self.starved_left);
        // A little is lost to every switch.
        let is_starved = activity.is_runnable && starved > self.limits.input_timeout / 10;
        if is_starved { starved } else { Duration::ZERO }
    }

    /// Marks when the execution in progress was first looked at.
    fn mark_first(&mut self, activity: Option<Activity>, taken: Duration) {
        let mark = activity.map(|Activity { cpu_time, .. }| Mark { taken, cpu_time });
        self.mark = self.mark.or(mark);
    }

    /// Judges what was seen `now`. `gap` is time in which the coordinator itself did not run.
    pub(super) fn look(&mut self, now: Instant, gap: Duration, sample: Sample) -> Option<Alarm> {
        self.input_deadline += gap;
        self.call_deadline = self.call_deadline.map(|deadline| deadline + gap);
        let Sample { counts, is_running, is_replying, rss_bytes, activity } = sample;
        let limit = self.limits.rss_limit_bytes;
        if let Some(seen) = rss_bytes.filter(|&rss| limit > 0 && rss > limit) {
            return Some(Alarm::Memory { seen });
        }
        if counts.new > self.execs_max || counts.other > EXECS_OTHER_PER_CALL_MAX {
            let (new, other) = (counts.new, counts.other);
            return Some(Alarm::Misbehaved(format!(
                "it counts {new} and {other} executions in a call of at most {}",
                self.execs_max
            )));
        }
        if counts != self.counts {
            self.counts = counts;
            self.input_deadline = now + self.limits.input_timeout;
            self.mark = None;
            self.starved_left = self.limits.input_timeout * STARVED_TIMEOUTS_MAX;
        } else if now >= self.input_deadline {
            let starved = self.starved(activity);
            if starved.is_zero() {
                return Some(if is_replying {
                    Alarm::Misbehaved("it did not finish the line of its reply".into())
                } else {
                    Alarm::Hung { is_running }
                });
            }
            self.starved_left -= starved;
            self.input_deadline = now + starved;
            self.call_deadline = self.call_deadline.map(|deadline| deadline + starved);
            self.mark_first(activity, Duration::ZERO);
        } else {
            let left = self.input_deadline.saturating_duration_since(now);
            self.mark_first(activity, self.limits.input_timeout.saturating_sub(left));
        }
        if self.call_deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Alarm::Misbehaved("it did not end a call whose time was over".into()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);
    const LIMITS: WatchLimits = WatchLimits { input_timeout: TIMEOUT, rss_limit_bytes: 100 << 20 };

    fn sample(new: u64) -> Sample {
        let counts = Counts { new, other: 0 };
        let rss_bytes = Some(1 << 20);
        Sample { counts, is_running: true, is_replying: false, rss_bytes, activity: None }
    }

    #[test]
    fn a_call_that_gets_on_never_hangs() {
        let start = Instant::now();
        let mut watch = Watch::start(LIMITS, 1_000, None, start);
        for step in 1..100u32 {
            let now = start + TIMEOUT * step - Duration::from_millis(1);
            assert_eq!(watch.look(now, Duration::ZERO, sample(step.into())), None);
        }
        let now = start + TIMEOUT * 100;
        assert_eq!(
            watch.look(now, Duration::ZERO, sample(99)),
            Some(Alarm::Hung { is_running: true })
        );
    }

    /// When an execution is given up that gets a third of a core and never ends.
    fn given_up_after(is_runnable: bool, share: u32) -> Duration {
        let start = Instant::now();
        let mut watch = Watch::start(LIMITS, 9, None, start);
        let mut after = Duration::ZERO;
        loop {
            after += Duration::from_millis(100);
            let activity = Some(Activity { cpu_time: after / share, is_runnable });
            let seen = Sample { activity, ..sample(0) };
            if watch.look(start + after, Duration::ZERO, seen).is_some() {
                return after;
            }
        }
    }

    #[test]
    fn an_execution_without_a_core_has_as_much_time_more_within_bounds() {
        let with_a_core = given_up_after(true, 1);
        assert_eq!(with_a_core, TIMEOUT);
        assert_eq!(given_up_after(false, 100), TIMEOUT, "one that sleeps wants no core");
        let with_a_third = given_up_after(true, 3);
        let (least, most) = (TIMEOUT * 5 / 2, TIMEOUT * 7 / 2);
        assert!((least..most).contains(&with_a_third), "{with_a_third:?}");
        let at_last = given_up_after(true, 1_000);
        let most = TIMEOUT * (1 + STARVED_TIMEOUTS_MAX) + TIMEOUT / 10;
        assert!((TIMEOUT * STARVED_TIMEOUTS_MAX..most).contains(&at_last), "{at_last:?}");
    }

    #[test]
    fn one_that_we_could_not_look_at_in_time_begins_anew_if_it_wants_a_core() {
        let start = Instant::now();
        let look = |is_runnable| {
            let mut watch = Watch::start(LIMITS, 9, None, start);
            let mut look = |after, cpu_time| {
                let activity = Some(Activity { cpu_time, is_runnable });
                let seen = Sample { activity, ..sample(0) };
                watch.look(start + after, Duration::ZERO, seen).is_some()
            };
            [look(TIMEOUT, TIMEOUT), look(TIMEOUT * 2, TIMEOUT * 2)]
        };
        assert_eq!(look(true), [false, true]);
        assert_eq!(look(false), [true, true]);
    }

    #[test]
    fn what_the_process_does_is_asked_when_it_begins_to_take_long_and_at_the_end() {
        let start = Instant::now();
        let mut watch = Watch::start(LIMITS, 9, None, start);
        let counts = |new| Counts { new, other: 0 };
        assert!(watch.asks_activity(start, counts(0)) && !watch.asks_activity(start, counts(1)));
        let activity = Some(Activity { cpu_time: Duration::ZERO, is_runnable: true });
        assert_eq!(watch.look(start, Duration::ZERO, Sample { activity, ..sample(0) }), None);
        assert!(!watch.asks_activity(start, counts(0)));
        assert!(watch.asks_activity(start + TIMEOUT, counts(0)));
        assert_eq!(watch.look(start, Duration::ZERO, sample(1)), None);
        assert!(watch.asks_activity(start, counts(1)), "the next one takes long");
    }

    #[test]
    fn a_walk_to_the_first_execution_is_no_hang_and_those_behind_it_are_watched_as_ever() {
        let start = Instant::now();
        let walk = TIMEOUT * 3;
        let mut watch = Watch::start(LIMITS, 9, Some(TIMEOUT), start).after_walk(walk);
        let mut look = |after, new| watch.look(start + after, Duration::ZERO, sample(new));
        assert_eq!(look(walk + TIMEOUT / 2, 0), None);
        assert_eq!(look(walk + TIMEOUT / 2, 1), None, "the first one began");
        let hung = look(walk + TIMEOUT / 2 + TIMEOUT, 1);
        assert_eq!(hung, Some(Alarm::Hung { is_running: true }));
        let mut watch = Watch::start(LIMITS, 9, None, start).after_walk(walk);
        let hung = watch.look(start + walk + TIMEOUT, Duration::ZERO, sample(0));
        assert_eq!(hung, Some(Alarm::Hung { is_running: true }));
    }

    #[test]
    fn time_in_which_we_did_not_run_is_no_hang() {
        let start = Instant::now();
        let mut watch = Watch::start(LIMITS, 1, Some(TIMEOUT), start);
        let gap = Duration::from_hours(8);
        let now = start + gap + TIMEOUT - Duration::from_millis(1);
        assert_eq!(watch.look(now, gap, sample(0)), None);
        let hung = watch.look(now + Duration::from_millis(1), Duration::ZERO, sample(0));
        assert_eq!(hung, Some(Alarm::Hung { is_running: true }));
    }

    #[test]
    fn a_worker_that_lies_or_dawdles_misbehaves() {
        let start = Instant::now();
        let look = |seen: Sample, after: Duration| {
            let mut watch = Watch::start(LIMITS, 5, Some(Duration::from_secs(1)), start);
            watch.look(start + after, Duration::ZERO, seen)
        };
        assert_eq!(look(sample(5), Duration::ZERO), None);
        assert!(matches!(look(sample(6), Duration::ZERO), Some(Alarm::Misbehaved(_))));
        let replying = Sample { is_replying: true, ..sample(0) };
        assert!(matches!(look(replying, TIMEOUT), Some(Alarm::Misbehaved(_))));
        let late = Duration::from_secs(1) + TIMEOUT + CALL_GRACE;
        assert!(matches!(look(sample(1), late), Some(Alarm::Misbehaved(_))));
    }

    #[test]
    fn memory_counts_above_the_limit_only_and_not_without_one() {
        let start = Instant::now();
        let look = |limits: WatchLimits, rss: Option<u64>| {
            let seen = Sample { rss_bytes: rss, ..sample(1) };
            Watch::start(limits, 5, None, start).look(start, Duration::ZERO, seen)
        };
        assert_eq!(look(LIMITS, Some(100 << 20)), None);
        assert_eq!(look(LIMITS, Some(101 << 20)), Some(Alarm::Memory { seen: 101 << 20 }));
        assert_eq!(look(LIMITS, None), None);
        let unlimited = WatchLimits { rss_limit_bytes: 0, ..LIMITS };
        assert_eq!(look(unlimited, Some(u64::MAX)), None);
    }

    #[test]
    fn a_call_is_calm_while_executions_end_and_it_has_time_left() {
        let start = Instant::now();
        let watch = Watch::start(LIMITS, 5, Some(Duration::from_secs(1)), start);
        let counts = |new| Counts { new, other: 0 };
        assert!(watch.is_calm(start, counts(1)));
        assert!(!watch.is_calm(start, counts(0)), "nothing ended");
        assert!(!watch.is_calm(start + Duration::from_secs(1), counts(1)), "it takes long");
        assert!(Watch::start(LIMITS, 5, None, start).is_calm(start + TIMEOUT, counts(1)));
    }

    #[test]
    fn a_short_timeout_is_watched_closely_and_a_long_one_cheaply() {
        let tick = |ms| {
            let input_timeout = Duration::from_millis(ms);
            WatchLimits { input_timeout, ..LIMITS }.tick()
        };
        assert_eq!([tick(50), tick(500)], [25, 50].map(Duration::from_millis));
        assert_eq!([tick(1_500), tick(10_000)], [WATCH_TICK_MAX; 2]);
    }

    #[test]
    fn memory_is_read_seldom_unless_it_is_near_its_limit_or_nothing_moves() {
        let (start, limit) = (Instant::now(), 100);
        let mut pace = MemoryPace::default();
        assert!(pace.is_due(start, false, limit));
        assert!(!pace.is_due(start, true, 0), "without a limit never");
        pace.saw(start, Some(75), limit);
        let soon = start + MEMORY_INTERVAL / 2;
        assert!(!pace.is_due(soon, false, limit) && pace.is_due(soon, true, limit));
        pace.saw(soon, None, limit);
        assert!(pace.is_due(start + MEMORY_INTERVAL, false, limit));
        pace.saw(soon, Some(76), limit);
        assert!(pace.is_near && pace.is_due(soon, false, limit));
    }
}

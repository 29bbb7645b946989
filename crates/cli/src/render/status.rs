//! The status line.

use std::time::Duration;

use fuzzd_core::session::{Activity, Status};
use unicode_width::UnicodeWidthStr;

use super::format::{duration, rate};

/// The status as fields, the most important first.
fn fields(status: &Status) -> Vec<String> {
    let mut fields = Vec::new();
    match status.activity {
        Activity::WarmingUp { done, total } => fields.push(format!("warming up {done}/{total}")),
        Activity::Fuzzing => {}
        Activity::Draining => fields.push("confirming crashes".to_owned()),
        Activity::Stopping => fields.push("stopping".to_owned()),
    }
    fields.push(format!("elapsed {}", duration(status.elapsed)));
    fields.push(format!("execs {} ({}/s)", status.execs, rate(status.execs_per_sec)));
    fields.push(format!("corpus {} (+{})", status.corpus, status.new_finds));
    fields.push(format!("edges {}", status.edges));
    fields.push(format!("bugs {}", status.bugs));
    fields.push(format!("restarts {}", status.restarts));
    fields.push(match status.since_last_find {
        Some(since) => format!("last find {} ago", duration(since)),
        None => "no find yet".to_owned(),
    });
    fields
}

/// The whole status in one line.
pub(crate) fn line(status: &Status) -> String {
    fields(status).join(", ")
}

/// As much of the status as fits into `columns`, the last field left out first.
pub(crate) fn fitted(status: &Status, columns: usize) -> String {
    let mut fields = fields(status);
    while fields.len() > 1 && fields.join(", ").width() >= columns {
        fields.pop();
    }
    fields.join(", ").chars().take(columns.saturating_sub(1)).collect()
}

/// When a line is due where lines cannot be rewritten, and what was in the last one.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    shown: Option<Duration>,
    told: Option<(Duration, u64)>,
}

impl Pacer {
    /// Whether `interval` is over since the last line; if so, this one counts as shown.
    pub(crate) fn is_due(&mut self, now: Duration, interval: Duration) -> bool {
        // Statuses come once a second, a little early or late.
        let slack = Duration::from_millis(500);
        let is_due = self.shown.is_none_or(|shown| now + slack >= shown + interval);
        if is_due {
            self.shown = Some(now);
        }
        is_due
    }

    /// The status as the next line tells it: its rate is over the time since the last line.
    pub(crate) fn over_interval(&mut self, status: &Status) -> Status {
        let before = self.told.replace((status.elapsed, status.execs));
        let Some((elapsed, execs)) = before else { return status.clone() };
        let seconds = status.elapsed.saturating_sub(elapsed).as_secs_f64();
        let fresh = u32::try_from(status.execs.saturating_sub(execs)).unwrap_or(u32::MAX);
        let rate = if seconds > 0.0 { f64::from(fresh) / seconds } else { status.execs_per_sec };
        Status { execs_per_sec: rate, ..status.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_line_has_all_figures() {
        let wanted = "elapsed 1m2s, execs 1204551 (20075/s), corpus 214 (+12), edges 1801, \
                      bugs 2, restarts 3, last find 4s ago";
        assert_eq!(line(&samples::status()), wanted);
        let warming = Status {
            activity: Activity::WarmingUp { done: 3, total: 10 },
            since_last_find: None,
            ..samples::status()
        };
        assert!(line(&warming).starts_with("warming up 3/10, elapsed 1m2s"));
        assert!(line(&warming).ends_with("no find yet"));
    }

    #[test]
    fn it_fits_every_terminal() {
        for columns in 0..200 {
            assert!(fitted(&samples::status(), columns).width() <= columns);
        }
        assert_eq!(fitted(&samples::status(), 45), "elapsed 1m2s, execs 1204551 (20075/s)");
    }

    #[test]
    fn the_rate_of_a_line_is_over_the_time_since_the_line_before() {
        let mut pacer = Pacer::default();
        let first = samples::status();
        assert_eq!(pacer.over_interval(&first), first);
        let later = Status {
            elapsed: first.elapsed + Duration::from_secs(3),
            execs: first.execs + 600,
            execs_per_sec: 7.0,
            ..first
        };
        assert!((pacer.over_interval(&later).execs_per_sec - 200.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_is_due_every_three_seconds() {
        let mut pacer = Pacer::default();
        let due: Vec<u64> = (0..10)
            .filter(|second| pacer.is_due(Duration::from_secs(*second), Duration::from_secs(3)))
            .collect();
        assert_eq!(due, [0, 3, 6, 9]);
    }
}

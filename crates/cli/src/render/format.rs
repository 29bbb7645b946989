//! Numbers as people read them.

use std::time::Duration;

/// Whole seconds in Go's form: `9s`, `23m9s`, `1h0m5s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A rate without its fraction, `0` for nonsense.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second.is_finite() && per_second > 0.0 { format!("{per_second:.0}") } else { "0".into() }
}

/// `count` with its noun: `1 bug`, `2 bugs`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whole milliseconds, as much as fits.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_gos_form() {
        for (seconds, shown) in [(0, "0s"), (59, "59s"), (1389, "23m9s"), (3605, "1h0m5s")] {
            assert_eq!(duration(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn nonsense_rates_are_zero() {
        assert_eq!(
            (rate(f64::NAN), rate(-1.0), rate(1234.6)),
            ("0".into(), "0".into(), "1235".into())
        );
    }
}

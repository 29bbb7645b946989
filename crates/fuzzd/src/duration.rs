//! Durations in Go's grammar: `30s`, `5m`, `1h30m`, `100ms`, `1.5h`; and which of them can limit
//! one input.
//!
//! Owns: the grammar and its complaints. The command line compiles this very file too, so that
//! `FUZZD_TIMEOUT` and `--timeout` are one. Must not: use anything of either crate.

use std::time::Duration;

/// Shortest time one input may be given: below it, a slow moment of the machine is a hang.
pub(crate) const INPUT_TIMEOUT_MIN: Duration = Duration::from_millis(50);

/// Longest time one input may be given. A longer one is a typing error.
pub(crate) const INPUT_TIMEOUT_MAX: Duration = Duration::from_hours(24);

/// Why a text is not a duration. Shown behind the option and the value by the argument parser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    /// Nothing was written.
    #[error("it is empty; write one like 30s, 5m, 1h or 1h30m")]
    Empty,
    /// A number without its unit: seconds to one program, milliseconds to another.
    #[error("{0} has no unit; write {0}s, {0}m or {0}h")]
    NoUnit(String),
    /// Go's way to give a number of executions.
    #[error("{0}x is a number of executions; write --execs {0}")]
    Executions(String),
    /// A unit nobody knows.
    #[error("{0} is not a unit; the units are h, m, s, ms, us and ns")]
    UnknownUnit(String),
    /// Something else that is not a number.
    #[error("it does not start with a number; write one like 30s, 5m, 1h or 1h30m")]
    NoNumber,
    /// Beyond what can be counted.
    #[error("it is too long")]
    TooLong,
    /// Zero time is no time to do anything in.
    #[error("it must be longer than zero")]
    Zero,
    /// As the time of one input.
    #[error("at least {INPUT_TIMEOUT_MIN:?} are needed to tell a hang")]
    TooShortForInput,
    /// As the time of one input.
    #[error("at most {}h are possible", INPUT_TIMEOUT_MAX.as_secs() / 3600)]
    TooLongForInput,
}

/// How long one input may run: a duration within the limits.
pub(crate) fn input_timeout(text: &str) -> Result<Duration, DurationError> {
    let timeout = parse(text)?;
    if timeout < INPUT_TIMEOUT_MIN {
        return Err(DurationError::TooShortForInput);
    }
    if timeout > INPUT_TIMEOUT_MAX {
        return Err(DurationError::TooLongForInput);
    }
    Ok(timeout)
}

/// The duration that `text` describes; never zero.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut nanoseconds: u128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let number = leading(rest, |character| character.is_ascii_digit() || character == '.');
        rest = &rest[number.len()..];
        let unit = leading(rest, |character| !character.is_ascii_digit() && character != '.');
        rest = &rest[unit.len()..];
        let part = scaled(number, unit_nanoseconds(number, unit)?)?;
        nanoseconds = nanoseconds.checked_add(part).ok_or(DurationError::TooLong)?;
    }
    if nanoseconds == 0 {
        return Err(DurationError::Zero);
    }
    // Go's durations end at 2^63 nanoseconds, 292 years; so do ours.
    let bounded = i64::try_from(nanoseconds).map_err(|_| DurationError::TooLong)?;
    Ok(Duration::from_nanos(bounded.unsigned_abs()))
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    let end = text.find(|character| !wanted(character)).unwrap_or(text.len());
    &text[..end]
}

fn unit_nanoseconds(number: &str, unit: &str) -> Result<u128, DurationError> {
    if number.is_empty() {
        return Err(DurationError::NoNumber);
    }
    match unit {
        "h" => Ok(3_600_000_000_000),
        "m" => Ok(60_000_000_000),
        "s" => Ok(1_000_000_000),
        "ms" => Ok(1_000_000),
        "us" | "µs" | "μs" => Ok(1_000),
        "ns" => Ok(1),
        "" if number.bytes().all(|digit| digit == b'0') => Err(DurationError::Zero),
        "" => Err(DurationError::NoUnit(number.to_owned())),
        "x" => Err(DurationError::Executions(number.to_owned())),
        other => Err(DurationError::UnknownUnit(other.to_owned())),
    }
}

/// `number` (decimal, maybe with a fraction) times `unit` nanoseconds, rounded down.
fn scaled(number: &str, unit: u128) -> Result<u128, DurationError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return Err(DurationError::NoNumber);
    }
    let count = |digits: &str| match digits {
        "" => Ok(0),
        digits => digits.parse::<u128>().map_err(|_| DurationError::TooLong),
    };
    // More digits than nanoseconds have change nothing.
    let fraction = &fraction[..fraction.len().min(15)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let parts = count(fraction)? * unit / scale;
    let whole = count(whole)?.checked_mul(unit).ok_or(DurationError::TooLong)?;
    whole.checked_add(parts).ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_grammar_is_understood() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("100ms", 100),
            ("1.5h", 5_400_000),
            ("1h0m0.5s", 3_600_500),
            (".5s", 500),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("3us"), Ok(Duration::from_micros(3)));
        assert_eq!(parse("3µs"), Ok(Duration::from_micros(3)));
        assert_eq!(parse("7ns"), Ok(Duration::from_nanos(7)));
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        assert_eq!(parse(""), Err(DurationError::Empty));
        assert_eq!(parse("0"), Err(DurationError::Zero));
        assert_eq!(parse("30"), Err(DurationError::NoUnit("30".into())));
        assert_eq!(parse("1h30"), Err(DurationError::NoUnit("30".into())));
        assert_eq!(parse("1000x"), Err(DurationError::Executions("1000".into())));
        assert_eq!(parse("1d"), Err(DurationError::UnknownUnit("d".into())));
        assert_eq!(parse("fast"), Err(DurationError::NoNumber));
        assert_eq!(parse("-5s"), Err(DurationError::NoNumber));
        assert_eq!(parse("1..5s"), Err(DurationError::NoNumber));
        assert_eq!(parse(".s"), Err(DurationError::NoNumber));
        assert_eq!(parse("0s"), Err(DurationError::Zero));
        assert_eq!(parse("9999999999999h"), Err(DurationError::TooLong));
        let long = format!("{}s", "9".repeat(60));
        assert_eq!(parse(&long), Err(DurationError::TooLong));
    }

    #[test]
    fn the_time_of_one_input_has_limits() {
        assert_eq!(input_timeout("50ms"), Ok(INPUT_TIMEOUT_MIN));
        assert_eq!(input_timeout("24h"), Ok(INPUT_TIMEOUT_MAX));
        assert_eq!(input_timeout("49ms"), Err(DurationError::TooShortForInput));
        assert_eq!(input_timeout("25h"), Err(DurationError::TooLongForInput));
        assert_eq!(input_timeout("7"), Err(DurationError::NoUnit("7".into())));
    }
}

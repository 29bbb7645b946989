//! The environment variables that `cargo test` of fuzz tests obeys.
//!
//! Owns: their names, grammar and defaults. Must not: read anything else from the environment.

use std::ffi::OsStr;
use std::time::Duration;

use crate::limits::{INPUT_TIMEOUT_DEFAULT, RSS_LIMIT_MB_DEFAULT};

/// A file: run the fuzz test on it in this process, and on nothing else.
pub(crate) const REPLAY_ENV: &str = "FUZZD_REPLAY";
/// A file: print the input in it on stderr, and run nothing.
pub(crate) const SHOW_ENV: &str = "FUZZD_SHOW";
/// Set for replay children only: outcomes are told to the parent under this word.
pub(crate) const TOKEN_ENV: &str = "FUZZD_REPLAY_TOKEN";
const TIMEOUT_ENV: &str = "FUZZD_TIMEOUT";
const RSS_LIMIT_ENV: &str = "FUZZD_RSS_LIMIT";

/// What one input may take; `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) rss_bytes: Option<u64>,
}

/// An environment variable with a value that means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("{TIMEOUT_ENV}={0:?} is not a duration like `10s`, `500ms` or `1m30s` (`0`: no limit)")]
    Timeout(String),
    #[error("{RSS_LIMIT_ENV}={0:?} is not a number of megabytes (`0`: no limit)")]
    RssLimit(String),
}

impl Limits {
    /// Reads the environment.
    pub(crate) fn from_env() -> Result<Self, SettingsError> {
        let timeout = std::env::var_os(TIMEOUT_ENV);
        let rss_limit = std::env::var_os(RSS_LIMIT_ENV);
        Self::new(timeout.as_deref(), rss_limit.as_deref())
    }

    fn new(timeout: Option<&OsStr>, rss_limit: Option<&OsStr>) -> Result<Self, SettingsError> {
        let timeout = match timeout {
            Some(text) => text
                .to_str()
                .and_then(duration)
                .ok_or_else(|| SettingsError::Timeout(text.to_string_lossy().into_owned()))?,
            None => INPUT_TIMEOUT_DEFAULT,
        };
        let megabytes = match rss_limit {
            Some(text) => text
                .to_str()
                .and_then(|text| text.trim().parse().ok())
                .ok_or_else(|| SettingsError::RssLimit(text.to_string_lossy().into_owned()))?,
            None => RSS_LIMIT_MB_DEFAULT,
        };
        Ok(Self {
            timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
            rss_bytes: Some(megabytes.saturating_mul(1 << 20)).filter(|bytes| *bytes > 0),
        })
    }
}

/// `1m30s`, `500ms`, `2.5s`; a number without a unit counts seconds.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit_seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let seconds = number.parse::<f64>().ok()? * unit_seconds;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = tail;
    }
    (!text.trim().is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(timeout: Option<&str>, rss: Option<&str>) -> Result<Limits, SettingsError> {
        Limits::new(timeout.map(OsStr::new), rss.map(OsStr::new))
    }

    #[test]
    fn limits_have_defaults() {
        let wanted = Limits { timeout: Some(Duration::from_secs(10)), rss_bytes: Some(2 << 30) };
        assert_eq!(limits(None, None), Ok(wanted));
    }

    #[test]
    fn durations_are_numbers_with_units() {
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2.5s"), Some(Duration::from_millis(2500)));
        assert_eq!(duration(" 7 "), Some(Duration::from_secs(7)));
        for wrong in ["", "s", "10x", "-1s", "1s2", "soon", "1..5s"] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn zero_means_no_limit() {
        let none = Limits { timeout: None, rss_bytes: None };
        assert_eq!(limits(Some("0"), Some("0")), Ok(none));
    }

    #[test]
    fn meaningless_values_are_named() {
        let error = limits(Some("soon"), None).unwrap_err().to_string();
        assert!(error.contains("FUZZD_TIMEOUT=\"soon\""), "{error}");
        let error = limits(None, Some("2G")).unwrap_err().to_string();
        assert!(error.contains("FUZZD_RSS_LIMIT=\"2G\""), "{error}");
    }
}

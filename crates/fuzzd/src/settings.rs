//! The environment variables that `cargo test` of fuzz tests obeys.
//!
//! Owns: their names, grammar and defaults. Must not: read anything else from the environment.

use std::ffi::OsStr;
use std::time::Duration;

use crate::duration::{self, DurationError};
use crate::limits::{INPUT_TIMEOUT_DEFAULT, RSS_LIMIT_MB_DEFAULT};

/// A file: run the fuzz test on it in this process, and on nothing else.
pub(crate) const REPLAY_ENV: &str = "FUZZD_REPLAY";
/// A file: print the input in it on stderr, and run nothing.
pub(crate) const SHOW_ENV: &str = "FUZZD_SHOW";
/// Set for replay children only: outcomes are told to the parent under this word.
pub(crate) const TOKEN_ENV: &str = "FUZZD_REPLAY_TOKEN";
const TIMEOUT_ENV: &str = "FUZZD_TIMEOUT";
const RSS_LIMIT_ENV: &str = "FUZZD_RSS_LIMIT";

/// What one input may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    /// `None` means no limit.
    pub(crate) rss_bytes: Option<u64>,
}

/// An environment variable with a value that means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("invalid value '{value}' for {TIMEOUT_ENV}: {reason}")]
    Timeout { value: String, reason: DurationError },
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
        let timeout = match timeout.map(OsStr::to_string_lossy) {
            Some(text) => duration::input_timeout(&text)
                .map_err(|reason| SettingsError::Timeout { value: text.into_owned(), reason })?,
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
            timeout,
            rss_bytes: Some(megabytes.saturating_mul(1 << 20)).filter(|bytes| *bytes > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(timeout: Option<&str>, rss: Option<&str>) -> Result<Limits, SettingsError> {
        Limits::new(timeout.map(OsStr::new), rss.map(OsStr::new))
    }

    #[test]
    fn limits_have_defaults() {
        let wanted = Limits { timeout: Duration::from_secs(10), rss_bytes: Some(2 << 30) };
        assert_eq!(limits(None, None), Ok(wanted));
    }

    #[test]
    fn zero_megabytes_mean_no_limit() {
        assert_eq!(limits(None, Some("0")).map(|limits| limits.rss_bytes), Ok(None));
    }

    #[test]
    fn timeouts_are_those_of_the_command_line() {
        let timeout = |text| limits(Some(text), None).map(|limits| limits.timeout);
        assert_eq!(timeout("1m30s"), Ok(Duration::from_secs(90)));
        for (text, reason) in [
            ("0", DurationError::Zero),
            ("7", DurationError::NoUnit("7".to_owned())),
            ("1ms", DurationError::TooShortForInput),
        ] {
            let value = text.to_owned();
            assert_eq!(timeout(text), Err(SettingsError::Timeout { value, reason }));
        }
    }

    #[test]
    fn meaningless_values_are_named() {
        let error = limits(Some("soon"), None).unwrap_err().to_string();
        assert!(
            error.starts_with("invalid value 'soon' for FUZZD_TIMEOUT: it does not start"),
            "{error}"
        );
        let error = limits(None, Some("2G")).unwrap_err().to_string();
        assert!(error.contains("FUZZD_RSS_LIMIT=\"2G\""), "{error}");
    }
}

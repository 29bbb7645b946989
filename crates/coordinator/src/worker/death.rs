//! Sentences on workers that no input is to blame for.
//!
//! What an end means is decided in `fuzzd_core::death`. Pure.

use fuzzd_core::death::ExitStatus;

use crate::limits::START_STDERR_BYTES;

const SIGKILL: i32 = 9;

/// Why a worker did not come up: a sentence for people, with the tail of stderr.
pub(super) fn start_failure(what: &str, status: ExitStatus, stderr: &str) -> String {
    let mut reason = what.to_owned();
    match status {
        ExitStatus::Exited(status) => reason = format!("{what} (exit status {status})"),
        // Mostly our own kill.
        ExitStatus::Signaled(SIGKILL) | ExitStatus::Unknown => {}
        ExitStatus::Signaled(signal) => reason = format!("{what} (signal {signal})"),
    }
    if stderr.trim_end().is_empty() {
        reason.push_str("; it wrote nothing to stderr");
    }
    with_stderr(reason, stderr)
}

/// Why a worker was lost that no input is to blame for, with the tail of stderr if there is one.
pub(super) fn with_stderr(mut reason: String, stderr: &str) -> String {
    let stderr = stderr.trim_end();
    let start = stderr.ceil_char_boundary(stderr.len().saturating_sub(START_STDERR_BYTES));
    if !stderr.is_empty() {
        reason.push_str("; its stderr ended with:\n");
        reason.push_str(&stderr[start..]);
    }
    reason
}

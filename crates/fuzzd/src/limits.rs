//! Every bound of this crate, with its reason.

use std::time::Duration;

/// How long one input may run under `cargo test` when `FUZZD_TIMEOUT` says nothing.
pub(crate) const INPUT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How much resident memory one input may take under `cargo test` when `FUZZD_RSS_LIMIT` says
/// nothing, in MB.
pub(crate) const RSS_LIMIT_MB_DEFAULT: u64 = 2048;

/// How often the memory of a replay child is looked at.
pub(crate) const MEMORY_SAMPLE_EVERY: Duration = Duration::from_millis(20);

/// How long a killed replay child may take to end before it is left behind.
pub(crate) const KILL_WAIT: Duration = Duration::from_secs(5);

/// How long the output of an ended replay child is waited for: a process that it left behind may
/// hold the pipe open for ever.
pub(crate) const DRAIN_WAIT: Duration = Duration::from_secs(1);

/// Kept from the start of one output stream of a replay child: it holds the printed input.
pub(crate) const OUTPUT_HEAD_BYTES_MAX: usize = 16 << 10;

/// Kept from the end of one output stream of a replay child: it holds the outcome.
pub(crate) const OUTPUT_TAIL_BYTES_MAX: usize = 64 << 10;

/// Longest readable form of one argument.
pub(crate) const SHOWN_BYTES_MAX: usize = 2 << 10;

/// Longest message of a panic or an error in a report.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2 << 10;

/// Lines of output that a report quotes for a process that died.
pub(crate) const QUOTED_LINES_MAX: usize = 5;

/// Longest quoted line of output.
pub(crate) const QUOTED_LINE_BYTES_MAX: usize = 200;

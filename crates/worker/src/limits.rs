//! Every bound of the worker, with its unit and its reason.

use std::time::Duration;

/// Separate counter regions: one for the program and one for each instrumented shared object.
/// Further ones are not measured.
pub(crate) const COUNTER_REGIONS_MAX: usize = 64;

/// Counters of all regions; a feature's index is a `u32`, and 256 MiB of counters are a mistake.
pub(crate) const COUNTERS_MAX: usize = 1 << 28;

/// New features of one execution that are remembered to tell which of them do not repeat.
pub(crate) const HOT_FEATURES_MAX: usize = 4_096;

/// Times that a new feature may fail to repeat before its counter is left out of all passes.
pub(crate) const UNSTABLE_STRIKES_MAX: u8 = 3;

/// Bytes read from `fuzz_in` at once.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Aim for the time between two looks at the clock in a call with a timeout.
pub(crate) const CLOCK_INTERVAL: Duration = Duration::from_millis(1);

/// Executions between two looks at the clock, at most.
pub(crate) const CLOCK_EVERY_MAX: u32 = 1 << 20;

/// Backtraces captured in one call. A fuzz test that catches panics of its own would otherwise pay
/// for one at each of them.
pub(crate) const BACKTRACES_PER_CALL_MAX: u32 = 16;

/// Panics of other threads in one call that are printed in full, with a backtrace if
/// `RUST_BACKTRACE` asks for one; of all others only place and message.
pub(crate) const OTHER_PANICS_PRINTED_MAX: u32 = 16;

/// Bytes of a backtrace that are sent; the rest is cut.
pub(crate) const BACKTRACE_BYTES_MAX: usize = 16 * 1024;

/// Operators applied to one input, at most. A power of two.
pub(crate) const STACK_MAX: usize = 16;

/// Operators tried in place of one that does not apply (deleting from an empty input).
pub(crate) const OPERATOR_TRIES_MAX: u32 = 8;

/// Bytes of one block that is inserted, copied or deleted, most of the time and at most.
pub(crate) const BLOCK_BYTES_SMALL: usize = 32;
/// See [`BLOCK_BYTES_SMALL`].
pub(crate) const BLOCK_BYTES_MEDIUM: usize = 128;
/// See [`BLOCK_BYTES_SMALL`].
pub(crate) const BLOCK_BYTES_MAX: usize = 1_500;

/// Bytes of one block of a swap or a shuffle; they pass through the stack.
pub(crate) const SWAP_BYTES_MAX: usize = 64;

/// Bytes looked through for a number in decimal digits, from a random place on.
pub(crate) const NUMBER_SEARCH_BYTES_MAX: usize = 64;

/// Digits of a number that is read and changed: all that surely fit an `i64`.
pub(crate) const NUMBER_DIGITS_MAX: usize = 18;

/// Rounds of all passes of one minimization. Each round but the last made the input smaller or
/// simpler, so this is only met by a judge that changes its mind.
pub(crate) const MINIMIZE_ROUNDS_MAX: u32 = 64;

/// Places from which the content of one pair of brackets is kept, while a failure is minimized.
pub(crate) const BRACKET_PIECES_MAX: usize = 16;

/// Bytes of a value of which every run is tried to be removed: about 2,000 executions a round.
pub(crate) const RUNS_BYTES_MAX: usize = 64;

/// Bytes of one note read from the executable to find its build id.
pub(crate) const NOTE_BYTES_MAX: usize = 64 * 1024;

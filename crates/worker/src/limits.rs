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

/// Counters up to which every pass looks at all of them: that is faster than to look for the rest.
pub(crate) const FULL_PASS_COUNTERS_MAX: usize = 256;

/// Bytes of code that are read of one function at most; the rest of a longer one is left out.
pub(crate) const FUNCTION_CODE_BYTES_MAX: usize = 64 * 1024;

/// Functions whose first counters are told in the answer to `Ping`: about a megabyte of it. Of a
/// target with more, none are told.
pub(crate) const FUNCTIONS_TOLD_MAX: usize = 1 << 18;

/// Comparisons that are kept of one gated execution.
pub(crate) const COMPARE_RECORDS_MAX: usize = 4_096;

/// Comparisons that are kept of one place in the code: a loop must not fill the log.
pub(crate) const COMPARE_RECORDS_PER_SITE_MAX: u64 = 16;

/// Cells of the table that counts comparisons by place. A power of two.
pub(crate) const COMPARE_SITES: usize = 4_096;

/// Cells looked at for one place. Where all of them are taken the comparison is not kept.
pub(crate) const COMPARE_SITE_PROBES_MAX: usize = 8;

/// Bytes that are kept of each side of a memory comparison.
pub(crate) const COMPARE_BYTES_MAX: usize = 64;

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

/// Bytes that a block is repeated to: this many, doubled less than [`REPEATED_DOUBLINGS`] times.
pub(crate) const REPEATED_BYTES_MIN: usize = 16;
/// See [`REPEATED_BYTES_MIN`]: up to 32 KiB.
pub(crate) const REPEATED_DOUBLINGS: usize = 12;

/// Bytes of one block of a swap or a shuffle; they pass through the stack.
pub(crate) const SWAP_BYTES_MAX: usize = 64;

/// Bytes looked through for a number in decimal digits, from a random place on.
pub(crate) const NUMBER_SEARCH_BYTES_MAX: usize = 64;

/// Digits of a number that is read and changed: all that surely fit an `i64`.
pub(crate) const NUMBER_DIGITS_MAX: usize = 18;

/// Rounds of all passes of one minimization. Each round but the last made the input smaller or
/// simpler, so this is only met by a judge that changes its mind.
pub(crate) const MINIMIZE_ROUNDS_MAX: u32 = 64;

/// Candidates of one minimization that are remembered because they failed.
pub(crate) const FAILED_MAX: usize = 65_536;

/// Time between two looks at a child that neither ends nor writes.
pub(crate) const FORK_TICK: Duration = Duration::from_millis(20);

/// Bytes read from the standard error of a child at once.
pub(crate) const FORK_READ_BYTES: usize = 16 * 1024;

/// Bytes taken of its standard error after its end; more than a pipe holds.
pub(crate) const FORK_REST_BYTES_MAX: usize = 1 << 20;

/// Places from which the content of one pair of brackets is kept, while a failure is minimized.
pub(crate) const BRACKET_PIECES_MAX: usize = 16;

/// Bytes of a value of which every run is tried to be removed: about 2,000 executions a round.
pub(crate) const RUNS_BYTES_MAX: usize = 64;

/// Bytes of one note read from the executable to find its build id.
pub(crate) const NOTE_BYTES_MAX: usize = 64 * 1024;

/// Mutated inputs of one visit, at most: so many run again if one of them hit counters that are
/// rarely looked at.
pub(crate) const VISIT_EXECS_MAX: u64 = 256;

/// Mutated inputs of one visit of a slow fuzz test, and of the first visit of a call.
pub(crate) const VISIT_EXECS_MIN: u64 = 16;

/// Aim for the time of one visit, in a call with a timeout.
pub(crate) const VISIT_TIME: Duration = Duration::from_millis(2);

/// Executions after new live lines during which all counters are looked at each time.
pub(crate) const YOUNG_EXECS: u64 = 2_000;

/// One execution in so many runs with the compare callbacks open.
pub(crate) const GATED_EVERY: u64 = 64;

/// The same in calls that are to look at comparisons.
pub(crate) const GATED_EVERY_COMPARE: u64 = 16;

/// Entries that pieces are taken from during one visit.
pub(crate) const PARTNERS: usize = 3;

/// Bytes kept of each of them.
pub(crate) const PARTNER_BYTES_MAX: usize = 4_096;

/// How many times as often as an entry of the plan a find of the same call is visited.
pub(crate) const FIND_WEIGHT: u64 = 3;

/// Finds of one call that are worked on in the same call; later ones wait for a plan.
pub(crate) const QUEUE_FINDS_MAX: usize = 256;

/// Entries that are kept ready between calls.
pub(crate) const LIBRARY_BASES_MAX: usize = 4_096;

/// Executions before the executable is looked through for a dictionary, which takes milliseconds.
pub(crate) const TOKENS_AFTER_EXECS: u64 = 10_000;

/// Comparisons of one call that are looked through for words.
pub(crate) const COMPARED_RECORDS_MAX: usize = 4_096;

/// Executions between two looks, within a call, at what the words of the dictionary are worth: a
/// look takes a few tenths of a millisecond.
pub(crate) const WEIGH_EVERY_EXECS: u64 = 16 * 1024;

/// Executions for trimming finds: this many at first, later one in [`TRIM_SHARE`].
pub(crate) const TRIM_BURST_EXECS: u64 = 20_000;

/// See [`TRIM_BURST_EXECS`].
pub(crate) const TRIM_SHARE: u64 = 50;

/// Executions for trimming one find.
pub(crate) const TRIM_EXECS_MAX: u64 = 512;

/// Time for trimming one find, in a call with a timeout.
pub(crate) const TRIM_TIME: Duration = Duration::from_millis(20);

/// Executions for solving comparisons: this many at first, later one in [`SOLVE_SHARE`].
pub(crate) const SOLVE_BURST_EXECS: u64 = 100_000;

/// See [`SOLVE_BURST_EXECS`].
pub(crate) const SOLVE_SHARE: u64 = 4;

/// Time for solving the comparisons of one entry, in a call with a timeout.
pub(crate) const SOLVE_TIME: Duration = Duration::from_millis(50);

/// Bytes of the largest entry whose comparisons are solved.
pub(crate) const SOLVE_BYTES_MAX: usize = 4_096;

/// Executions for replacing bytes that do not matter: this many, and so many more per byte.
pub(crate) const COLORIZE_EXECS_MIN: u64 = 64;

/// See [`COLORIZE_EXECS_MIN`].
pub(crate) const COLORIZE_EXECS_PER_BYTE: u64 = 2;

/// Bytes of a find that is told through the ring; a larger one ends the call.
pub(crate) const RECORD_BYTES_MAX: usize = 256 * 1024;

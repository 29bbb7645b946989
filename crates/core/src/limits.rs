//! Every bound of the decision core, with its unit and its reason.

use std::time::Duration;

/// Bytes of one failure message kept; the rest is cut. A hostile target cannot grow the session.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// Bytes of one failure's details (backtrace, tail of stdout and stderr) kept.
pub const DETAILS_BYTES_MAX: usize = 32 * 1024;

/// Signatures named to a worker as "go on over these" with each call, those seen most; a message
/// stays small.
pub const IGNORED_SIGNATURES_MAX: usize = 256;

/// Bugs of one fuzz test that are worked on. More distinct signatures than this are one broken
/// target; further ones are counted, not kept.
pub const BUGS_PER_TEST_MAX: usize = 1_000;

/// Original inputs kept in the state for one bug.
pub const ORIGINALS_PER_BUG_MAX: u32 = 8;

/// Corpus entries waiting for the disk. Beyond this, finds are not taken until the disk answers; a
/// worker does not tell the same coverage again before its next start, others do.
pub const PENDING_COMMITS_MAX: usize = 4_096;

/// First and longest pause before a worker that would not start is started again.
pub const RESTART_DELAY_MIN: Duration = Duration::from_millis(10);
/// See [`RESTART_DELAY_MIN`].
pub const RESTART_DELAY_MAX: Duration = Duration::from_secs(10);

/// Time between two warnings of lost workers of one fuzz test; those in between are counted.
pub const LOSS_INTERVAL: Duration = Duration::from_secs(10);

/// Rounds of starts in a row that may fail before a fuzz test is given up. Starts that were under
/// way together are one round: one bad moment of the machine must not end a run with many workers.
pub const FAILED_STARTS_MAX: u32 = 8;

/// First and longest pause before a failed write is tried again.
pub const COMMIT_RETRY_MIN: Duration = Duration::from_secs(1);
/// See [`COMMIT_RETRY_MIN`].
pub const COMMIT_RETRY_MAX: Duration = Duration::from_secs(60);

/// How long a stopping session waits for a failing disk before it ends without it.
pub const COMMIT_GRACE: Duration = Duration::from_secs(1);

/// The same after a second signal.
pub const COMMIT_GRACE_KILLED: Duration = Duration::from_millis(200);

/// How long a stopping session waits for a disk that is slow, but has refused nothing.
pub const COMMIT_WAIT_MAX: Duration = Duration::from_secs(10);

/// One Fuzz call under the clock, to a worker without plans.
pub const FUZZ_CALL_TIME: Duration = Duration::from_millis(100);

/// The first Fuzz call of a process that takes plans. A call that brings finds makes the next half
/// as long, a dry one twice.
pub const FUZZ_CALL_TIME_START: Duration = Duration::from_millis(40);
/// The shortest and the longest such call.
pub const FUZZ_CALL_TIME_MIN: Duration = Duration::from_millis(10);
/// See [`FUZZ_CALL_TIME_MIN`].
pub const FUZZ_CALL_TIME_MAX: Duration = Duration::from_millis(250);

/// What one execution counts as where executions replace the clock: one call's time by its
/// executions.
pub const EXEC_TIME_PACED: Duration = Duration::from_micros(5);

/// Finds told in one Fuzz call; a worker that tells more is broken.
pub const FOUND_PER_CALL_MAX: usize = 65_536;

/// Entries of one fuzz test that are shown to its workers; later ones are kept, and not fuzzed.
pub const PUBLISHED_ENTRIES_MAX: usize = (1 << 20) - 4_096;
/// Bytes of these entries.
pub const PUBLISHED_BYTES_MAX: usize = 255 << 20;

/// Entries for new classes of known edges alone are kept while the corpus has fewer entries than
/// this many for each covered edge.
pub const ENTRIES_PER_EDGE: u64 = 4;
/// And in any case while it has fewer than this.
pub const CLASS_ENTRIES_MIN: u64 = 64;

/// One Fuzz call when executions replace the clock, and the most one call may reserve of a budget.
pub const FUZZ_CALL_EXECS: u64 = 20_000;

/// One worker's stay with one fuzz test before another may have the worker.
pub const SLICE_TIME: Duration = Duration::from_millis(1_500);

/// The shortest such stay, when `--time` is short for the number of tests: a stay costs the start
/// of a process.
pub const SLICE_TIME_MIN: Duration = Duration::from_millis(200);

/// Stays that every test should have before the budget is used up.
pub const STAYS_PER_TEST: u64 = 3;

/// The same stay when executions replace the clock.
pub const SLICE_EXECS: u64 = 200_000;

/// Minimization of one find.
pub const MINIMIZE_FIND_EXECS: u64 = 512;
/// See [`MINIMIZE_FIND_EXECS`].
pub const MINIMIZE_FIND_TIME: Duration = Duration::from_millis(20);

/// Share of a fuzz test's executing time that minimizing finds may take, in percent.
pub const MINIMIZE_FIND_SHARE_PERCENT: u32 = 10;

/// Minimization of finds that is allowed before there is any fuzzing to have a share of.
pub const MINIMIZE_FIND_AHEAD_TIME: Duration = Duration::from_millis(200);
/// The same when executions replace the clock.
pub const MINIMIZE_FIND_AHEAD_EXECS: u64 = 8 * MINIMIZE_FIND_EXECS;

/// Minimization of one failure.
pub const MINIMIZE_FAILURE_EXECS: u64 = 200_000;
/// See [`MINIMIZE_FAILURE_EXECS`].
pub const MINIMIZE_FAILURE_TIME: Duration = Duration::from_secs(5);

/// Minimization of one failure that ends the process: a few hundred forked executions a second.
pub const MINIMIZE_FORKED_EXECS: u64 = 4_000;
/// See [`MINIMIZE_FORKED_EXECS`].
pub const MINIMIZE_FORKED_TIME: Duration = Duration::from_secs(4);

/// A search for a smaller input begins with one worker for so long: most are over by then.
pub const SEARCH_ALONE_TIME: Duration = Duration::from_millis(100);

/// One call to a worker that searches alone, after that, where sharing pays: others may join in
/// between.
pub const SEARCH_SLICE_TIME: Duration = Duration::from_millis(250);

/// The time that a part of a round is given however late it is; then the search ends.
pub const SEARCH_PART_TIME_MIN: Duration = Duration::from_millis(1);

/// Time of one candidate from which on workers share a search: a round costs a few hundred
/// microseconds more than its candidates.
pub const SEARCH_EXEC_TIME_SHARED: Duration = Duration::from_micros(500);

/// Workers that share one search. Most of what more of them did would be thrown away.
pub const SEARCH_PARTS_MAX: usize = 8;

/// Candidates of one part of a round.
pub const SEARCH_WINDOW_MAX: u64 = 64;

/// Candidates of one search that held; then it starts anew, from the smallest. Not more than the
/// protocol allows.
pub const SEARCH_HELD_MAX: usize = 4_000;

/// Bytes of standard error, the newest, that tell how a process died.
pub const STDERR_TAIL_BYTES: usize = 20 * 1024;

/// Fresh processes a new crash is tried in.
pub const CONFIRM_RUNS: u32 = 3;

/// The same for a timeout: each run costs the whole per-input timeout.
pub const CONFIRM_TIMEOUT_RUNS: u32 = 1;

/// After the budget is used up: how long crashes may still be confirmed and minimized.
pub const DRAIN_TIME: Duration = Duration::from_secs(15);

/// The same where nothing but writes is left to wait for and the disk has refused them for this
/// long: it is given one more try at the end.
pub const DRAIN_REFUSED_TIME: Duration = Duration::from_secs(2);

/// After the budget is used up: how long a call in flight may go on before its worker is stopped.
pub const DRAIN_CALL_TIME: Duration = Duration::from_secs(1);

/// A session in which nothing is executed says so after this long, and again after each such time.
pub const STALL_TIME: Duration = Duration::from_secs(5);

/// Time between two status reports.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(1);

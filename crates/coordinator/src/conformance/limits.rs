//! Every wait and every bound of a conformance run, with its unit and its reason.

use std::time::Duration;

/// From the start of a process to its answer to the first call: interpreters and large
/// instrumented programs start slowly.
pub(super) const START_DEADLINE: Duration = Duration::from_secs(30);

/// For the answer to a call, beyond the call's own `Timeout`.
pub(super) const REPLY_DEADLINE: Duration = Duration::from_secs(10);

/// For the end of a process that has to end. The coordinator waits one second on each rung of its
/// ladder; this leaves room for a loaded machine.
pub(super) const END_DEADLINE: Duration = Duration::from_secs(5);

/// For the end of a process after SIGKILL.
pub(super) const KILL_DEADLINE: Duration = Duration::from_secs(5);

/// How long a worker is listened to that has nothing to say.
pub(super) const QUIET: Duration = Duration::from_millis(100);

/// `Timeout` of the calls that are to be ended by it.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_millis(200);

/// How much earlier than its `Timeout` a call may end: clocks differ.
pub(super) const TIMEOUT_EARLY_MAX: Duration = Duration::from_millis(20);

/// How much later than its `Timeout` a call may end. One execution may be slow, and so may the
/// machine; a worker that does not look at its clock is later than anything.
pub(super) const TIMEOUT_LATE_MAX: Duration = Duration::from_secs(5);

/// `Timeout` of one call while inputs that fail are looked for.
pub(super) const SEARCH_CALL: Duration = Duration::from_millis(50);

/// For a call without end to begin executing.
pub(super) const EXECUTING_DEADLINE: Duration = Duration::from_secs(10);

/// Between two looks at the memory of a worker that is in a call.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Bytes of input there is room for.
pub(super) const ROOM_BYTES: usize = 1 << 20;

/// Bytes of input there is room for in the small memory. Go's mutator needs some thousand for
/// itself.
pub(super) const SMALL_ROOM_BYTES: usize = 16 << 10;

/// `Limit` of the calls that must execute exactly so often. More than one visit of a worker, or
/// one chain of the Go dialect, and no multiple of either.
pub(super) const LIMIT_EXECS: i64 = 333;

/// `Limit` of the calls that are to bring a find.
pub(super) const FIND_EXECS: i64 = 20_000;

/// Executions of one minimization.
pub(super) const MINIMIZE_EXECS: i64 = 2_000;

/// `MaxLen` of the call that is to honour it, for fuzz tests without values of fixed width.
pub(super) const MAX_LEN_BYTES: usize = 24;

/// `MaxLen` of each try to have a call that no failure of the fuzz test ends: short inputs fail
/// less often.
pub(super) const CALM_MAX_LENS: [Option<u64>; 6] = [None, None, None, Some(2), Some(1), Some(0)];

/// Calls that are made until an ignored failure was met.
pub(super) const IGNORE_CALLS: u64 = 20;

/// Seeds that are looked at.
pub(super) const SEEDS_MAX: u64 = 32;

/// Inputs that are kept while inputs that fail are looked for.
pub(super) const SEARCH_INPUTS_MAX: usize = 256;

/// Bytes read from a pipe at once.
pub(super) const READ_BYTES: usize = 64 << 10;

/// Bytes of standard output that are looked at, and of standard error that are shown.
pub(super) const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// Bytes of standard error shown with a check that failed.
pub(super) const STDERR_SHOWN_BYTES: usize = 400;

//! Every bound of the coordinator, with its unit and its reason.

use std::time::Duration;

use fuzzd_protocol::layout::ring;

// ---- what a person may ask for ----

/// Worker slots of one session. Each costs a process, its shared memory and a few descriptors.
pub const WORKERS_MAX: usize = 1_024;

/// Shortest per-input timeout: the watchdog looks every [`WATCH_TICK`].
pub const INPUT_TIMEOUT_MIN: Duration = Duration::from_millis(50);

/// Longest per-input timeout. A longer one is a typing error.
pub const INPUT_TIMEOUT_MAX: Duration = Duration::from_hours(24);

/// How many times its timeout an execution may take longer where it wants a core and has none.
pub const STARVED_TIMEOUTS_MAX: u32 = 4;

/// Largest input, in bytes of memory form. It is allocated for each worker.
pub const INPUT_BYTES_LIMIT: usize = 256 << 20;

/// Smallest memory limit other than 0 (no limit): an empty Rust test needs a few MiB.
pub const RSS_LIMIT_BYTES_MIN: u64 = 16 << 20;

/// Room for seeds while a target is probed, in bytes; more if larger inputs are allowed.
pub const PROBE_INPUT_BYTES: usize = 1 << 20;

// ---- what a worker may announce or send ----

/// Counters of one target. The largest programs have a few million edges.
pub const COUNTERS_MAX: usize = 1 << 26;

/// Seeds in the code of one fuzz test.
pub const SEEDS_MAX: u64 = 100_000;

/// Bytes of input that every worker has room for, however small `--max-len` is.
pub const MEMORY_CAPACITY_MIN: usize = 4 << 10;

/// Bytes of all seeds in the code of one fuzz test.
pub const SEEDS_BYTES_MAX: usize = 256 << 20;

/// Executions of one call that are not of newly mutated inputs. A worker that claims more lies.
pub const EXECS_OTHER_PER_CALL_MAX: u64 = 1 << 32;

/// Nanoseconds that one execution takes at least, mutation and counters included: a worker that
/// claims more executions than fit into a call's time lies, or its memory was overwritten.
pub const EXEC_NANOS_MIN: u64 = 10;

/// Bytes of the newest output kept per stream. A flood costs time, never memory.
pub const OUTPUT_RING_BYTES: usize = 64 * 1024;

/// Bytes read from a pipe at once; the usual size of a pipe.
pub const PIPE_READ_BYTES: usize = 64 * 1024;

/// Bytes still read from one output stream of a process that has ended. A grandchild may go on
/// writing; the default pipe holds 64 KiB, the largest an unprivileged process may set 1 MiB.
pub const OUTPUT_AFTER_EXIT_BYTES: usize = 1 << 20;

/// Bytes of standard error shown in the details of a failure.
pub const STDERR_SHOWN_BYTES: usize = fuzzd_core::limits::STDERR_TAIL_BYTES;

/// One forked execution of a minimization; it is the per-input timeout where that is shorter.
/// Inputs that run into a longer per-input timeout are not minimized.
pub const FORK_TIMEOUT_MAX: Duration = Duration::from_secs(1);

/// What forking and ending a process may take beyond that.
pub const FORK_GRACE: Duration = Duration::from_secs(2);

/// Bytes of standard output shown in the details of a failure.
pub const STDOUT_SHOWN_BYTES: usize = 8 * 1024;

/// Bytes of standard error shown where a worker did not start.
pub const START_STDERR_BYTES: usize = 4 * 1024;

/// Bytes of a worker's own error text shown when it misbehaved.
pub const MISBEHAVIOUR_TEXT_BYTES: usize = 1_024;

/// Finds taken from a worker at one look at it, while its call goes on. What is left waits in its
/// memory, and a worker that fills that ends its call.
pub const FINDS_PER_TICK_MAX: usize = 256;

/// Finds taken from a worker whose call is over: more than its memory has room for were written
/// after the end of the call, which no worker does.
pub const FINDS_AT_END_MAX: usize =
    ring::RING_BYTES / ring::record_bytes(ring::FIND_HEADER) + FINDS_PER_TICK_MAX;

// ---- waits of a worker ----

/// How often a worker is looked at that is ending, does not get on, or is near its memory limit.
pub const WATCH_TICK: Duration = Duration::from_millis(25);

/// The same for one that gets on, where the per-input timeout is ten times this or more. Counted
/// from the beginning of a call, and longer than an ordinary one takes: every look wakes a thread
/// of the coordinator up.
pub const WATCH_TICK_MAX: Duration = Duration::from_millis(150);

/// How often the memory of a worker that gets on is looked at, below three quarters of its limit.
pub const MEMORY_INTERVAL: Duration = Duration::from_millis(250);

/// A tick that is late by more than this was a stopped or starved coordinator, not a slow worker:
/// every deadline moves by the gap.
pub const CLOCK_GAP_MIN: Duration = Duration::from_millis(500);

/// From the start of a process to its answer to `Ping`. Large instrumented programs start slowly.
pub const PING_DEADLINE: Duration = Duration::from_secs(60);

/// For one `Seed` call, which only copies bytes.
pub const SEED_DEADLINE: Duration = Duration::from_secs(10);

/// What a call may take beyond its own time limit and one per-input timeout.
pub const CALL_GRACE: Duration = Duration::from_secs(5);

/// From the end of a protocol pipe to the end of its process. A dying process closes its pipes
/// first; one that lives on has misbehaved.
pub const PIPE_CLOSED_GRACE: Duration = Duration::from_secs(1);

/// Stop ladder: from closing fuzz_in to SIGINT, unless a call is in flight (then at once).
pub const INTERRUPT_AFTER: Duration = Duration::from_secs(1);

/// Stop ladder: from SIGINT to SIGKILL.
pub const KILL_AFTER: Duration = Duration::from_secs(1);

/// From SIGKILL to the end of the process. One that is stuck in the kernel is abandoned after it.
pub const REAP_DEADLINE: Duration = Duration::from_millis(300);

/// The same where nobody waits for the slot: a worker killed for a hang or for its memory, which
/// may be much to give back.
pub const CONDEMNED_REAP_DEADLINE: Duration = Duration::from_secs(5);

/// To the first execution of a call that goes on with a search for a smaller input: the worker
/// makes all candidates before it again, of which each takes the longer the larger the input is.
pub const SEARCH_WALK_MAX: Duration = Duration::from_secs(5);

// ---- queues ----

/// Processes waiting to be spawned: one per slot at most, and as many probes.
pub const SPAWN_QUEUE: usize = 64;

/// Commands waiting in one worker task: a call and two urgencies of stop, with room.
pub const COMMAND_QUEUE: usize = 8;

/// Events of one worker waiting for the event loop. A full queue makes the task wait.
pub const EVENTS_PER_WORKER: usize = 4;

/// Answers of the store waiting for the event loop.
pub const STORE_ANSWER_QUEUE: usize = 256;

/// Commits that wait because the store's own queue is full. Beyond it, commits fail at once.
pub const COMMIT_BACKLOG_MAX: usize = fuzzd_core::limits::PENDING_COMMITS_MAX * 2;

/// Notices that wait because nobody takes them. Beyond it only bugs and the summary are kept.
pub const NOTICE_BACKLOG_MAX: usize = 4_096;

/// Processes stuck in the kernel that a slot remembers, to reap them when they end.
pub const ABANDONED_MAX: usize = 16;

// ---- the event loop ----

/// The session's own tick.
pub const LOOP_TICK: Duration = Duration::from_millis(50);

/// Panics of worker tasks in one session; each is a bug of ours.
pub const TASK_PANICS_MAX: u32 = 8;

/// For all worker tasks to end after the session has.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(5);

/// For the store to write what it holds and close.
pub const STORE_CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// For the last notices to be taken.
pub const NOTICE_FLUSH_DEADLINE: Duration = Duration::from_millis(300);

/// Targets probed at the same time.
pub const PROBES_AT_ONCE: usize = 4;

// ---- Go workers ----

/// Bytes that the memory of a Go worker has for its input, unless one needs more. Its mutator keeps
/// a buffer of the same size, so this is most of what a small test takes. Go's coordinator gives
/// 100 MiB.
pub const GO_MEMORY_BYTES: usize = 1 << 20;

/// The same at most, where inputs are large: their text can be four times as long.
pub const GO_MEMORY_BYTES_MAX: usize = 1 << 30;

/// Executions of trimming one find of a Go worker, the one that confirms it included.
pub const GO_TRIM_EXECS_MAX: u64 = 64;

/// One part in so many of a Go worker's time may go into trimming finds.
pub const GO_TRIM_SHARE: u32 = 5;

/// Trimming that is allowed before there is any fuzzing to have a share of.
pub const GO_TRIM_AHEAD: Duration = Duration::from_millis(200);

/// From SIGQUIT to SIGKILL: a Go process that hangs lists its goroutines meanwhile.
pub const GO_DUMP_GRACE: Duration = Duration::from_secs(1);

/// Results of entries that are run for their coverage, on their way to whoever collects them.
pub const MEASURED_QUEUE: usize = 64;

/// Entries whose coverage is kept in one transaction: at most so many are run again if `fuzzd cmin`
/// is cut off.
pub const MEASURED_GROUP_MAX: usize = 256;

/// Times an entry is run of which its worker says nothing.
pub const MEASURE_TRIES_MAX: u32 = 2;

/// Times an entry is run again that took long: the machine may have been busy.
pub const MEASURE_AGAIN_MAX: u32 = 2;

/// Entries in a row of which a worker slot gets nothing said, before `fuzzd cmin` gives up: it is
/// not the entries.
pub const MEASURE_LOSSES_MAX: u32 = 4;

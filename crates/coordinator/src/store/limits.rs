//! Every bound of the store, with its unit and its reason.

use std::time::Duration;

/// Records waiting for the writer thread. Twice what a session keeps in flight; a full queue is
/// an answer to the caller, never a wait.
pub const QUEUE_RECORDS_MAX: usize = 8_192;

/// Records of one transaction.
pub const GROUP_RECORDS_MAX: usize = 256;

/// How long the first record of a group waits for others.
pub const GROUP_WAIT_MAX: Duration = Duration::from_millis(50);

/// Corpus and crash files written between two looks at the queue, some 20 ms: as many as one group
/// can bring.
pub const FILES_PER_TURN: usize = 256;

/// Files remembered as not yet written. Beyond this the next start writes them.
pub const FILES_PENDING_MAX: usize = 65_536;

/// Pause after a corpus or crash file could not be written, before it is tried again.
pub const FILES_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Wait between two looks at a full answer queue.
pub const ANSWER_WAIT: Duration = Duration::from_millis(1);

/// Bytes of one input file; a larger one is left alone with a notice. The longest input a worker
/// can be given is below this also when it is written as text.
pub const INPUT_FILE_BYTES_MAX: u64 = 64 << 20;

/// Files read from one directory of seeds, testdata, corpus or crashes (subdirectories included).
pub const FILES_PER_DIR_MAX: usize = 1_000_000;

/// Levels of subdirectories read below a directory of seeds.
pub const SEEDS_DEPTH_MAX: usize = 16;

/// Notices of one load that are told one by one; the rest is counted.
pub const NOTICES_MAX: usize = 200;

/// Names tried for a file that must not replace another.
pub const NAME_TRIES_MAX: u32 = 1_000;

/// Longest directory name made of a test's name, in bytes; a longer one is cut and hashed.
pub const DIR_NAME_BYTES_MAX: usize = 200;

/// How long a statement waits for another process that locked the database (somebody looking at it
/// with a tool of their own).
pub const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Size the write-ahead log is cut back to after a checkpoint.
pub const WAL_BYTES_MAX: u64 = 64 << 20;

/// Largest database that is checked page by page at the start; a larger one is checked as it is
/// read.
pub const QUICK_CHECK_BYTES_MAX: u64 = 256 << 20;

/// Age at which a temporary file in a shared directory belongs to nobody any more.
pub const STALE_TEMP_AGE: Duration = Duration::from_secs(3_600);

/// Times a reader begins anew because a session started while it read.
pub const READ_TRIES_MAX: u32 = 5;

/// Bytes read from a lock file, and kept of the holder's command line in it.
pub const LOCK_FILE_BYTES_MAX: u64 = 4_096;

/// Time for writing files when the store closes; the next start writes the rest.
pub const CLOSE_FILES_TIME: Duration = Duration::from_millis(500);

//! Every bound of the Go dialect, with its unit and its reason.

use std::time::Duration;

/// Mutations between two returns to the value that was sent. `chainedMutations` in `fuzz.go`.
pub const CHAINED_MUTATIONS: i64 = 5;

/// Bytes of its share of the memory that a value must leave free, because quoting makes it longer.
/// `maxPerVal` in `mutator.go`.
pub const ENCODING_ROOM: usize = 100;

/// Bytes of the memory for values: Go draws positions as 32-bit numbers.
pub const CAPACITY_MAX: usize = u32::MAX as usize;

/// Operators tried for one mutation. One of 18 applies to every value with a byte or with room for
/// three, so a healthy worker needs a few; where none applies, the worker itself never returns.
pub const OPERATOR_TRIES_MAX: u32 = 10_000;

/// Bytes that quoting makes of one byte at most: `\xHH`, or a character of two bytes as `\uHHHH`.
pub const QUOTED_BYTES_MAX: usize = 4;

/// Fuzz tests in the table of a binary: far beyond what people write.
pub const FUZZ_TESTS_MAX: u64 = 10_000;

/// Bytes of one name in that table.
pub const NAME_BYTES_MAX: u64 = 4096;

/// Bytes of build information in a binary. Go writes a line per module of the build.
pub const BUILD_INFO_BYTES_MAX: u64 = 4 << 20;

/// How long a binary may take to list its fuzz tests. It runs the package's own initialisation.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a harvest may take. The binary runs the body of the fuzz test, which may read files.
pub const HARVEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of output of a listing or a harvest that are read; a listing that is longer is an error.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// Bytes of the end of an output that an error carries: enough for a panic with its stack.
pub const EXCERPT_BYTES_MAX: usize = 4 << 10;

/// Seeds of one fuzz test: one more ends the harvest with an error.
pub const SEEDS_MAX: usize = 100_000;

/// Bytes of all seeds of one harvest, with 9 for each: more end it with an error.
pub const SEED_BYTES_MAX: u64 = 1 << 30;

/// Words taken from the code of a binary.
pub const WORDS_MAX: usize = 4_096;

/// Bytes of one of them.
pub const WORD_BYTES_MAX: usize = 32;

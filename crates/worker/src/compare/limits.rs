//! Every bound of compare solving, with its unit and its reason.

/// Bytes of one side of a pair: what the compare log keeps of a memory compare.
pub(crate) const SIDE_BYTES_MAX: usize = 64;

/// Pairs of one table; older ones make room. A table of full pairs is 8 KiB.
pub(crate) const PAIRS_MAX: usize = 64;

/// Pairs of one table from one place in the code, so that a loop does not push out all others.
pub(crate) const PAIRS_PER_PC_MAX: usize = 8;

/// Lengths that the target compared the input's length with, of one table.
pub(crate) const LENGTHS_MAX: usize = 16;

/// Bytes of a length that is proposed: longer inputs are rarely what a comparison is about.
pub(crate) const LENGTH_TARGET_MAX: usize = 4_096;

/// Executions of one colorization per byte of the input, on top of the caller's budget.
pub(crate) const COLORIZE_EXECS_PER_BYTE: usize = 2;

/// Executions of one colorization of a tiny input, at most.
pub(crate) const COLORIZE_EXECS_MIN: usize = 16;

/// Bytes from the start of an input in which operands are looked for.
pub(crate) const SOLVE_BYTES_MAX: usize = 64 * 1024;

/// Records of one log that are looked at; a log holds no more.
pub(crate) const SOLVE_RECORDS_MAX: usize = 4_096;

/// Records of one place in the code that are looked at: more come from loops.
pub(crate) const SOLVE_RECORDS_PER_PC_MAX: usize = 16;

/// Candidates of one input: this many, and [`CANDIDATES_PER_BYTE`] for each byte.
pub(crate) const CANDIDATES_MIN: usize = 2_048;
/// See [`CANDIDATES_MIN`].
pub(crate) const CANDIDATES_PER_BYTE: usize = 4;
/// Candidates of one input, however long it is: 2 MiB of memory.
pub(crate) const CANDIDATES_MAX: usize = 16 * 1024;

/// Candidates from one place in the code.
pub(crate) const CANDIDATES_PER_PC_MAX: usize = 96;

/// Places in the input where one operand in one encoding is replaced.
pub(crate) const PLACES_PER_OPERAND_MAX: usize = 4;

/// Positions of one pair of bytes that are looked at for one operand.
pub(crate) const PROBES_MAX: usize = 256;

/// Positions tried, for all records of one input together, for operands that were computed from
/// input bytes: some milliseconds.
pub(crate) const RELATION_TESTS_MAX: usize = 1 << 17;

/// Largest constant difference between an operand and the input that a single changed byte proves.
pub(crate) const SMALL_OFFSET_MAX: u64 = 256;

/// Bytes that a length in the input may leave out (headers, terminators).
pub(crate) const LENGTH_SLACK_MAX: u64 = 32;

/// Digits of a number in text.
pub(crate) const DIGITS_MAX: usize = 20;

/// Numbers in text that are looked at in one input.
pub(crate) const NUMBERS_MAX: usize = 256;

/// Replacements that one candidate applies together.
pub(crate) const TOGETHER_MAX: usize = 64;

/// Lengths that comparisons ask for, of one input.
pub(crate) const ASKED_MAX: usize = 64;

/// Fields of the input that may state its length, and the bytes in which they are looked for.
pub(crate) const STATED_MAX: usize = 4;
/// See [`STATED_MAX`].
pub(crate) const STATED_OFFSET_MAX: usize = 64;

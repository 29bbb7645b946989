//! Every bound of the mutator, with its unit and its reason.

/// Places with an effect that are remembered for one value; of more, every n-th is.
pub(super) const EFFECTIVE_PLACES_MAX: usize = 4_096;

/// Bytes of a value that are looked through once for numbers, brackets and length fields. What lies
/// behind is mutated by the other operators only.
pub(super) const SHAPE_BYTES_MAX: usize = 64 * 1024;

/// Numbers in decimal digits that are remembered for one value.
pub(super) const NUMBERS_MAX: usize = 128;

/// Pairs of brackets and quotes that are remembered for one value.
pub(super) const BRACKETS_MAX: usize = 256;

/// Brackets open at once while pairs are looked for; deeper ones are not remembered.
pub(super) const BRACKET_DEPTH_MAX: usize = 64;

/// Length fields that are remembered for one value.
pub(super) const LENGTH_FIELDS_MAX: usize = 64;

/// Places of a base where one side of a compare stands, which are remembered.
pub(super) const MATCHES_MAX: usize = 256;

/// Places of one operand in one form that are remembered.
pub(super) const MATCHES_PER_FORM_MAX: usize = 4;

/// Bytes of a value that are searched for a side of a compare, from a random place on.
pub(super) const SEARCH_BYTES_MAX: usize = 2_048;

/// Bytes that a word may have; longer ones are cut there.
pub(super) const WORD_BYTES_MAX: usize = 128;

/// Bytes looked through for the separators around a random place, in both directions.
pub(super) const LINE_BYTES_MAX: usize = 512;

/// Bytes of a bracketed span that is copied.
pub(super) const NEST_BYTES_MAX: usize = 4_096;

/// Bytes of a record with a length field that is repeated.
pub(super) const RECORD_BYTES_MAX: usize = 4_096;

/// Brackets put around one thing at once, at most, as a power of two.
pub(super) const NEST_TIMES_EXPONENT_MAX: usize = 6;

/// Bytes of a piece that is moved through the stack.
pub(super) const PIECE_BYTES_MAX: usize = 256;

/// Places of the wheel from which operators are drawn. A power of two.
pub(super) const WHEEL_PLACES: usize = 256;

/// Places of the wheel from which the length of a chain is drawn. A power of two.
pub(super) const CHAIN_WHEEL_PLACES: usize = 256;

/// Executions after which what an arm has shown counts half.
pub(super) const HALF_LIFE_EXECS: u32 = 1_000_000;

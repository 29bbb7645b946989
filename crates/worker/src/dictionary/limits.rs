//! Every bound of the dictionary, with its unit and its reason.

/// Tokens of all sources together.
#[cfg(test)]
pub(crate) const TOKENS_MAX: usize = USER_TOKENS_MAX + STATIC_TOKENS_MAX + SEEN_TOKENS_MAX;

/// Tokens that the person gave.
pub(crate) const USER_TOKENS_MAX: usize = 1_024;

/// Tokens from the executable.
pub(crate) const STATIC_TOKENS_MAX: usize = 2_304;

/// Constants that comparisons showed; older ones make room.
pub(crate) const SEEN_TOKENS_MAX: usize = 768;

/// Bytes of one token, at least: mutation makes single bytes often enough.
pub(crate) const TOKEN_BYTES_MIN: usize = 2;

/// Bytes of one token, at most.
pub(crate) const TOKEN_BYTES_MAX: usize = 64;

/// Places in the code that are remembered to use one token.
pub(crate) const TOKEN_PLACES_MAX: usize = 8;

/// Places of memory compares whose sides are remembered to tell which one is constant.
pub(crate) const PLACES_MAX: usize = 1_024;

/// Bytes of the executable's segments that are read.
pub(crate) const IMAGE_BYTES_MAX: usize = 64 << 20;

/// Program headers and entries of the dynamic table that are looked at.
pub(crate) const HEADERS_MAX: usize = 256;

/// Relocations that are looked at.
pub(crate) const RELOCATIONS_MAX: usize = 1 << 20;

/// Bytes of `/proc/self/maps` that are read.
pub(crate) const MAPS_BYTES_MAX: u64 = 1 << 20;

/// Bytes of code that are scanned, of all instrumented functions.
pub(crate) const CODE_BYTES_MAX: usize = 32 << 20;

/// Bytes of code that are scanned at once, and a function more: about five milliseconds.
pub(crate) const CODE_BYTES_PER_STEP: usize = 1 << 20;

/// What one function names (immediates, lengths, addresses), at most.
pub(crate) const FINDINGS_MAX: usize = 4_096;

/// Tokens collected before the best are chosen.
pub(crate) const HARVEST_MAX: usize = 16_384;

/// Bytes of code between two pieces of one constant.
pub(crate) const JOIN_BYTES_MAX: usize = 40;

/// Bytes of code between the address of a string and its length.
pub(crate) const LENGTH_BYTES_MAX: usize = 64;

/// Bytes of a table of strings behind the address that the code names.
pub(crate) const TABLE_BYTES_MAX: usize = 16 * 1024;

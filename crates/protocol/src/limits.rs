//! Every bound of the protocol, with its unit and its reason.

/// Bytes of one line without its line end. The largest message is a coverage snapshot of a Go
/// target in base64: 16 MiB hold twelve million counters.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Bytes of one value in packed form that its `u32` length can name; the rest is cut.
pub const PACKED_VALUE_BYTES_MAX: usize = u32::MAX as usize;

/// Bytes of a LEB128 number that can still be a `u32`.
pub const VARINT_BYTES_MAX: usize = 5;

/// Numbers of candidates that held in one search. Beyond that it starts anew, from the smallest.
pub const SEARCH_HELD_MAX: usize = 4096;

/// Fuzz tests that a program can announce.
pub const TESTS_MAX: usize = 4096;

/// Bytes of the name of a fuzz test.
pub const TEST_NAME_BYTES_MAX: usize = 200;

/// Items of one plan. A line of so many is far below [`LINE_BYTES_MAX`], and a call looks at a few
/// hundred entries at most.
pub const PLAN_ITEMS_MAX: usize = 1024;

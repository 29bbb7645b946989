//! The fuzzd wire protocol, as the coordinator and workers in Rust share it.
//!
//! Owns: the messages and their lines, the layout of the shared memory, the sparse form of
//! coverage, and the forms of an input (in memory, in files). The normative text is `proto-spec/`
//! in the repository; this crate and that text change together.
//!
//! Must not: do I/O, map memory, know the decision core or an engine. Everything here is a pure
//! function over bytes. Bytes that come from a worker or a file are hostile input: every decoder
//! is total or returns an error, and none of them trusts a length it reads.

#![forbid(unsafe_code)]

mod bytes64;
pub mod caps;
pub mod input;
pub mod layout;
pub mod limits;
pub mod line;
pub mod message;
pub mod profile;
pub mod sparse;
pub mod text;
pub mod value;

pub use limits::LINE_BYTES_MAX;

/// Version of our extensions, named in `Ping` by both sides. Go workers do not know it.
pub const PROTOCOL_VERSION: u32 = 1;

/// The worker reads calls here (`fuzz_in`).
pub const FUZZ_IN_FD: i32 = 3;

/// The worker writes replies here (`fuzz_out`).
pub const FUZZ_OUT_FD: i32 = 4;

/// The shared memory, laid out as [`layout`] says.
pub const MEMORY_FD: i32 = 5;

/// Extension `map`: the coverage map of the fuzz test, read-only, laid out as [`layout::map`] says.
pub const MAP_FD: i32 = 6;

/// Extension `plan`: the corpus arena of the fuzz test, read-only, laid out as [`layout::arena`]
/// says.
pub const ARENA_FD: i32 = 7;

/// Set to `1` by the coordinator: the process is to be a worker.
pub const WORKER_ENV: &str = "FUZZD_WORKER";

/// Names the fuzz test that a native worker is to serve, one of those it announced in `Tests`.
pub const TEST_ENV: &str = "FUZZD_TEST";

/// Exit status of a worker that ended because of an error of its own, not of the fuzz test.
pub const INTERNAL_ERROR_EXIT: i32 = 70;

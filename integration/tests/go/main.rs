//! The Go dialect against real Go workers: skipped, with one line, where there is no Go toolchain.
//!
//! Owns: a small driver of Go workers, which never looks at what they do, and one module per
//! promise.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod binary;
mod build;
mod cmin;
mod deaths;
mod harvest;
mod list;
mod run;
mod soak;
mod suite;
mod toolchain;
mod vectors;
mod worker;
#[path = "../common/worker_process.rs"]
mod worker_process;

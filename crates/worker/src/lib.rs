//! The worker-side engine, linked into fuzz targets.
//!
//! Owns everything that happens in a worker process: serving calls, mutating inputs inside the
//! shared memory, running the fuzz test, reading the coverage counters, catching failures,
//! minimizing. Must not use tokio, print (except on its own errors), or export anything generic:
//! generic code is instantiated, and instrumented, in the crate that uses it.
//!
//! A fuzz test is a [`Target`]. When [`is_worker`] says so, [`serve_and_exit`] takes the process
//! over:
//!
//! ```text
//! coordinator ── calls (fd 3) ──► Server ──► fuzz / minimize ──► Runner ──► Target
//!             ◄─ replies (fd 4) ──┘                  │             ├─ Counters
//!             ◄─ memory (fd 5): value, count, phase ─┴── Mutator ──┘
//! ```

mod build_id;
mod clock;
mod comm;
mod compare;
#[cfg(test)]
mod conformance;
mod content;
mod counters;
mod dictionary;
mod engine;
mod failure;
#[cfg(target_os = "linux")]
mod fork;
mod fuzz;
pub mod hooks;
mod limits;
#[doc(hidden)]
pub mod measure;
mod memory;
mod minimize;
mod mutator;
mod rng;
mod runner;
mod serve;
mod server;
mod shared;
mod signal;
mod simd;
mod target;

pub use fuzzd_protocol as protocol;
pub use serve::{is_worker, serve, serve_and_exit};
pub use target::{Target, Verdict};

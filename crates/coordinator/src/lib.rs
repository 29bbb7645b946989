//! The fuzzd coordinator: everything around the decision core that touches the world.
//!
//! Owns processes, shared memory, the state directory, the clock and signals. Must not decide what
//! to run, what to keep or what is a bug: [`fuzzd_core::session::Session`] does, and is driven by
//! one event loop here.
//!
//! ```text
//!  run ─► options ─► store (lock) ─► probe ─► store (load) ─► event_loop ─► Summary
//!                                                              │
//!                         worker: one task per slot ◄──────────┼──► store: writer thread
//!                            │                                 └──► notices: never waited for
//!                         process: the spawner thread
//! ```
//!
//! What holds:
//! - The loop waits for no worker, disk or screen. Every queue and every wait has its bound in
//!   [`limits`] or [`store::limits`].
//! - A worker has ended when its process has, never when a pipe closes.
//! - A process group is signalled only before its leader is reaped; so is nobody else, ever.
//! - An end that was asked for is never reported as a death.
//! - Nothing a worker says is believed: counts are clamped, lengths checked, bytes copied out.

mod blocking;
mod build_id;
mod clock;
mod cmin;
pub mod conformance;
mod error;
mod event_loop;
pub mod limits;
mod notice;
mod options;
mod probe;
mod probe_all;
mod process;
pub mod replay;
mod run;
#[cfg(test)]
mod scripted_worker;
mod shared;
pub mod signals;
pub mod store;
mod worker;

pub use cmin::{CminNews, MinimizedCorpus, Size, minimize_corpora};
pub use error::{ProbeError, RunError};
pub use notice::{Notice, Started, StartedTest};
pub use options::{Dialect, GoTarget, OptionsError, RunOptions, TargetSpec};
pub use probe::{TargetInfo, probe};
pub use probe_all::probe_each;
pub use run::run;
pub use worker::PingError;

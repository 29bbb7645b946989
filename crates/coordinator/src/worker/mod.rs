//! Workers as the coordinator sees them: one task per slot, one process at a time in it.
//!
//! Owns the way from a command of the decision core to a process and back to an event. Must not
//! decide which worker does what, and never touches another worker's process.
//!
//! ```text
//!  event loop ──Command──► task ──► life ──line──► client ──► fuzz_in, fuzz_out, memory, output
//!             ◄──Event────      ◄── (state, watch, death: pure)
//!                                └─► dialect ─► call, reply, finds: our protocol
//!                                            └► go: calls to unmodified Go test binaries
//! ```

mod call;
mod client;
mod death;
mod dialect;
mod finds;
mod gauge;
mod go;
mod life;
mod memory;
mod output;
mod ping;
mod pool;
mod probe;
mod reply;
mod run_one;
mod slot;
mod state;
mod target;
mod task;
mod watch;

pub use ping::PingError;

pub(crate) use go::{HarvestFailure, harvest};
pub(crate) use pool::Pool;
pub(crate) use probe::{Probed, WorkerProbeError, probe_worker};
pub(crate) use run_one::{Ran, RunOne};
pub(crate) use target::{WorkerSettings, WorkerTarget};
pub(crate) use watch::WatchLimits;

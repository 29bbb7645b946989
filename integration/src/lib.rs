//! Help for black-box tests: the real binary, real workers, targets that misbehave.
//!
//! Owns: where a test's files lie ([`Place`]), a running `fuzzd` ([`TestSession`]), and what is
//! left of it ([`process`]). Must not know anything of fuzzd that a user could not know: it reads
//! JSON events, exit codes and files.
//!
//! Every wait ends at an event or at [`limits::DEADLINE`]. Nothing here outlives its test: a
//! session that is dropped is killed with all processes that it started.

pub mod fifo;
pub mod go;
pub mod limits;
mod place;
pub mod process;
mod programs;
mod session;

pub use place::{Place, Run};
pub use programs::{c_worker, cargo, copy_fixture, fuzzd, repository, zoo_executable};
pub use session::{Outcome, TestSession, run_to_end};

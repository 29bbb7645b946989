//! Worker processes: starting, signalling and reaping them.
//!
//! Owns everything that differs by operating system on the coordinator's side. Must not know the
//! protocol, deadlines, or why a process is to end.
//!
//! ```text
//!  spawner thread ──spawn──► Running ──exits──► Zombie ──reap (kills the group first)──► Reaped
//! ```
//! A process and its group are signalled only before it is reaped: until then the kernel cannot
//! give its number to anybody else.

mod child;
mod spawn;

pub(crate) use child::{Child, ExitStatus, GroupSignal};
pub(crate) use spawn::{SpawnError, SpawnRequest, Spawned, Spawner, spawn_program, watch_end};

#[cfg(test)]
mod tests;

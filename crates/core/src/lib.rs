//! The pure half of fuzzd: the domain, and every decision a session takes.
//!
//! Owns the corpus, the coverage map, the scheduler, the bug ledger and the session state machine.
//! Must not do I/O, read a clock, use a random source of its own or depend on another fuzzd crate:
//! [`session::Session::handle`] is a function of its state and of the event it is given, so that a
//! simulator can run whole sessions under any order of events and any fault.

#![forbid(unsafe_code)]

pub mod alias;
pub mod budget;
mod chance;
pub mod corpus;
pub mod coverage;
pub mod death;
pub mod failure;
pub mod ids;
pub mod limits;
mod panic_text;
pub mod schedule;
pub mod session;
pub mod signature;
pub mod subset;

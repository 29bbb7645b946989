//! Go workers: what one call of the decision core is to an unmodified Go test binary.
//!
//! Owns the translation. A Go worker knows three calls and none of our extensions, so one call of
//! the core becomes a *talk*: a row of `Fuzz` calls, each chosen by what came of the one before.
//! The core learns nothing of it. Must not know processes, pipes or deadlines (`life` does).
//!
//! | core | talk |
//! |---|---|
//! | `Execute` | one call with `Warmup` |
//! | `Fuzz` | on each entry of the plan Go's mutator and ours; finds are run again and trimmed |
//! | `MinimizeFind`, `MinimizeFailure` | `Warmup` calls, candidates of `fuzzd_go::reduce` |
//! | `MinimizeFailure` by fork | none: each candidate may end its process, see [`search`] |
//!
//! ```text
//!  life ──call──► link.begin ──► talk ──► line, text in memory
//!       ◄─Found── talk.answer ◄── line     (next line, or the reply to the core)
//! ```
//! What a worker runs is known by its memory alone ([`fuzzd_go::rebuild`]): every answer is judged
//! before the next call is written.

mod arms;
mod failure;
mod fuzz;
mod link;
mod mask;
mod probe;
mod search;
mod shrink;
mod talk;
mod trim;

pub(super) use failure::of_death;
pub(super) use link::{GoLink, ping_line, read_ping};
pub(crate) use probe::{HarvestFailure, harvest};
pub(super) use search::search;
pub(super) use talk::{GoTalk, Next, Scene};

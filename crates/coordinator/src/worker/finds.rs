//! Finds that a worker tells while its Fuzz call goes on, taken from the ring in its memory.
//!
//! Owns the reader's place in the ring of one call, and the checks of every number and byte of a
//! find. Everything in the ring is hostile: what cannot be is an error, which the task turns into
//! `Misbehaved`; finds taken before it are kept. Must not judge whether a find is one: the core
//! does.

use std::time::Duration;

use fuzzd_core::session::{Found, FoundParent, WorkerEvent};
use fuzzd_protocol::input::canonical;
use fuzzd_protocol::layout::ring::{FindParent, FindRecord};
use fuzzd_protocol::value::ValueType;

use crate::limits::{FINDS_AT_END_MAX, FINDS_PER_TICK_MAX};
use crate::worker::call::{CoverageLink, Pending};
use crate::worker::memory::WorkerMemory;

/// How many finds to take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    /// The call goes on: a few, so that the loop is not flooded.
    Tick,
    /// The call is over: all there are.
    End,
}

impl Drain {
    fn max(self) -> usize {
        match self {
            Self::Tick => FINDS_PER_TICK_MAX,
            Self::End => FINDS_AT_END_MAX,
        }
    }
}

/// How far the ring of one call was read.
#[derive(Debug, Default)]
pub(super) struct FindReader {
    position: u64,
    /// Finds told so far: what a later one may name as its parent.
    told: usize,
    /// The ring was damaged; it is not looked at again.
    is_damaged: bool,
}

/// What a find is read with.
#[derive(Debug)]
pub(super) struct FindContext<'a> {
    pub(super) pending: &'a Pending,
    pub(super) memory: &'a WorkerMemory,
    pub(super) types: &'a [ValueType],
    pub(super) coverage: &'a CoverageLink,
    /// How long the call has taken so far, by our own clock.
    pub(super) elapsed: Duration,
}

impl FindReader {
    /// Takes what is in the ring. The error is a sentence on what is wrong with it.
    pub(super) fn drain(
        &mut self,
        context: &FindContext<'_>,
        drain: Drain,
        events: &mut Vec<WorkerEvent>,
    ) -> Result<(), String> {
        if self.is_damaged || !context.pending.has_ring() {
            return Ok(());
        }
        for _ in 0..drain.max() {
            match self.next(context) {
                Ok(Some(found)) => {
                    self.told += 1;
                    events.push(WorkerEvent::Found(found));
                }
                Ok(None) => return Ok(()),
                Err(reason) => {
                    self.is_damaged = true;
                    return Err(reason);
                }
            }
        }
        Ok(())
    }

    fn next(&mut self, context: &FindContext<'_>) -> Result<Option<Found>, String> {
        let popped = context.memory.pop_find(&mut self.position);
        let Some(record) = popped.map_err(|error| error.to_string())? else { return Ok(None) };
        let find = FindRecord::decode(&record).map_err(|error| error.to_string())?;
        self.check(&find, context).map(Some)
    }

    fn check(&self, find: &FindRecord<'_>, context: &FindContext<'_>) -> Result<Found, String> {
        let parent = match find.parent {
            FindParent::Plan(item) => context.pending.plan_position(item).map(FoundParent::Plan),
            FindParent::Found(number) => {
                let number = usize::try_from(number).ok();
                number.filter(|&number| number < self.told).map(FoundParent::Found)
            }
        };
        let parent =
            parent.ok_or_else(|| format!("a find names {:?} as its parent", find.parent))?;
        let coverage = context.coverage.read(Some(find.coverage), None)?.unwrap_or_default();
        let (input, capacity) = (canonical(context.types, find.input), context.memory.capacity());
        if find.input.len().max(input.len()) > capacity {
            let bytes = find.input.len();
            return Err(format!("a find has {bytes} bytes, its memory has room for {capacity}"));
        }
        Ok(Found {
            input: input.into(),
            coverage,
            parent,
            exec_time: Duration::from_nanos(find.exec_ns).min(context.elapsed),
            replaces_parent: find.replaces_parent(),
        })
    }
}

#[cfg(test)]
mod tests;

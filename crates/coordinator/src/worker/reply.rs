//! From the replies of a worker to replies of the decision core.
//!
//! A reply is hostile: counts are clamped to what the call allowed, coverage is decoded against the
//! announced number of counters, the input is copied out of memory with its length checked. What
//! makes no sense is an error, which the task turns into `Misbehaved`.

use std::time::Duration;

use fuzzd_core::death::{OutputTail, details};
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_core::session::{Outcome, PlanUse, Reply};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::input::canonical;
use fuzzd_protocol::limits::SEARCH_HELD_MAX;
use fuzzd_protocol::message::{
    self, FailureInfo, FuzzReply, IgnoredCount, MinimizeReply, PlanStat,
};
use fuzzd_protocol::value::ValueType;

use crate::limits::{EXEC_NANOS_MIN, EXECS_OTHER_PER_CALL_MAX};
use crate::worker::call::{CoverageLink, Kind, Pending, SentPlan};
use crate::worker::memory::{Counts, WorkerMemory};
use crate::worker::ping::shortened;

/// What a reply is read with.
pub(super) struct ReplyContext<'a> {
    pub(super) pending: &'a Pending,
    pub(super) memory: &'a WorkerMemory,
    pub(super) types: &'a [ValueType],
    pub(super) coverage: &'a CoverageLink,
    /// How long the call took by our own clock.
    pub(super) elapsed: Duration,
    /// The newest output of the target, for failures.
    pub(super) output: &'a dyn Fn() -> OutputTail,
}

impl ReplyContext<'_> {
    /// Reads the line of a reply. The error is a sentence on what is wrong with it.
    pub(super) fn read(&self, line: &[u8]) -> Result<Reply, String> {
        match self.pending.kind {
            Kind::Execute | Kind::Fuzz { .. } => self.read_fuzz(&decode(line)?),
            Kind::MinimizeFind | Kind::MinimizeFailure(_) | Kind::MinimizeForked(_) => {
                self.read_minimize(&decode(line)?)
            }
        }
    }

    fn read_fuzz(&self, reply: &FuzzReply) -> Result<Reply, String> {
        if !reply.internal_err.is_empty() {
            return Err(format!(
                "it reports an error of its own: {}",
                shortened(&reply.internal_err)
            ));
        }
        let coverage =
            self.coverage.read(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref())?;
        let failure = self.failure(&reply.err, reply.failure.as_ref())?;
        let is_execute = self.pending.kind == Kind::Execute;
        let outcome = match (failure, is_execute) {
            (Some(failure), true) => Outcome::Failed { input: self.pending.input.clone(), failure },
            (Some(failure), false) => Outcome::Failed { input: self.input()?, failure },
            (None, true) if reply.rejected => Outcome::Rejected,
            (None, true) => Outcome::Passed { coverage: coverage.unwrap_or_default() },
            (None, false) => match coverage.filter(|coverage| !coverage.is_empty()) {
                Some(coverage) => Outcome::Find { input: self.input()?, coverage },
                None => Outcome::Nothing,
            },
        };
        let count = u64::try_from(reply.count).unwrap_or(0);
        let counts = Counts { new: count, other: reply.other_count };
        let ignored = self.ignored(&reply.ignored);
        let mut read = self.reply(counts, reply.total_duration_ns, ignored, outcome);
        read.plan = self.plan(&reply.plan, read.execs, read.elapsed)?;
        read.unlooked = reply.unlooked.iter().filter_map(|&find| find.try_into().ok()).collect();
        Ok(read)
    }

    /// What became of each item of the plan, items that were not sent included. All of them
    /// together did no more than the call.
    fn plan(
        &self,
        stats: &[PlanStat],
        mut execs: u64,
        mut elapsed: Duration,
    ) -> Result<Vec<PlanUse>, String> {
        let Kind::Fuzz { plan: SentPlan::Items { positions, of }, .. } = &self.pending.kind else {
            return Ok(Vec::new());
        };
        if !stats.is_empty() && stats.len() != positions.len() {
            let (told, sent) = (stats.len(), positions.len());
            return Err(format!("it tells of {told} items of a plan, it was sent {sent}"));
        }
        let mut plan = vec![PlanUse::default(); if stats.is_empty() { 0 } else { *of }];
        for (&position, stat) in positions.iter().zip(stats) {
            let item = PlanUse {
                execs: stat.execs.min(execs),
                elapsed: Duration::from_nanos(stat.nanos).min(elapsed),
            };
            (execs, elapsed) = (execs - item.execs, elapsed - item.elapsed);
            plan[position] = item;
        }
        Ok(plan)
    }

    fn read_minimize(&self, reply: &MinimizeReply) -> Result<Reply, String> {
        let coverage =
            self.coverage.read(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref())?;
        let failure = self.failure(&reply.err, reply.failure.as_ref())?;
        let input = if reply.wrote_to_mem { self.input()? } else { self.pending.input.clone() };
        let outcome = match (failure, &self.pending.kind) {
            (Some(_), Kind::MinimizeForked(_)) => {
                return Err("it reports a failure of what only its children run".into());
            }
            (Some(failure), Kind::MinimizeFailure(kept)) if failure.signature() == *kept => {
                Outcome::Minimized { input, coverage: Vec::new() }
            }
            // Another failure than the one it was to keep, or one where none was known: it lies in
            // memory whether or not it counts as a success.
            (Some(failure), _) => Outcome::Failed { input: self.input()?, failure },
            (None, Kind::MinimizeFailure(_) | Kind::MinimizeForked(_)) => match &reply.search {
                Some(search) if search.held.len() <= SEARCH_HELD_MAX => Outcome::Searched {
                    input,
                    held: search.held.clone(),
                    until: search.until,
                    is_done: search.done,
                },
                Some(_) => return Err("it tells of more candidates than there may be".into()),
                None => Outcome::Minimized { input, coverage: Vec::new() },
            },
            (None, _) => Outcome::Minimized { input, coverage: coverage.unwrap_or_default() },
        };
        let count = u64::try_from(reply.count).unwrap_or(0);
        let counts = Counts { new: count, other: reply.other_count };
        Ok(self.reply(counts, reply.duration_ns, Vec::new(), outcome))
    }

    fn reply(
        &self,
        counts: Counts,
        worker_ns: i64,
        ignored: Vec<(Signature, u64)>,
        outcome: Outcome,
    ) -> Reply {
        let (execs, execs_other) = self.pending.clamp(counts, self.elapsed);
        // The worker's own time leaves out the way here and back; but it cannot be longer.
        let worker_time = u64::try_from(worker_ns).ok().filter(|&ns| ns > 0);
        let elapsed = worker_time.map_or(self.elapsed, Duration::from_nanos).min(self.elapsed);
        let (plan, unlooked) = (Vec::new(), Vec::new());
        Reply { execs, execs_other, elapsed, ignored, plan, unlooked, outcome }
    }

    fn failure(&self, err: &str, info: Option<&FailureInfo>) -> Result<Option<Failure>, String> {
        let Some(info) = info else {
            let failure = (!err.is_empty())
                .then(|| Failure::new(FailureKind::Error, "", err, &details(&(self.output)())));
            return Ok(failure);
        };
        let kind = match FailureKind::from_name(&info.kind) {
            Some(kind @ (FailureKind::Panic | FailureKind::Error)) => kind,
            _ => {
                let kind = shortened(&info.kind);
                return Err(format!("it reports a failure of the kind {kind:?}"));
            }
        };
        let message = if info.message.is_empty() { err } else { &info.message };
        let mut text = info.details.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&details(&(self.output)()));
        Ok(Some(Failure::new(kind, &info.location, message, &text)))
    }

    /// Only what it was told to ignore, and no more often than it can have executed.
    fn ignored(&self, counts: &[IgnoredCount]) -> Vec<(Signature, u64)> {
        let Kind::Fuzz { ignore, .. } = &self.pending.kind else { return Vec::new() };
        let mut left = self.pending.execs_max;
        let mut ignored: Vec<(Signature, u64)> = Vec::new();
        for IgnoredCount { signature, count } in counts {
            let Ok(signature) = signature.parse::<Signature>() else { continue };
            let is_twice = ignored.iter().any(|&(known, _)| known == signature);
            let count = (*count).min(left);
            if ignore.contains(&signature) && !is_twice && count > 0 {
                left -= count;
                ignored.push((signature, count));
            }
        }
        ignored
    }

    fn input(&self) -> Result<Input, String> {
        let input = self.memory.input().map_err(|error| error.to_string())?;
        Ok(canonical(self.types, &input).into())
    }
}

impl Pending {
    /// Executions of newly mutated inputs and all others, within what the call allowed.
    pub(super) fn clamp(&self, counts: Counts, elapsed: Duration) -> (u64, u64) {
        // Words that the target may have overwritten: no more than any worker could have done.
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let possible = 1 + nanos / EXEC_NANOS_MIN;
        let counts = Counts { new: counts.new.min(possible), other: counts.other.min(possible) };
        let other = counts.other.min(EXECS_OTHER_PER_CALL_MAX);
        match self.kind {
            Kind::Fuzz { .. } => (counts.new.min(self.execs_max), other),
            Kind::Execute
            | Kind::MinimizeFind
            | Kind::MinimizeFailure(_)
            | Kind::MinimizeForked(_) => {
                (0, other.saturating_add(counts.new).min(possible).min(EXECS_OTHER_PER_CALL_MAX))
            }
        }
    }

    /// What the worker's count of newly mutated inputs can be at most. Only `Fuzz` is exact; other
    /// calls may count as they like.
    pub(super) fn counted_max(&self) -> u64 {
        match self.kind {
            Kind::Fuzz { .. } => self.execs_max,
            Kind::Execute
            | Kind::MinimizeFind
            | Kind::MinimizeFailure(_)
            | Kind::MinimizeForked(_) => EXECS_OTHER_PER_CALL_MAX,
        }
    }

    /// Whether an input was being executed, by `proto-spec/protocol.md`, "Deaths". A count that the
    /// target wiped out does not hide it: the phase lies elsewhere.
    fn was_executing(&self, memory: &WorkerMemory) -> bool {
        let executes_at_once = match self.kind {
            Kind::Fuzz { .. } => false,
            Kind::Execute | Kind::MinimizeFind | Kind::MinimizeFailure(_) => true,
            // Only its children execute: whatever ended the worker, it was not this input.
            Kind::MinimizeForked(_) => return false,
        };
        memory.counts().is_any()
            || if self.has_phase { memory.is_running() } else { executes_at_once }
    }

    /// The input that was being executed when the process ended, if one was.
    pub(super) fn input_at_death(
        &self,
        memory: &WorkerMemory,
        types: &[ValueType],
    ) -> Option<Input> {
        if !self.was_executing(memory) {
            return None;
        }
        // The input of `Execute` is known, whatever the target did to the memory. So is where the
        // mutations started from, which is the best there is if the length was overwritten.
        if self.kind == Kind::Execute {
            return Some(self.input.clone());
        }
        let input = memory.input().map(|input| canonical(types, &input).into());
        Some(input.unwrap_or_else(|_| self.input.clone()))
    }
}

fn decode<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    message::decode_reply(line)
        .map_err(|error| format!("its reply is not one: {}", shortened(&error.to_string())))
}

#[cfg(test)]
mod tests;

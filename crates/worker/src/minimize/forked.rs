//! A smaller input that ends its process in the same way.
//!
//! Owns the judgement of candidates that run in forked processes. The same bounds and the same
//! candidates as for failures that a worker survives; but each costs a process.

use std::time::{Duration, Instant};

use fuzzd_core::death::{Cause, ExitStatus, OutputTail, classify};
use fuzzd_core::signature::Signature;
use fuzzd_protocol::message::{ForkLimits, MinimizeCall, MinimizeReply};

use super::passes::Judgement;
use super::walk;
use crate::clock::{wire_limit, wire_timeout};
use crate::failure;
use crate::fork::{ChildLimits, Ended, Forker};
use crate::runner::{Ending, Runner};

/// What a child answers that lives.
const HOLDS: u32 = 1;
/// See [`HOLDS`].
const FAILS: u32 = 2;

/// Runs candidates and says which of them hold.
struct Judge<'j, 'a> {
    runner: &'j mut Runner<'a>,
    forker: Forker,
    /// `None`: any failure.
    wanted: Option<Signature>,
    executions_left: u64,
    timeout: Option<Duration>,
    /// When it judged its first candidate.
    began: Option<Instant>,
}

impl Judge<'_, '_> {
    fn judge(&mut self, candidate: &[u8]) -> Judgement {
        let began = *self.began.get_or_insert_with(Instant::now);
        let is_late = self.timeout.is_some_and(|timeout| began.elapsed() >= timeout);
        let fits = candidate.len() <= self.runner.memory.capacity();
        if self.executions_left == 0 || is_late || !fits || self.runner.must_stop() {
            return Judgement::Stop;
        }
        self.executions_left -= 1;
        self.runner.put(candidate);
        self.runner.count_apart(candidate.len());
        let (runner, wanted) = (&*self.runner, self.wanted);
        let mut child = || match runner.run_apart(candidate.len()) {
            Ending::Passed | Ending::Rejected => FAILS,
            Ending::Failed(fault) if wanted.is_none_or(|wanted| wanted == fault.signature) => HOLDS,
            Ending::Failed(_) => FAILS,
        };
        match self.forker.run(&mut child, &|| runner.must_stop()) {
            Ok(Ended::Answered(HOLDS)) => Judgement::Holds,
            Ok(Ended::Answered(_)) => Judgement::Fails,
            Ok(Ended::Died { status, cause, stderr }) => self.weigh(status, &cause, stderr),
            // Without children there is no more to be had; what was reached is kept.
            Ok(Ended::Stopped) | Err(_) => Judgement::Stop,
        }
    }

    fn weigh(&self, status: ExitStatus, cause: &Cause, stderr: String) -> Judgement {
        let output = OutputTail { stderr, stdout: String::new() };
        let signature = classify(status, cause, &output).signature();
        match self.wanted.is_none_or(|wanted| wanted == signature) {
            true => Judgement::Holds,
            false => Judgement::Fails,
        }
    }
}

/// The search of one call. Memory is the smallest input at the end. Gives the time from the first
/// candidate that was judged to the end.
pub(super) fn search(
    runner: &mut Runner<'_>,
    wanted: Option<Signature>,
    call: &MinimizeCall,
    limits: ForkLimits,
    input: &[u8],
    reply: &mut MinimizeReply,
) -> Duration {
    let limits = ChildLimits { timeout: wire_timeout(limits.timeout_ns), memory: limits.memory };
    let Ok(forker) = Forker::new(limits) else { return Duration::ZERO };
    let types = runner.types.clone();
    // Children tell a panic by its signature alone.
    failure::begin_call(&[], 0);
    let (timeout, executions_left) = (wire_timeout(call.timeout_ns), wire_limit(call.limit));
    let mut judge = Judge { runner, forker, wanted, executions_left, timeout, began: None };
    let part = call.search.as_ref().unwrap_or(&walk::WHOLE);
    let walked = walk::walk(&types, input, part, &mut |candidate| judge.judge(candidate));
    reply.wrote_to_mem = walked.smallest.is_some();
    reply.search = call.search.is_some().then_some(walked.report);
    judge.runner.put(walked.smallest.as_deref().unwrap_or(input));
    judge.began.map_or(Duration::ZERO, |began| began.elapsed())
}

#[cfg(test)]
mod tests;

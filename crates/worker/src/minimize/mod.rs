//! The Minimize call: a smaller input that keeps coverage, or that fails in the same way.
//!
//! Owns the judgement of one candidate, and the bounds of the search. Which candidates there are is
//! decided by [`passes`]. Every candidate lies in memory while it runs; the smallest ends there.

#[cfg(target_os = "linux")]
mod forked;
mod passes;
mod scalar;
mod walk;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use fuzzd_core::coverage::Feature;
use fuzzd_core::signature::Signature;
use fuzzd_protocol::message::{MinimizeCall, MinimizeReply};
use fuzzd_protocol::sparse;

use crate::clock::{Pace, wire_limit, wire_nanos, wire_timeout};
use crate::failure::{self, Fault};
use crate::limits::BACKTRACES_PER_CALL_MAX;
use crate::runner::{Ending, Runner};
pub(crate) use passes::{Judgement, shrink};

/// What the smaller input must do.
#[derive(Debug)]
enum Goal {
    /// Show all of these class bits, and not fail.
    Coverage(Vec<Feature>),
    /// Fail with this signature; `None`: fail.
    Failure(Option<Signature>),
}

/// Runs candidates and says which of them hold.
struct Judge<'j, 'a> {
    runner: &'j mut Runner<'a>,
    goal: Goal,
    executions_left: u64,
    timeout: Option<Duration>,
    /// When it judged its first candidate, and when it has to end. The walk of a search to where
    /// it goes on may take long, and is none of the time that the call gives.
    began: Option<(Instant, Pace)>,
    /// Snapshot of the last candidate that held (goal coverage).
    snapshot: Vec<Feature>,
    /// Failure of the last candidate that held (goal failure), or one that nobody knew (goal
    /// coverage): it ends the search.
    fault: Option<Box<Fault>>,
}

impl Judge<'_, '_> {
    fn judge(&mut self, candidate: &[u8]) -> Judgement {
        let must_stop = self.executions_left == 0 || self.runner.must_stop();
        // A candidate is never longer than what it was made from; that it fits is checked anyway.
        let fits = candidate.len() <= self.runner.memory.capacity();
        let (_, pace) = self.began.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Pace::new(self.timeout, now))
        });
        if must_stop || !fits || pace.is_over() {
            return Judgement::Stop;
        }
        self.executions_left -= 1;
        self.runner.put(candidate);
        let ending = self.runner.run_other(candidate.len());
        // The target may have overwritten it.
        self.runner.put(candidate);
        let judgement = self.weigh(ending);
        self.runner.counters.clear();
        judgement
    }

    fn weigh(&mut self, ending: Ending) -> Judgement {
        match (&self.goal, ending) {
            (Goal::Coverage(keep), Ending::Passed) => {
                if !self.runner.counters.have(keep) {
                    return Judgement::Fails;
                }
                self.snapshot = self.runner.counters.snapshot();
                Judgement::Holds
            }
            (Goal::Coverage(_), Ending::Failed(fault)) => {
                if self.runner.ignored.binary_search(&fault.signature).is_ok() {
                    return Judgement::Fails;
                }
                self.fault = Some(fault);
                Judgement::Stop
            }
            (Goal::Failure(wanted), Ending::Failed(fault)) => {
                if wanted.is_some_and(|wanted| wanted != fault.signature) {
                    return Judgement::Fails;
                }
                self.fault = Some(fault);
                Judgement::Holds
            }
            (Goal::Coverage(_), Ending::Rejected)
            | (Goal::Failure(_), Ending::Passed | Ending::Rejected) => Judgement::Fails,
        }
    }
}

/// Carries a call out.
///
/// `WroteToMem` false: nothing was achieved, the given input did not hold in the first place (or
/// the call names something that is not there).
pub(crate) fn minimize(runner: &mut Runner<'_>, call: &MinimizeCall) -> MinimizeReply {
    let started = Instant::now();
    let mut reply = MinimizeReply::default();
    let mut judged = Duration::ZERO;
    runner.begin_call();
    if let Some(goal) = goal_of(runner, call)
        && call.search.as_ref().is_none_or(walk::is_sound)
        && let Ok(input) = runner.given()
    {
        match (goal, call.fork) {
            #[cfg(target_os = "linux")]
            (Goal::Failure(wanted), Some(limits)) => {
                judged = forked::search(runner, wanted, call, limits, &input, &mut reply);
            }
            // Coverage is kept by what lives.
            (_, Some(_)) => {}
            (goal, None) => judged = search(runner, goal, call, &input, &mut reply),
        }
    }
    runner.end_call();
    reply.other_count = runner.other_count;
    let took = if call.search.is_some() { judged } else { started.elapsed() };
    reply.duration_ns = wire_nanos(took);
    reply
}

/// Gives the time from the first candidate that was judged to the end.
fn search(
    runner: &mut Runner<'_>,
    goal: Goal,
    call: &MinimizeCall,
    input: &[u8],
    reply: &mut MinimizeReply,
) -> Duration {
    let types = runner.types.clone();
    let part = call.search.as_ref().filter(|_| matches!(goal, Goal::Failure(_)));
    let keeps_failure = matches!(goal, Goal::Failure(_));
    // The first failure is told in full, in case it stays the only one.
    let known = if keeps_failure { Vec::new() } else { runner.ignored.clone() };
    failure::begin_call(&known, 1);
    let mut judge = Judge {
        runner,
        goal,
        executions_left: wire_limit(call.limit),
        timeout: wire_timeout(call.timeout_ns),
        began: None,
        snapshot: Vec::new(),
        fault: None,
    };
    let mut value = input.to_vec();
    if let Some(part) = part {
        // It is told by its signature alone.
        failure::begin_call(&[], 0);
        let walked = walk::walk(&types, input, part, &mut |candidate| judge.judge(candidate));
        reply.wrote_to_mem = walked.smallest.is_some();
        value = walked.smallest.unwrap_or(value);
        reply.search = Some(walked.report);
        judge.fault = None;
    } else if judge.judge(&value) == Judgement::Holds {
        if keeps_failure {
            // One execution is set aside to tell the smallest in full.
            judge.executions_left = judge.executions_left.saturating_sub(1);
            failure::begin_call(&[], 0);
        } else {
            failure::begin_call(&known, BACKTRACES_PER_CALL_MAX);
        }
        value =
            passes::shrink(&types, input, keeps_failure, &mut |candidate| judge.judge(candidate));
        reply.wrote_to_mem = true;
        if keeps_failure && value != input {
            describe(&mut judge, &value);
        }
    }
    let Judge { runner, goal, snapshot, fault, began, .. } = judge;
    if let Some(fault) = fault {
        reply.err = fault.summary();
        reply.failure = Some(fault.info());
    }
    match goal {
        // The input in memory is the one that failed.
        Goal::Coverage(_) if reply.failure.is_some() => reply.wrote_to_mem = true,
        Goal::Coverage(_) => {
            runner.put(&value);
            reply.coverage_sparse = reply.wrote_to_mem.then(|| sparse::encode(&snapshot));
        }
        Goal::Failure(_) => runner.put(&value),
    }
    began.map_or(Duration::ZERO, |(began, _)| began.elapsed())
}

/// Runs the smallest once more, this time with a backtrace. If it passes now, what was known of it
/// stays.
fn describe(judge: &mut Judge<'_, '_>, smallest: &[u8]) {
    failure::begin_call(&[], 1);
    judge.executions_left = 1;
    if let Some((_, pace)) = &mut judge.began {
        *pace = Pace::new(None, Instant::now());
    }
    judge.judge(smallest);
}

/// What the call asks for; `None` if it names counters or a signature that cannot be.
fn goal_of(runner: &Runner<'_>, call: &MinimizeCall) -> Option<Goal> {
    let counters = runner.counters.len();
    if let Some(keep) = &call.keep_sparse {
        return sparse::decode(keep, counters).ok().map(Goal::Coverage);
    }
    if let Some(mask) = &call.keep_coverage {
        let features = mask.iter().enumerate().filter(|(_, bits)| **bits != 0);
        let features = features.map(|(index, bits)| Some((u32::try_from(index).ok()?, *bits)));
        let features: Option<Vec<Feature>> = features.collect();
        return features.filter(|_| mask.len() == counters).map(Goal::Coverage);
    }
    match &call.signature {
        Some(text) => text.parse().ok().map(|signature| Goal::Failure(Some(signature))),
        None => Some(Goal::Failure(None)),
    }
}

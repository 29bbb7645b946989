//! What a fake worker does with a call.
//!
//! The answer depends on the target, the call and how often an input ran before, never on time or
//! on other workers: so a run paced by executions can be compared with itself.

use std::collections::BTreeMap;
use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{Input, TestIndex};
use fuzzd_core::session::{
    Call, Death, Found, FoundParent, Outcome, PlanItem, PlanUse, Reply, SearchPart, Work,
    WorkerEvent,
};
use fuzzd_core::signature::{FailureKind, Signature};

use crate::bits::Bits;
use crate::dice::{Dice, hash, hash_bytes};
use crate::plan::millis;
use crate::target::{Ran, Target, is_survivable, mutate, without};

/// How often each input was executed; flaky failures depend on it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<(TestIndex, Input), u64>);

/// One call being carried out.
pub(crate) struct Worker<'a> {
    pub(crate) target: &'a Target,
    pub(crate) test: TestIndex,
    pub(crate) told: &'a Bits,
    pub(crate) has_plans: bool,
    /// Candidates of a search after which its time is over.
    pub(crate) search_execs_max: u64,
    /// The entries that all workers of the test were shown.
    pub(crate) published: &'a [Input],
    pub(crate) hang_time: Duration,
    pub(crate) history: &'a mut History,
}

/// An answer, and how long it takes.
pub(crate) struct Answer {
    /// Finds told before it.
    pub(crate) found: Vec<Found>,
    pub(crate) event: WorkerEvent,
    pub(crate) takes: Duration,
}

impl Worker<'_> {
    pub(crate) fn carry_out(&mut self, call: &Call) -> Answer {
        match &call.work {
            Work::Execute => self.execute(&call.input),
            Work::Fuzz { execs_max, time_max, rng_seed, plan, profile, .. } => {
                let by_time = time_max.map_or(u64::MAX, |time| self.execs_in(time).max(1));
                let execs_max = (*execs_max).min(by_time);
                if self.has_plans {
                    let dice = &mut Dice::new(hash(&[
                        *rng_seed,
                        hash_bytes(1, &call.input),
                        *profile as u64,
                    ]));
                    self.fuzz_plan(call, plan, execs_max, dice)
                } else {
                    self.fuzz(call, execs_max, *rng_seed)
                }
            }
            Work::MinimizeFind { keep, .. } => {
                let counters = self.target.counters;
                self.minimize(call, |ran| match ran {
                    Ran::Passed(coverage) => Bits::of(counters, coverage).has_all(keep),
                    Ran::Rejected | Ran::Failed(_) => false,
                })
            }
            Work::MinimizeFailure { signature, search, execs_max, .. } => {
                let signature = *signature;
                let holds = |ran: &Ran| match ran {
                    Ran::Failed(failure) => failure.signature() == signature,
                    Ran::Passed(_) | Ran::Rejected => false,
                };
                match search {
                    Some(part) => self.search(call, part, *execs_max, holds),
                    None => self.minimize(call, holds),
                }
            }
        }
    }

    fn run(&mut self, input: &Input) -> Ran {
        let nth = self.history.0.entry((self.test, input.clone())).or_default();
        *nth += 1;
        self.target.run(input, *nth)
    }

    fn execs_in(&self, time: Duration) -> u64 {
        self.target.execs_per_ms * u64::try_from(time.as_millis()).expect("a short time")
    }

    fn time_of(&self, execs: u64) -> Duration {
        Duration::from_micros(200 + execs * 1_000 / self.target.execs_per_ms)
    }

    fn execute(&mut self, input: &Input) -> Answer {
        let outcome = match self.run(input) {
            Ran::Passed(coverage) => Outcome::Passed { coverage },
            Ran::Rejected => Outcome::Rejected,
            Ran::Failed(failure) => return self.fail(input.clone(), failure, (0, 1), Vec::new()),
        };
        self.reply(outcome, (0, 1), Vec::new())
    }

    fn fuzz(&mut self, call: &Call, execs_max: u64, rng_seed: u64) -> Answer {
        let dice = &mut Dice::new(hash(&[rng_seed, hash_bytes(1, &call.input)]));
        let mut at = 0;
        let mut ignored: Vec<(Signature, u64)> = Vec::new();
        for _ in 0..dice.below(4) {
            if at >= execs_max {
                break;
            }
            at = dice.range(at + 1, execs_max);
            let input = mutate(&call.input, dice);
            match self.run(&input) {
                Ran::Passed(coverage) if !self.told.has_all(&coverage) => {
                    return self.reply(Outcome::Find { input, coverage }, (at, 0), ignored);
                }
                Ran::Passed(_) | Ran::Rejected => {}
                Ran::Failed(failure) if call.ignore.contains(&failure.signature()) => {
                    ignored.push((failure.signature(), 1));
                }
                Ran::Failed(failure) => return self.fail(input, failure, (at, 0), ignored),
            }
        }
        self.reply(Outcome::Nothing, (execs_max, 0), ignored)
    }

    /// Goes on over finds, which are told while the call goes on.
    fn fuzz_plan(
        &mut self,
        call: &Call,
        plan: &[PlanItem],
        execs_max: u64,
        dice: &mut Dice,
    ) -> Answer {
        let mut seen = self.told.clone();
        let mut found: Vec<Found> = Vec::new();
        let mut uses = vec![PlanUse::default(); plan.len()];
        let mut ignored = Vec::new();
        let mut at = 0;
        let mut failed = None;
        let mut outcome = Outcome::Nothing;
        for _ in 0..dice.below(12) {
            if at >= execs_max {
                break;
            }
            at = dice.range(at + 1, execs_max);
            let item = dice.index(plan.len());
            uses[item].execs = at;
            let (parent, base) = if !found.is_empty() && dice.percent(40) {
                let number = dice.index(found.len());
                (FoundParent::Found(number), found[number].input.clone())
            } else {
                (FoundParent::Plan(item), self.published[plan[item].entry as usize].clone())
            };
            let input = mutate(&base, dice);
            match self.run(&input) {
                Ran::Passed(coverage) if !seen.has_all(&coverage) || dice.percent(5) => {
                    seen.add(&coverage);
                    if dice.percent(5) {
                        // No room to tell it: the old way.
                        outcome = Outcome::Find { input, coverage };
                        break;
                    }
                    let replaces_parent = input.len() < base.len();
                    let exec_time = Duration::from_micros(dice.below(3));
                    found.push(Found { input, coverage, parent, exec_time, replaces_parent });
                }
                Ran::Passed(_) | Ran::Rejected => {}
                Ran::Failed(failure) if call.ignore.contains(&failure.signature()) => {
                    ignored.push((failure.signature(), 1));
                }
                Ran::Failed(failure) => {
                    failed = Some((input, failure));
                    break;
                }
            }
        }
        let mut answer = match (failed, outcome) {
            (Some((input, failure)), _) => self.fail(input, failure, (at, 0), ignored),
            (None, Outcome::Nothing) => self.reply(Outcome::Nothing, (execs_max, 0), ignored),
            (None, outcome) => self.reply(outcome, (at, 0), ignored),
        };
        if let WorkerEvent::Replied(reply) = &mut answer.event
            && dice.percent(80)
        {
            reply.plan = uses;
        }
        Answer { found, ..answer }
    }

    fn minimize(&mut self, call: &Call, holds: impl Fn(&Ran) -> bool) -> Answer {
        let is_forked = matches!(call.work, Work::MinimizeFailure { by_fork: true, .. });
        let mut best = call.input.clone();
        let mut execs = 0;
        let mut position = 0;
        while position < best.len() {
            let candidate = without(&best, position);
            execs += 1;
            let ran = self.run(&candidate);
            if holds(&ran) {
                best = candidate;
                continue;
            }
            position += 1;
            // What ends a forked process ends nothing else.
            if let Ran::Failed(failure) = ran
                && !is_forked
                && (!is_survivable(&failure) || position.is_multiple_of(3))
            {
                return self.fail(candidate, failure, (0, execs), Vec::new());
            }
        }
        let coverage = match call.work {
            Work::MinimizeFind { .. } => self.target.coverage(&best),
            Work::Execute | Work::Fuzz { .. } | Work::MinimizeFailure { .. } => Vec::new(),
        };
        self.reply(Outcome::Minimized { input: best, coverage }, (0, execs), Vec::new())
    }

    /// The part of a search that removes one byte after the other.
    fn search(
        &mut self,
        call: &Call,
        part: &SearchPart,
        execs_max: u64,
        holds: impl Fn(&Ran) -> bool,
    ) -> Answer {
        let is_forked = matches!(call.work, Work::MinimizeFailure { by_fork: true, .. });
        let execs_max = execs_max.min(self.search_execs_max);
        let (mut best, mut candidate) = (call.input.clone(), call.input.clone());
        let (mut number, mut position, mut execs) = (0, 0, 0);
        let (mut held, mut until) = (Vec::new(), part.from);
        let is_done = loop {
            let is_own = number >= part.from
                && (number - part.from) % u64::from(part.parts) == u64::from(part.part);
            if is_own && execs == execs_max {
                until = number;
                break false;
            }
            let mut has_held = part.held.contains(&number);
            if is_own {
                (execs, until) = (execs + 1, number + 1);
                let ran = self.run(&candidate);
                has_held = holds(&ran);
                if let (Ran::Failed(failure), false, false) = (ran, has_held, is_forked)
                    && (!is_survivable(&failure) || number.is_multiple_of(3))
                {
                    return self.fail(candidate, failure, (0, execs), Vec::new());
                }
            }
            match has_held {
                true => best = candidate,
                false => position += usize::from(number > 0),
            }
            if is_own && has_held {
                held.push(number);
                if part.parts > 1 {
                    break false;
                }
            }
            number += 1;
            if position >= best.len() || number == 1 && !has_held {
                until = until.max(number);
                break true;
            }
            candidate = without(&best, position);
        };
        let outcome = Outcome::Searched { input: best, held, until, is_done };
        self.reply(outcome, (0, execs), Vec::new())
    }

    fn reply(
        &self,
        outcome: Outcome,
        (execs, execs_other): (u64, u64),
        ignored: Vec<(Signature, u64)>,
    ) -> Answer {
        let takes = self.time_of(execs + execs_other);
        let (plan, unlooked) = (Vec::new(), Vec::new());
        let reply = Reply { execs, execs_other, elapsed: takes, ignored, plan, unlooked, outcome };
        Answer { found: Vec::new(), event: WorkerEvent::Replied(reply), takes }
    }

    fn fail(
        &self,
        input: Input,
        failure: Failure,
        (execs, execs_other): (u64, u64),
        ignored: Vec<(Signature, u64)>,
    ) -> Answer {
        if is_survivable(&failure) {
            return self.reply(Outcome::Failed { input, failure }, (execs, execs_other), ignored);
        }
        let hangs = failure.kind == FailureKind::Timeout;
        let takes =
            self.time_of(execs + execs_other) + if hangs { self.hang_time } else { millis(1) };
        let death = Death { failure, input: Some(input), execs, execs_other };
        Answer { found: Vec::new(), event: WorkerEvent::Died(death), takes }
    }
}

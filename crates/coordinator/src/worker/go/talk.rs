//! One call of the core to a Go worker: the calls it comes to, and what they come to together.
//!
//! Owns the counting of executions and what the worker was running. What is done next is decided
//! by `fuzz` and `shrink`. What a worker says is hostile: counts are clamped, lengths checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::death::OutputTail;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_core::session::{Found, Outcome, PlanUse, Reply};
use fuzzd_core::signature::Signature;
use fuzzd_go::rebuild::{self, Memory, Running, running};
use fuzzd_go::{coverage, text};
use fuzzd_protocol::input::to_memory;
use fuzzd_protocol::message::{self, FuzzCall, FuzzReply};
use fuzzd_protocol::value::{Value, ValueType};

use crate::worker::go::failure::of_error;
use crate::worker::go::fuzz::Fuzzing;
use crate::worker::go::link::{GoLink, room_for_values};
use crate::worker::go::shrink::Shrinking;
use crate::worker::memory::{Counts, WorkerMemory};
use crate::worker::ping::shortened;

/// What a talk is for.
#[derive(Debug)]
pub(super) enum Doing {
    Execute,
    Fuzz(Box<Fuzzing>),
    Shrink(Shrinking),
}

/// What a talk begins with.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) doing: Doing,
    /// Of the input of the core's call.
    pub(super) values: Vec<Value>,
    pub(super) ignore: Arc<[Signature]>,
    pub(super) now: Instant,
}

/// Whether a step runs its values, or what Go's mutator makes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As they are: one execution.
    AsIs {
        /// They are newly mutated: the execution counts against the budget.
        is_new: bool,
    },
    /// Mutated by Go.
    Mutated { execs_max: u64, time_max: Option<Duration> },
}

/// One call to the worker.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) values: Vec<Value>,
    pub(super) way: Way,
}

/// What a step came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// What ran last: the values of the step, or what was found by mutating them.
    pub(super) values: Vec<Value>,
    /// Of these values; `None`: it failed, nothing was found, or there is no coverage.
    pub(super) snapshot: Option<Vec<u8>>,
    pub(super) failure: Option<Failure>,
    /// Time of the last execution.
    pub(super) took: Duration,
    /// Executions of newly mutated inputs in this step.
    pub(super) execs: u64,
}

/// What an answer is read with.
pub(in super::super) struct Scene<'a> {
    pub(in super::super) memory: &'a WorkerMemory,
    /// The newest output of the target, for failures.
    pub(in super::super) output: &'a dyn Fn() -> OutputTail,
    pub(in super::super) now: Instant,
    /// Nothing more is to be asked: the talk ends with this answer.
    pub(in super::super) is_last: bool,
}

/// What follows from an answer.
#[derive(Debug)]
pub(in super::super) enum Next {
    /// The talk goes on: this line is to be sent. The text is in memory.
    Line(Vec<u8>),
    /// The talk is over.
    Reply(Reply),
}

/// See the module.
#[derive(Debug)]
pub(in super::super) struct GoTalk {
    doing: Doing,
    types: Vec<ValueType>,
    step: Step,
    /// The text of the values of the step.
    sent: Vec<u8>,
    /// Executions of the steps before this one.
    counts: Counts,
    begun: Instant,
    ignore: Arc<[Signature]>,
    ignored: BTreeMap<Signature, u64>,
    found: Vec<Found>,
}

impl GoTalk {
    pub(super) fn begin(
        link: &mut GoLink,
        begin: Begin,
        memory: &WorkerMemory,
    ) -> (Self, Result<Vec<u8>, String>) {
        let Begin { doing, values, ignore, now } = begin;
        let mut talk = Self {
            doing,
            types: link.types.clone(),
            step: Step { values, way: Way::AsIs { is_new: false } },
            sent: Vec::new(),
            counts: Counts::default(),
            begun: now,
            ignore,
            ignored: BTreeMap::new(),
            found: Vec::new(),
        };
        // Every talk has a first step; `Execute` has only this one.
        match talk.next_step(link, memory, now) {
            Some((step, text)) => (talk.step, talk.sent) = (step, text),
            None => talk.sent = text::encode(&talk.step.values),
        }
        let line = talk.send(link, memory);
        (talk, line)
    }

    /// Puts the text of the step into memory. Returns the line to send.
    fn send(&mut self, link: &mut GoLink, memory: &WorkerMemory) -> Result<Vec<u8>, String> {
        memory.begin_go_call(&self.sent).map_err(|error| error.to_string())?;
        let call = match self.step.way {
            Way::AsIs { .. } => FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() },
            Way::Mutated { execs_max, time_max } => FuzzCall {
                limit: i64::try_from(execs_max).unwrap_or(i64::MAX).max(1),
                timeout_ns: time_max
                    .map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX).max(1)),
                coverage_data: link.mask.untold(),
                ..FuzzCall::default()
            },
        };
        Ok(message::encode_line(&message::Call::Fuzz(call)))
    }

    /// How many executions the call in flight may do, and for how long.
    pub(in super::super) fn limits(&self) -> (u64, Option<Duration>) {
        match self.step.way {
            Way::AsIs { .. } => (1, None),
            Way::Mutated { execs_max, time_max } => (execs_max, time_max),
        }
    }

    /// Reads an answer and goes on. The error is a sentence on what is wrong with it.
    pub(in super::super) fn answer(
        &mut self,
        link: &mut GoLink,
        scene: &Scene<'_>,
        line: &[u8],
    ) -> Result<Next, String> {
        let reply: FuzzReply = message::decode_reply(line)
            .map_err(|error| format!("its reply is not one: {}", shortened(&error.to_string())))?;
        if !reply.internal_err.is_empty() {
            let what = shortened(&reply.internal_err);
            return Err(format!("it reports an error of its own: {what}"));
        }
        if let Some(snapshot) = &reply.coverage_data {
            link.mask.learn(snapshot.len())?;
        }
        let ran = self.read(reply, scene)?;
        let has_no_end = matches!(self.step.way, Way::Mutated { time_max: None, .. });
        if has_no_end && ran.execs == 0 && !scene.is_last {
            return Err("it executed nothing in a call without a time limit".to_owned());
        }
        let outcome = self.take(link, ran, scene.now)?;
        if outcome.is_none()
            && !scene.is_last
            && let Some((step, text)) = self.next_step(link, scene.memory, scene.now)
        {
            (self.step, self.sent) = (step, text);
            return self.send(link, scene.memory).map(Next::Line);
        }
        Ok(Next::Reply(self.finish(link, outcome, scene.now)))
    }

    fn read(&mut self, reply: FuzzReply, scene: &Scene<'_>) -> Result<Ran, String> {
        let before = self.counts;
        self.counts = self.counts_with(scene.memory);
        let failure = (!reply.err.is_empty()).then(|| of_error(&reply.err, &(scene.output)()));
        let is_mutated = matches!(self.step.way, Way::Mutated { .. });
        let values = if is_mutated && (failure.is_some() || reply.coverage_data.is_some()) {
            self.rebuilt(scene.memory)?.ok_or("it tells of an input, and executed none")?
        } else {
            self.step.values.clone()
        };
        let took = u64::try_from(reply.interesting_duration_ns).unwrap_or(0);
        let execs = self.counts.new - before.new;
        let snapshot = reply.coverage_data;
        Ok(Ran { values, snapshot, failure, took: Duration::from_nanos(took), execs })
    }

    /// What the answer means; `None`: the talk goes on.
    fn take(
        &mut self,
        link: &mut GoLink,
        ran: Ran,
        now: Instant,
    ) -> Result<Option<Outcome>, String> {
        match &mut self.doing {
            Doing::Execute => Ok(Some(match ran.failure {
                Some(failure) => {
                    let input = to_memory(&self.types, &ran.values).into();
                    Outcome::Failed { input, failure }
                }
                None => Outcome::Passed { coverage: features(ran.snapshot.as_deref())? },
            })),
            Doing::Shrink(shrinking) => shrinking.take(ran).map(|()| None),
            Doing::Fuzz(fuzzing) => {
                let Some(crash) = fuzzing.take(link, ran, now, &mut self.found)? else {
                    return Ok(None);
                };
                let signature = crash.failure.signature();
                if crash.is_new && self.ignore.contains(&signature) {
                    *self.ignored.entry(signature).or_default() += 1;
                    return Ok(None);
                }
                let input = to_memory(&self.types, &crash.values).into();
                Ok(Some(Outcome::Failed { input, failure: crash.failure }))
            }
        }
    }

    /// The next step and its text.
    fn next_step(
        &mut self,
        link: &mut GoLink,
        memory: &WorkerMemory,
        now: Instant,
    ) -> Option<(Step, Vec<u8>)> {
        loop {
            let step = match &mut self.doing {
                Doing::Execute => None,
                Doing::Shrink(shrinking) => shrinking.next(now),
                Doing::Fuzz(fuzzing) => {
                    fuzzing.next(link, self.counts.new, now - self.begun, &mut self.found)
                }
            }?;
            let text = text::encode(&step.values);
            if room_for_values(&step.values, text.len()) <= memory.capacity() {
                return Some((step, text));
            }
            // Only the input of the call itself is worth a larger memory.
            match &mut self.doing {
                Doing::Execute => return None,
                Doing::Shrink(shrinking) => shrinking.skip(),
                Doing::Fuzz(fuzzing) => fuzzing.skip(link, &mut self.found),
            }
        }
    }

    fn finish(&mut self, link: &mut GoLink, outcome: Option<Outcome>, now: Instant) -> Reply {
        let elapsed = now - self.begun;
        link.talked += elapsed;
        let (mut plan, mut otherwise) = (Vec::new(), Outcome::Nothing);
        match &mut self.doing {
            Doing::Execute => {}
            Doing::Shrink(shrinking) => otherwise = shrinking.outcome(&self.types),
            Doing::Fuzz(fuzzing) => plan = fuzzing.finish(link, &mut self.found),
        }
        let Counts { new: execs, other: execs_other } = self.counts;
        let ignored = std::mem::take(&mut self.ignored).into_iter().collect();
        let outcome = outcome.unwrap_or(otherwise);
        let (plan, unlooked) = (clamp(plan, execs, elapsed), Vec::new());
        Reply { execs, execs_other, elapsed, ignored, plan, unlooked, outcome }
    }

    /// Finds to tell, in their order.
    pub(in super::super) fn take_found(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.found)
    }

    /// Executions so far, those of the call in flight included.
    pub(in super::super) fn counts_with(&self, memory: &WorkerMemory) -> Counts {
        let count = memory.counts().new.min(self.limits().0);
        let Counts { new, other } = self.counts;
        match self.step.way {
            Way::AsIs { is_new: false } => Counts { new, other: other + count },
            Way::AsIs { is_new: true } | Way::Mutated { .. } => Counts { new: new + count, other },
        }
    }

    /// The input that was being executed when the process ended, if one was.
    pub(in super::super) fn input_at_death(&self, memory: &WorkerMemory) -> Option<Input> {
        if !memory.counts().is_any() {
            return None;
        }
        // What was sent is the best there is if the memory was overwritten.
        let rebuilt = self.rebuilt(memory).ok().flatten();
        let values = rebuilt.unwrap_or_else(|| self.step.values.clone());
        Some(to_memory(&self.types, &values).into())
    }

    fn rebuilt(&self, memory: &WorkerMemory) -> Result<Option<Vec<Value>>, String> {
        let call = match self.step.way {
            Way::AsIs { .. } => return Ok(Some(self.step.values.clone())),
            Way::Mutated { .. } => rebuild::Call::Fuzz,
        };
        let (header, value) = memory.picture();
        let memory = Memory { header, value: &value, capacity: memory.capacity() };
        match running(call, &self.sent, memory).map_err(|error| error.to_string())? {
            Running::Nothing => Ok(None),
            Running::Input(values) => Ok(Some(values)),
        }
    }
}

/// Every counter that was hit.
pub(super) fn features(
    snapshot: Option<&[u8]>,
) -> Result<Vec<fuzzd_core::coverage::Feature>, String> {
    let features = snapshot.map(|snapshot| coverage::features(snapshot, None)).transpose();
    features.map(Option::unwrap_or_default).map_err(|error| error.to_string())
}

/// All items together did no more than the call.
fn clamp(plan: Vec<PlanUse>, mut execs: u64, mut elapsed: Duration) -> Vec<PlanUse> {
    let items = plan.into_iter().map(|item| {
        let item = PlanUse { execs: item.execs.min(execs), elapsed: item.elapsed.min(elapsed) };
        (execs, elapsed) = (execs - item.execs, elapsed - item.elapsed);
        item
    });
    items.collect()
}

#[cfg(test)]
mod tests;

//! The two languages that workers speak, behind one face for `life`.
//!
//! Owns which is which, and nothing else: native calls are in `call`, `reply` and `finds`, Go's in
//! `go`. The core and the event loop know neither.

use std::time::Instant;

use fuzzd_core::death::{Cause, ExitStatus, OutputTail, classify};
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_core::session::{Abilities, Call, WorkerEvent};

use crate::options::Dialect;
use crate::worker::call::{self, CallLimits, CoverageLink, Pending};
use crate::worker::finds::{Drain, FindContext, FindReader};
use crate::worker::go::{self, GoLink, GoTalk, Next, Scene};
use crate::worker::memory::{Counts, WorkerMemory};
use crate::worker::ping::{Announced, Caps, PingError, ping_line, read_ping};
use crate::worker::reply::ReplyContext;
use crate::worker::target::{WorkerSettings, WorkerTarget};
use crate::worker::watch::Watch;

/// What is kept of one worker between its calls.
#[derive(Debug)]
pub(super) enum Link {
    Native {
        /// What it said of itself; nothing before it did.
        announced: Announced,
        coverage: CoverageLink,
    },
    Go(Box<GoLink>),
}

/// One call of the core, under way.
#[derive(Debug)]
pub(super) enum Talk {
    Native {
        /// What the answer means.
        pending: Pending,
        /// The finds it tells meanwhile.
        finds: FindReader,
    },
    Go(Box<GoTalk>),
}

/// A call that was sent and not answered.
#[derive(Debug)]
pub(super) struct InFlight {
    /// What was asked and what came of it so far.
    pub(super) talk: Talk,
    /// When it was sent.
    pub(super) started: Instant,
    /// Whether it gets on.
    pub(super) watch: Watch,
}

/// An answer to `Ping` that can be worked with.
pub(super) enum Pinged {
    Ready {
        counters: usize,
        can: Abilities,
    },
    /// It is another program than was probed.
    Changed,
}

/// What is known where an answer is read.
pub(super) struct AnswerContext<'a> {
    pub(super) memory: &'a WorkerMemory,
    pub(super) target: &'a WorkerTarget,
    pub(super) output: &'a dyn Fn() -> OutputTail,
    /// Nothing more is to be asked of the worker.
    pub(super) is_last: bool,
}

impl Link {
    pub(super) fn new(target: &WorkerTarget, settings: &WorkerSettings) -> Self {
        match &target.spec.dialect {
            Dialect::Native => {
                let announced = Announced::default();
                Self::Native { coverage: CoverageLink::new(&announced), announced }
            }
            Dialect::Go(go) => {
                let (max, memories) = (settings.input_bytes_max, target.memories.clone());
                let words = target.words.clone();
                let link = GoLink::new(&target.types, go.counters_max, memories, words, max);
                Self::Go(Box::new(link))
            }
        }
    }

    pub(super) fn ping_line(&self, memory: &WorkerMemory) -> Vec<u8> {
        match self {
            Self::Native { .. } => ping_line(memory, false),
            Self::Go(_) => go::ping_line(),
        }
    }

    pub(super) fn pinged(
        &mut self,
        line: &[u8],
        memory: &WorkerMemory,
        target: &WorkerTarget,
    ) -> Result<Pinged, PingError> {
        match (self, &target.spec.dialect) {
            (Self::Native { announced, coverage }, _) => {
                *announced = read_ping(line, memory)?;
                if announced.types != target.types {
                    return Ok(Pinged::Changed);
                }
                *coverage = CoverageLink::new(announced);
                let Caps { has_plans, has_fork, has_search, .. } = announced.caps;
                let can = Abilities { has_plans, has_fork, has_search };
                Ok(Pinged::Ready { counters: announced.counters, can })
            }
            (Self::Go(_), dialect) => {
                go::read_ping(line)?;
                let counters = match dialect {
                    Dialect::Go(go) => go.counters_max,
                    Dialect::Native => 0,
                };
                // Whatever it cannot do, its talk does.
                let can = Abilities { has_plans: true, has_fork: true, has_search: false };
                Ok(Pinged::Ready { counters, can })
            }
        }
    }

    /// Begins a call. The input is in memory; the line is to be sent. The error is a sentence.
    pub(super) fn begin(
        &mut self,
        call: &Call,
        memory: &WorkerMemory,
        target: &WorkerTarget,
        limits: CallLimits,
        now: Instant,
    ) -> (Talk, Result<Vec<u8>, String>) {
        match self {
            Self::Native { announced, coverage } => {
                let memories = target.memories.as_deref();
                let (line, pending) = call::encode(call, announced, coverage, memories, limits);
                let begun = memory.begin_call(&pending.input);
                let finds = FindReader::default();
                let line = begun.map(|()| line).map_err(|error| error.to_string());
                (Talk::Native { pending, finds }, line)
            }
            Self::Go(link) => {
                let (talk, line) = link.begin(call, memory, now);
                (Talk::Go(Box::new(talk)), line)
            }
        }
    }

    /// The process is another one from now on; what is known of the test stays.
    pub(super) fn restarted(&mut self) {
        match self {
            Self::Native { .. } => {}
            Self::Go(link) => link.restarted(),
        }
    }

    /// Bytes that the memory needs beyond what it has, to begin this call.
    pub(super) fn needs_more_room(&self, call: &Call, memory: &WorkerMemory) -> Option<usize> {
        match self {
            Self::Native { .. } => None,
            Self::Go(link) => {
                Some(link.room_for(&call.input)).filter(|room| *room > memory.capacity())
            }
        }
    }
}

impl InFlight {
    /// Watches what was sent just now.
    pub(super) fn watch(talk: &Talk, limits: CallLimits, now: Instant) -> Watch {
        match talk {
            Talk::Native { pending, .. } => {
                let each = pending.watched(limits.each);
                let watch = Watch::start(each, pending.counted_max(), pending.time_max, now);
                watch.after_walk(pending.walk_max)
            }
            Talk::Go(talk) => {
                let (execs_max, time_max) = talk.limits();
                Watch::start(limits.each, execs_max, time_max, now)
            }
        }
    }

    /// The executions it has done so far, as far as they can be true: new ones, and others.
    pub(super) fn executed(&self, memory: &WorkerMemory) -> (u64, u64) {
        match &self.talk {
            Talk::Native { pending, .. } => pending.clamp(memory.counts(), self.started.elapsed()),
            Talk::Go(talk) => {
                let Counts { new, other } = talk.counts_with(memory);
                (new, other)
            }
        }
    }

    /// The input that was being executed when the process ended, if one was.
    pub(super) fn input_at_death(
        &self,
        memory: &WorkerMemory,
        target: &WorkerTarget,
    ) -> Option<Input> {
        match &self.talk {
            Talk::Native { pending, .. } => pending.input_at_death(memory, &target.types),
            Talk::Go(talk) => talk.input_at_death(memory),
        }
    }

    /// Takes finds of the call. The error is a sentence on what is wrong with the next one.
    pub(super) fn drain(
        &mut self,
        link: &Link,
        memory: &WorkerMemory,
        target: &WorkerTarget,
        drain: Drain,
        events: &mut Vec<WorkerEvent>,
    ) -> Result<(), String> {
        match (&mut self.talk, link) {
            (Talk::Native { pending, finds }, Link::Native { coverage, .. }) => {
                let elapsed = self.started.elapsed();
                let types = &target.types;
                let context = FindContext { pending, memory, types, coverage, elapsed };
                finds.drain(&context, drain, events)
            }
            (Talk::Go(talk), _) => {
                events.extend(talk.take_found().into_iter().map(WorkerEvent::Found));
                Ok(())
            }
            (Talk::Native { .. }, Link::Go(_)) => Err(MIXED.into()),
        }
    }

    /// Reads the line of an answer. The error is a sentence on what is wrong with it.
    pub(super) fn answer(
        &mut self,
        link: &mut Link,
        context: &AnswerContext<'_>,
        line: &[u8],
    ) -> Result<Next, String> {
        let AnswerContext { memory, target, output, is_last } = *context;
        match (&mut self.talk, link) {
            (Talk::Native { pending, .. }, Link::Native { coverage, .. }) => {
                let types = &target.types;
                let elapsed = self.started.elapsed();
                let context = ReplyContext { pending, memory, types, coverage, elapsed, output };
                context.read(line).map(Next::Reply)
            }
            (Talk::Go(talk), Link::Go(link)) => {
                talk.answer(link, &Scene { memory, output, now: Instant::now(), is_last }, line)
            }
            (Talk::Native { .. }, Link::Go(_)) | (Talk::Go(_), Link::Native { .. }) => {
                Err(MIXED.into())
            }
        }
    }
}

/// What cannot be: both are made for the same target.
const MIXED: &str = "it is spoken to in two languages (a fault of fuzzd)";

/// What the end of a process means.
pub(super) fn death(
    dialect: &Dialect,
    status: ExitStatus,
    cause: &Cause,
    output: &OutputTail,
) -> Failure {
    match dialect {
        Dialect::Native => classify(status, cause, output),
        Dialect::Go(_) => go::of_death(status, cause, output),
    }
}

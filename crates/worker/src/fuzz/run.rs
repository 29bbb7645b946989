//! The work of one Fuzz call.
//!
//! Owns what all parts of it share, and when it is over. Everything that can end a call early comes
//! as an [`End`] on the error side, so that `?` carries it out.

use std::rc::Rc;
use std::time::{Duration, Instant};

use fuzzd_protocol::message::FuzzCall;

use super::ignored::Ignored;
use super::queue::{Origin, Queue};
use super::{CallError, End, Tally, own_seed, signatures};
use crate::clock::{Pace, wire_limit, wire_timeout};
use crate::engine::Engine;
use crate::failure;
use crate::limits::{
    BACKTRACES_PER_CALL_MAX, SOLVE_SHARE, TRIM_SHARE, VISIT_EXECS_MAX, VISIT_EXECS_MIN, VISIT_TIME,
};
use crate::mutator::{Base, Profile};
use crate::rng::Rng;
use crate::runner::Runner;

/// One call under way.
pub(super) struct Run<'r, 'a> {
    pub(super) runner: &'r mut Runner<'a>,
    pub(super) engine: &'r mut Engine<'a>,
    pub(super) queue: Queue,
    pub(super) ignored: Ignored,
    pub(super) rng: Rng,
    pub(super) call_seed: u64,
    pub(super) limit: u64,
    pub(super) len_max: usize,
    pub(super) pace: Pace,
    /// Whether decisions may follow the clock: with a limit alone the call repeats.
    pub(super) has_clock: bool,
    /// The call has a plan.
    pub(super) is_planned: bool,
    /// Executions of newly mutated inputs when the call began.
    first: u64,
    /// Records in the arena that this call may use.
    pub(super) published: usize,
    /// Arena index of each entry of the plan.
    entries: Vec<u32>,
    /// Executions of one visit.
    visit_execs: u64,
    /// Finds of the visit under way, with the position of their parent.
    pub(super) fresh: Vec<(usize, Rc<Base>)>,
}

/// Mutates and runs what the call names, until its end.
pub(super) fn mutate_and_run<'a>(
    runner: &mut Runner<'a>,
    engine: &mut Engine<'a>,
    call: &FuzzCall,
    started: Instant,
    tally: &mut Tally,
) -> End {
    let mut run = match Run::new(runner, engine, call, started) {
        Ok(run) => run,
        Err(end) => return end,
    };
    let end = match run.go() {
        Ok(never) => match never {},
        Err(end) => end,
    };
    tally.ignored = run.ignored;
    tally.unlooked = run.queue.unlooked();
    if !call.plan.is_empty() {
        tally.stats = run.queue.into_stats();
    }
    end
}

impl<'r, 'a> Run<'r, 'a> {
    pub(super) fn new(
        runner: &'r mut Runner<'a>,
        engine: &'r mut Engine<'a>,
        call: &FuzzCall,
        started: Instant,
    ) -> Result<Self, End> {
        let signatures = signatures(call)?;
        runner.ignored.clone_from(&signatures);
        failure::begin_call(&signatures, BACKTRACES_PER_CALL_MAX);

        let limit = wire_limit(call.limit);
        if runner.count >= limit {
            return Err(CallError::CountBeyondLimit { count: runner.count, limit }.into());
        }
        let capacity = runner.memory.capacity();
        let len_max = call.max_len.map_or(capacity, |len| usize::try_from(len).unwrap_or(capacity));
        let call_seed = call.seed.unwrap_or_else(own_seed);
        engine.begin_call(call_seed, Profile::named(call.profile.as_deref()), &runner.seen);
        let timeout = wire_timeout(call.timeout_ns);
        let first = runner.count;
        let mut run = Self {
            published: engine.arena.as_ref().map_or(0, crate::shared::Arena::len),
            runner,
            engine,
            queue: Queue::default(),
            ignored: Ignored::new(signatures),
            rng: Rng::new(call_seed),
            call_seed,
            limit,
            len_max: len_max.min(capacity),
            pace: Pace::new(timeout, started),
            has_clock: timeout.is_some(),
            is_planned: !call.plan.is_empty(),
            first,
            entries: call.plan.iter().map(|item| item.entry).collect(),
            visit_execs: if timeout.is_some() { VISIT_EXECS_MIN } else { VISIT_EXECS_MAX },
            fresh: Vec::new(),
        };
        run.fill(call)?;
        Ok(run)
    }

    /// The members of the call: its plan, or the value in memory.
    fn fill(&mut self, call: &FuzzCall) -> Result<(), End> {
        if call.plan.is_empty() {
            let value = self.runner.given()?;
            let base = Base::new(&self.engine.types, value);
            let (needed, capacity) = (base.bytes().len(), self.runner.memory.capacity());
            if needed > capacity {
                return Err(CallError::NoRoom { needed, capacity }.into());
            }
            self.queue.add_planned(1, false, Some(Rc::new(base)));
        }
        for item in &call.plan {
            let base = self.engine.library.get(item.entry);
            if base.is_none() && item.entry as usize >= self.published {
                return Err(CallError::NoSuchEntry(item.entry).into());
            }
            self.queue.add_planned(item.weight, item.is_new, base);
        }
        Ok(())
    }

    /// Goes from visit to visit. Only an end ends it.
    fn go(&mut self) -> Result<std::convert::Infallible, End> {
        loop {
            if self.is_over() {
                return Err(End::Over);
            }
            let position = self.queue.pick(&mut self.rng);
            let (before, started) = (self.runner.count, self.clock());
            let visited = self.look_at(position);
            let execs = self.runner.count - before;
            let took = started.map_or(Duration::ZERO, |started| started.elapsed());
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.book(position, execs, nanos);
            visited?;
        }
    }

    /// Makes a member ready if it is not, and visits it.
    fn look_at(&mut self, position: usize) -> Result<(), End> {
        let member = self.queue.member(position);
        let ready = match &member.base {
            Some(base) if !member.is_new => Ok(Rc::clone(base)),
            Some(_) | None => self.make_ready(position),
        };
        let visited = ready.and_then(|base| self.visit(position, base, self.visit_execs));
        // Also those of a call that is over: they count, and somebody has to look at them.
        if !self.fresh.is_empty() {
            self.engine.follow(&self.runner.seen);
        }
        for (parent, base) in std::mem::take(&mut self.fresh) {
            self.queue.add_find(parent, base);
        }
        visited
    }

    /// Books what a visit cost, and sets the size of the next: as many executions as fit into a
    /// millisecond or two.
    fn book(&mut self, position: usize, execs: u64, nanos: u64) {
        self.queue.charge(position, execs, nanos);
        let before = self.engine.execs;
        self.engine.execs += execs;
        // Visits of slow fuzz tests are shorter than the shares are wide: they add up all the same.
        let earned = |share: u64| self.engine.execs / share - before / share;
        let (trim, solve) = (earned(TRIM_SHARE), earned(SOLVE_SHARE));
        self.engine.trim_left = self.engine.trim_left.saturating_add(trim);
        self.engine.solve_left = self.engine.solve_left.saturating_add(solve);
        if self.has_clock && execs > 0 {
            let visit_nanos = u64::try_from(VISIT_TIME.as_nanos()).unwrap_or(u64::MAX);
            let fits = visit_nanos / (nanos / execs).max(1);
            self.visit_execs = fits.clamp(VISIT_EXECS_MIN, VISIT_EXECS_MAX);
        }
    }

    /// Now, if decisions may follow the clock.
    pub(super) fn clock(&self) -> Option<Instant> {
        self.has_clock.then(Instant::now)
    }

    /// Whether no further mutated input may run.
    #[inline]
    pub(super) fn is_over(&mut self) -> bool {
        // A call that was slow to begin still runs one input: it must not be taken for an idle one.
        self.runner.count >= self.limit
            || self.runner.must_stop()
            || (self.runner.count > self.first && self.pace.is_over())
    }

    /// The index in the arena of a member that comes from the plan.
    pub(super) fn entry(&self, origin: Origin) -> Option<u32> {
        match origin {
            Origin::Plan(position) => self.entries.get(position as usize).copied(),
            Origin::Found(_) => None,
        }
    }
}

//! The simulated world: a clock, a line of things to come, fake workers and a fake disk around one
//! session. It checks that every effect is legal, and shows everything to the oracle.

mod ends;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{CommitToken, Epoch, TestIndex, WorkerId};
use fuzzd_core::session::{
    Abilities, Call, Death, Effect, Event, Pace, Session, StopRequest, StopRequestKind, WorkerEvent,
};
use fuzzd_core::signature::FailureKind;

use crate::calls::{Answer, History, Worker};
use crate::dice::{Dice, hash};
use crate::disk::Disk;
use crate::faults::{NO_FAULTS, distort, distort_found};
use crate::oracle::Oracle;
use crate::plan::{Plan, millis};
use crate::process::{InFlight, Process};
use crate::seen::Seen;
use crate::target::Starts;
use crate::trace::Trace;

/// Bounds of one run; a run that passes one does not end.
const STEPS_MAX: u64 = 400_000;
const TIME_MAX: Duration = Duration::from_secs(900);
const TICK: Duration = Duration::from_millis(100);

/// Something that will happen.
#[derive(Debug, Clone)]
enum Item {
    Tick,
    Signal(StopRequest),
    Jump(Duration),
    /// To the process of that epoch, if it still is there.
    Start(WorkerId, Epoch, WorkerEvent),
    /// The next find of this call is told.
    Finds(WorkerId, Epoch, u64),
    CallEnds(WorkerId, Epoch, u64),
    DiesIdle(WorkerId, Epoch),
    Dead(WorkerId, Epoch),
    StopEnds(WorkerId, Epoch),
    /// As it is, whoever is there.
    Stale(Event),
    DiskAnswers(CommitToken),
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    dice: Dice,
    /// Virtual time without jumps.
    now: Duration,
    skew: Duration,
    queue: BTreeMap<(Duration, u64), Item>,
    scheduled: u64,
    session: Session,
    slots: Vec<Option<Process>>,
    epochs: Vec<Epoch>,
    calls: u64,
    history: History,
    disk: Disk,
    oracle: Oracle,
    pub(crate) trace: Trace,
    is_finished: bool,
    seen: Seen,
}

impl World {
    pub(crate) fn new(plan: Plan, trace: Trace) -> Self {
        let workers = plan.config.workers;
        Self {
            dice: Dice::new(hash(&[plan.seed, 7])),
            now: Duration::ZERO,
            skew: plan.clock_start,
            queue: BTreeMap::new(),
            scheduled: 0,
            session: Session::new(plan.config.clone()),
            slots: (0..workers).map(|_| None).collect(),
            epochs: vec![Epoch(0); workers],
            calls: 0,
            history: History::default(),
            disk: Disk::new(plan.disk.clone()),
            oracle: Oracle::new(&plan),
            trace,
            is_finished: false,
            seen: Seen::default(),
            plan,
        }
    }

    /// Runs the session to its end.
    pub(crate) fn run(mut self) -> Seen {
        self.at(Duration::ZERO, Item::Tick);
        for (at, request) in self.plan.signals.clone() {
            self.at(at, Item::Signal(request));
        }
        for (at, by) in self.plan.jumps.clone() {
            self.at(at, Item::Jump(by));
        }
        let mut steps = 0;
        while !self.is_finished {
            let ((at, _), item) = self.queue.pop_first().expect("ticks never end");
            self.now = self.now.max(at);
            self.happen(item);
            steps += 1;
            assert!(steps < STEPS_MAX, "the run does not end: {steps} steps");
            assert!(self.now < TIME_MAX, "the run does not end: {:?}", self.now);
        }
        self.after_the_end();
        self.seen
    }

    /// Nothing that comes after the end has an effect.
    fn after_the_end(&mut self) {
        for item in [Item::Tick, Item::Signal(StopRequest::Immediate)] {
            self.now += millis(1);
            self.happen(item);
        }
    }

    fn at(&mut self, at: Duration, item: Item) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), item);
    }

    fn after(&mut self, delay: Duration, item: Item) {
        self.at(self.now + delay, item);
    }

    fn faulty(&self) -> bool {
        self.now < self.plan.faults_end
    }

    fn fault(&mut self, chance: u64) -> bool {
        self.faulty() && self.dice.per_mille(chance)
    }

    fn process(&mut self, worker: WorkerId, epoch: Epoch) -> Option<&mut Process> {
        self.slots[worker.0].as_mut().filter(|process| process.epoch == epoch)
    }

    fn happen(&mut self, item: Item) {
        match item {
            Item::Tick => {
                self.after(TICK, Item::Tick);
                self.give(Event::Tick);
            }
            Item::Signal(request) => {
                self.oracle.signal(request, self.now);
                self.give(Event::Stop(request));
            }
            Item::Jump(by) => self.skew += by,
            Item::Stale(event) => self.give(event),
            Item::DiskAnswers(token) => {
                let (event, durable) = self.disk.answer(self.now, token);
                if let Some(record) = &durable {
                    self.oracle.stored(record);
                }
                if durable.is_some() && self.fault(self.plan.faults.stale_events) {
                    let reason = "late".into();
                    let stored = Event::Stored { token, path: None };
                    let late = self.dice.pick(&[stored, Event::StoreFailed { token, reason }]);
                    self.after(millis(30), Item::Stale(late));
                }
                self.give(event);
            }
            Item::Start(worker, epoch, event) => self.start(worker, epoch, event),
            Item::Finds(worker, epoch, number) => self.tell_found(worker, epoch, number, 1),
            Item::CallEnds(worker, epoch, number) => self.call_ends(worker, epoch, number),
            Item::DiesIdle(worker, epoch) => {
                if let Some(process) = self.process(worker, epoch)
                    && process.in_flight.is_none()
                    && process.is_ready
                {
                    process.is_dead = true;
                    let delay = millis(self.dice.below(20));
                    self.after(delay, Item::Dead(worker, epoch));
                }
            }
            Item::Dead(worker, epoch) => {
                if self.process(worker, epoch).is_some() {
                    let failure = Failure::new(FailureKind::Exit(1), "", "it left", "");
                    let death = Death { failure, input: None, execs: 0, execs_other: 0 };
                    self.leave(worker, epoch, WorkerEvent::Died(death));
                }
            }
            Item::StopEnds(worker, epoch) => self.stop_ends(worker, epoch),
        }
    }

    fn start(&mut self, worker: WorkerId, epoch: Epoch, event: WorkerEvent) {
        let chance = self.plan.faults.dies_idle;
        let Some(process) = self.process(worker, epoch) else { return };
        match event {
            WorkerEvent::StartFailed { .. } => self.leave(worker, epoch, event),
            ready => {
                process.is_ready = true;
                if self.fault(chance) {
                    self.after(millis(1), Item::DiesIdle(worker, epoch));
                }
                self.give_worker(worker, epoch, ready);
            }
        }
    }

    fn give_worker(&mut self, worker: WorkerId, epoch: Epoch, event: WorkerEvent) {
        self.give(Event::Worker { worker, epoch, event });
    }

    /// Gives the core an event and carries out what it wants.
    fn give(&mut self, event: Event) {
        let now = self.now + self.skew;
        self.trace.event(self.now, &event);
        let effects = self.session.handle(now, event);
        let was_finished = self.is_finished;
        assert!(!was_finished || effects.is_empty(), "effects after the end: {effects:?}");
        let mut called = BTreeSet::new();
        for effect in effects {
            self.comes_in_order(&effect, &mut called);
            assert!(!self.is_finished, "an effect after Finish: {effect:?}");
            self.trace.effect(self.now, &effect);
            self.carry_out(effect);
        }
        self.oracle.check_published();
        if !self.is_finished {
            self.oracle.check_idle(&self.slots, &self.disk, self.now, now);
        }
    }

    /// What the workers of a test are shown comes before their calls.
    fn comes_in_order(&self, effect: &Effect, called: &mut BTreeSet<TestIndex>) {
        match effect {
            Effect::Call { worker, .. } => {
                let process = self.slots[worker.0].as_ref().expect("a call to an empty slot");
                called.insert(process.test);
            }
            Effect::PublishCoverage { test, .. } | Effect::PublishEntry { test, .. } => {
                assert!(!called.contains(test), "shown after a call of the same event: {effect:?}");
            }
            Effect::Spawn { .. }
            | Effect::StopWorker { .. }
            | Effect::Commit { .. }
            | Effect::Report(_)
            | Effect::Finish => {}
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { worker, epoch, test } => self.spawn(worker, epoch, test),
            Effect::Call { worker, epoch, call } => self.call(worker, epoch, call),
            Effect::StopWorker { worker, epoch, how } => self.stop(worker, epoch, how),
            Effect::Commit { token, record } => {
                self.oracle.commit(token, &record);
                self.seen.record(&record);
                if let Some(delay) = self.disk.begin(self.now, token, record, &mut self.dice) {
                    self.after(delay, Item::DiskAnswers(token));
                }
            }
            Effect::PublishCoverage { test, features } => {
                self.oracle.publish_coverage(test, &features);
            }
            Effect::PublishEntry { test, index, input } => {
                self.oracle.publish_entry(test, index, input);
            }
            Effect::Report(report) => {
                self.seen.report(&report);
                self.oracle.report(&report, self.now + self.skew);
            }
            Effect::Finish => {
                assert!(self.slots.iter().all(Option::is_none), "finished with workers alive");
                self.oracle.finish(&self.disk, self.now);
                self.is_finished = true;
            }
        }
    }

    fn spawn(&mut self, worker: WorkerId, epoch: Epoch, test: TestIndex) {
        assert!(self.slots[worker.0].is_none(), "{worker:?} is spawned on top of a process");
        assert!(epoch > self.epochs[worker.0], "{worker:?}: epoch {epoch:?} is not new");
        self.epochs[worker.0] = epoch;
        let target = &self.plan.targets[test.0];
        let (starts, counters) = (target.starts, target.counters);
        let draw = hash(&[self.plan.seed, worker.0 as u64, epoch.0]) % 100;
        let has_plans = draw < self.plan.plans_percent;
        let (has_fork, has_search) = (draw % 10 < 7, draw / 10 % 10 < 8);
        let can = Abilities { has_plans, has_fork, has_search };
        self.slots[worker.0] = Some(Process::new(epoch, test, counters, can));
        let fails = starts == Starts::Never || self.fault(self.plan.faults.start_fails);
        let event = if fails {
            WorkerEvent::StartFailed { reason: "no such file".into() }
        } else {
            let counters = counters + usize::from(starts == Starts::Changed);
            WorkerEvent::Ready { pid: 1, counters, can }
        };
        let delay = millis(self.dice.range(1, 30));
        self.after(delay, Item::Start(worker, epoch, event));
    }

    fn call(&mut self, worker: WorkerId, epoch: Epoch, call: Call) {
        let process = self.slots[worker.0].as_mut().expect("a call to an empty slot");
        assert_eq!(process.epoch, epoch, "a call to a process that is gone");
        assert!(process.is_idle(), "a call to a process that is not idle: {process:?}");
        self.oracle.call(process, &call, self.now + self.skew);
        let clock = self.now + self.skew;
        let process = self.slots[worker.0].as_ref().expect("as above");
        self.oracle.check_search(process, &call, &self.slots, clock);
        let process = self.slots[worker.0].as_mut().expect("as above");
        self.seen.call(&call);
        process.told.add(&call.coverage);
        let Answer { mut found, event, takes } = Worker {
            target: &self.plan.targets[process.test.0],
            test: process.test,
            told: &process.told,
            has_plans: process.can.has_plans,
            search_execs_max: self.plan.search_execs_max,
            published: self.oracle.published(process.test),
            hang_time: self.plan.hang_time,
            history: &mut self.history,
        }
        .carry_out(&call);
        let is_first = process.calls == 0;
        process.calls += 1;
        let target = &self.plan.targets[process.test.0];
        let faults = if self.now < self.plan.faults_end { &self.plan.faults } else { &NO_FAULTS };
        let event = distort(event, &call, target, faults, &mut self.dice);
        distort_found(&mut found, target, faults, &mut self.dice);
        let takes = takes + Duration::from_micros(self.dice.below(500));
        self.calls += 1;
        let number = self.calls;
        let process = self.slots[worker.0].as_mut().expect("as above");
        let (is_dead, finds) = (process.is_dead, found.len());
        let (found, told) = (found.into(), 0);
        process.in_flight = Some(InFlight { number, call, is_first, found, told, answer: event });
        if !is_dead {
            if self.plan.config.pace == Pace::Clock {
                for _ in 0..finds {
                    let micros = u64::try_from(takes.as_micros()).expect("a short time");
                    let at = Duration::from_micros(self.dice.below(micros + 1));
                    self.after(at, Item::Finds(worker, epoch, number));
                }
            }
            self.after(takes, Item::CallEnds(worker, epoch, number));
        }
    }

    fn stop(&mut self, worker: WorkerId, epoch: Epoch, how: StopRequestKind) {
        let Some(process) = self.process(worker, epoch) else {
            panic!("{worker:?} {epoch:?} is stopped, but there is no such process");
        };
        assert!(process.stop(how), "{worker:?} {epoch:?} is stopped again the same way");
        let is_busy = process.in_flight.is_some();
        self.oracle.stopped(worker, &self.slots);
        let delay = match how {
            StopRequestKind::Kill => self.dice.range(1, 20),
            StopRequestKind::Ladder if self.fault(self.plan.faults.stubborn) => 2_050,
            StopRequestKind::Ladder if is_busy => self.dice.range(1, 300),
            StopRequestKind::Ladder => self.dice.range(1, 50),
        };
        self.after(millis(delay), Item::StopEnds(worker, epoch));
    }
}

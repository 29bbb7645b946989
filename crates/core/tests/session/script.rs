//! A session on a stage: the test plays the workers, the script answers the rest.

mod told;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{CommitToken, Epoch, Input, TestIndex, WorkerId};
use fuzzd_core::limits::CONFIRM_RUNS;
use fuzzd_core::session::{
    Abilities, Call, Death, Effect, Event, Found, LoadedBug, LoadedEntry, Origin, Outcome, Pace,
    PlanUse, Record, Reply, Report, Session, SessionConfig, StopRequest, TestConfig, Work,
    WorkerEvent,
};
use fuzzd_core::signature::{FailureKind, Signature};

pub(crate) const COUNTERS: usize = 16;

/// Events of one script; one that needs more does not end.
const EVENTS_MAX: usize = 20_000;

/// Options of a script; one test, one worker and no budget unless said otherwise.
pub(crate) fn config() -> SessionConfig {
    SessionConfig {
        seed: 1,
        pace: Pace::Clock,
        workers: 1,
        execs_max: None,
        time_max: None,
        fail_fast: false,
        minimize: true,
        minimize_timeouts: false,
        tests: vec![test()],
    }
}

/// A test with one measured entry, so that it is fuzzed at once.
pub(crate) fn test() -> TestConfig {
    let entry = entry(b"measured", Origin::Corpus, Some(vec![(0, 1)]));
    TestConfig {
        name: "test".into(),
        counters: COUNTERS,
        functions: Vec::new(),
        entries: vec![entry],
        bugs: Vec::new(),
        execs_before: 0,
        given_up: None,
        is_skipped: false,
    }
}

pub(crate) fn entry(input: &[u8], origin: Origin, coverage: Option<Vec<Feature>>) -> LoadedEntry {
    LoadedEntry { input: input.into(), origin, coverage }
}

pub(crate) fn failure(kind: FailureKind, location: &str) -> Failure {
    Failure::new(kind, location, "it failed", "")
}

pub(crate) fn panic_at(line: u32) -> Failure {
    failure(FailureKind::Panic, &format!("src/lib.rs:{line}:1"))
}

pub(crate) fn bug(failure: &Failure, input: &[u8], is_pending: bool) -> LoadedBug {
    LoadedBug {
        signature: failure.signature(),
        kind: failure.kind,
        message: failure.message.clone(),
        input: input.into(),
        path: Some(PathBuf::from("testdata/known")),
        reproduced: 2,
        runs: 3,
        is_pending,
        is_doubtful: false,
    }
}

pub(crate) fn failed(input: &[u8], failure: Failure) -> Outcome {
    Outcome::Failed { input: input.into(), failure }
}

pub(crate) fn find(input: &[u8], coverage: &[Feature]) -> Outcome {
    Outcome::Find { input: input.into(), coverage: coverage.to_vec() }
}

pub(crate) fn minimized(input: &[u8], coverage: &[Feature]) -> Outcome {
    Outcome::Minimized { input: input.into(), coverage: coverage.to_vec() }
}

pub(crate) fn passed(coverage: &[Feature]) -> Outcome {
    Outcome::Passed { coverage: coverage.to_vec() }
}

/// How the stage answers commits by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskMode {
    Stores,
    Holds,
    Refuses,
}

pub(crate) struct Stage {
    session: Session,
    pub(crate) now: Duration,
    pub(crate) disk: DiskMode,
    /// Tests whose processes fail to start.
    pub(crate) broken: Vec<TestIndex>,
    /// Slots whose processes fail to start.
    pub(crate) broken_slots: Vec<usize>,
    pub(crate) calls: BTreeMap<usize, (Epoch, TestIndex, Call)>,
    tests: BTreeMap<(usize, Epoch), TestIndex>,
    pub(crate) held: VecDeque<(CommitToken, Record)>,
    /// Everything stored, in order.
    pub(crate) stored: Vec<Record>,
    pub(crate) reports: Vec<Report>,
    /// Processes started, in order.
    pub(crate) spawned: Vec<(usize, TestIndex)>,
    /// Whether processes take plans.
    pub(crate) has_plans: bool,
    /// Workers can fork.
    pub(crate) has_fork: bool,
    /// Workers can do a part of a search.
    pub(crate) has_search: bool,
    /// What the next answer says of its plan.
    pub(crate) uses: Vec<PlanUse>,
    /// Finds that the next answer says it did not look at.
    pub(crate) unlooked: Vec<usize>,
    /// Whether processes that are to end wait for `end_stops`.
    pub(crate) holds_stops: bool,
    pub(crate) stopping: Vec<(WorkerId, Epoch)>,
    /// Coverage shown to the workers, and entries by test.
    pub(crate) shown: Vec<Feature>,
    pub(crate) published: BTreeMap<TestIndex, Vec<Input>>,
    pub(crate) is_finished: bool,
    queue: VecDeque<Event>,
    events: usize,
}

impl Stage {
    /// Starts the session and brings its workers up.
    pub(crate) fn start(config: SessionConfig) -> Self {
        Self::start_with(config, |_| {})
    }

    pub(crate) fn start_with(config: SessionConfig, prepare: impl FnOnce(&mut Self)) -> Self {
        let mut stage = Self {
            session: Session::new(config),
            now: Duration::ZERO,
            disk: DiskMode::Stores,
            broken: Vec::new(),
            broken_slots: Vec::new(),
            calls: BTreeMap::new(),
            tests: BTreeMap::new(),
            held: VecDeque::new(),
            stored: Vec::new(),
            reports: Vec::new(),
            spawned: Vec::new(),
            has_plans: false,
            has_fork: false,
            has_search: false,
            uses: Vec::new(),
            unlooked: Vec::new(),
            holds_stops: false,
            stopping: Vec::new(),
            shown: Vec::new(),
            published: BTreeMap::new(),
            is_finished: false,
            queue: VecDeque::new(),
            events: 0,
        };
        prepare(&mut stage);
        stage.give(Event::Tick);
        stage
    }

    /// Gives an event, and answers everything but calls until nothing is left to answer.
    pub(crate) fn give(&mut self, event: Event) {
        self.queue.push_back(event);
        while let Some(event) = self.queue.pop_front() {
            self.events += 1;
            assert!(self.events < EVENTS_MAX, "the script does not end");
            if let Event::Stored { token, .. } | Event::StoreFailed { token, .. } = &event {
                let at = self.held.iter().position(|(held, _)| held == token);
                let (_, record) = self.held.remove(at.expect("held")).expect("at its position");
                if let Event::Stored { .. } = event {
                    self.stored.push(record);
                }
            }
            for effect in self.session.handle(self.now, event) {
                self.answer(effect);
            }
        }
    }

    /// A Fuzz call ends after one execution, and after failures that were ignored.
    pub(crate) fn ignore(&mut self, worker: usize, execs: u64, ignored: Vec<(Signature, u64)>) {
        let (epoch, _, _) = self.calls.remove(&worker).expect("the worker has a call");
        let (elapsed, outcome) = (Duration::from_millis(1), Outcome::Nothing);
        let (plan, unlooked) = (Vec::new(), Vec::new());
        let reply = Reply { execs, execs_other: 0, elapsed, ignored, plan, unlooked, outcome };
        let event = WorkerEvent::Replied(reply);
        self.give(Event::Worker { worker: WorkerId(worker), epoch, event });
    }

    fn answer(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { worker, epoch, test } => {
                self.spawned.push((worker.0, test));
                self.tests.insert((worker.0, epoch), test);
                let event = if self.broken.contains(&test) || self.broken_slots.contains(&worker.0)
                {
                    WorkerEvent::StartFailed { reason: "no such file".into() }
                } else {
                    let (has_plans, has_fork) = (self.has_plans, self.has_fork);
                    let can = Abilities { has_plans, has_fork, has_search: self.has_search };
                    WorkerEvent::Ready { pid: 1, counters: COUNTERS, can }
                };
                self.queue.push_back(Event::Worker { worker, epoch, event });
            }
            Effect::Call { worker, epoch, call } => {
                let test = self.tests[&(worker.0, epoch)];
                self.calls.insert(worker.0, (epoch, test, call));
            }
            Effect::StopWorker { worker, epoch, .. } => {
                self.calls.remove(&worker.0);
                if self.holds_stops {
                    self.stopping.push((worker, epoch));
                    return;
                }
                let event = WorkerEvent::Stopped { execs: 0 };
                self.queue.push_back(Event::Worker { worker, epoch, event });
            }
            Effect::Commit { token, record } => {
                self.held.push_back((token, record));
                match self.disk {
                    DiskMode::Stores => self.queue.push_back(stored(token)),
                    DiskMode::Refuses => {
                        let reason = "no space left on device".into();
                        self.queue.push_back(Event::StoreFailed { token, reason });
                    }
                    DiskMode::Holds => {}
                }
            }
            Effect::PublishCoverage { features, .. } => {
                self.shown.extend(features);
            }
            Effect::PublishEntry { test, index, input } => {
                let shown = self.published.entry(test).or_default();
                assert_eq!(shown.len(), index as usize, "one after the other");
                shown.push(input);
            }
            Effect::Report(report) => self.reports.push(report),
            Effect::Finish => self.is_finished = true,
        }
    }

    /// The call a worker is in.
    pub(crate) fn call(&self, worker: usize) -> &Call {
        &self.calls.get(&worker).expect("the worker has a call").2
    }

    pub(crate) fn work(&self, worker: usize) -> &Work {
        &self.call(worker).work
    }

    /// Asserts that a worker was sent `Execute` with this input.
    pub(crate) fn expect_execute(&self, worker: usize, input: &[u8]) {
        assert_eq!(*self.work(worker), Work::Execute);
        assert_eq!(&*self.call(worker).input, input);
    }

    /// Answers the call of a worker, one execution later.
    pub(crate) fn reply(&mut self, worker: usize, outcome: Outcome) {
        self.reply_after(worker, 1, Duration::from_millis(1), outcome);
    }

    pub(crate) fn reply_after(
        &mut self,
        worker: usize,
        execs: u64,
        elapsed: Duration,
        outcome: Outcome,
    ) {
        self.now += elapsed;
        let (epoch, _, call) = self.calls.remove(&worker).expect("the worker has a call");
        let is_fuzz = matches!(call.work, Work::Fuzz { .. });
        let (execs, execs_other) = if is_fuzz { (execs, 0) } else { (0, execs) };
        let (ignored, plan) = (Vec::new(), std::mem::take(&mut self.uses));
        let unlooked = std::mem::take(&mut self.unlooked);
        let reply = Reply { execs, execs_other, elapsed, ignored, plan, unlooked, outcome };
        let event = WorkerEvent::Replied(reply);
        self.give(Event::Worker { worker: WorkerId(worker), epoch, event });
    }

    /// The worker tells a find while its call goes on.
    pub(crate) fn tell(&mut self, worker: usize, found: Found) {
        let epoch = self.calls.get(&worker).expect("the worker has a call").0;
        self.give_found(worker, epoch, found);
    }

    /// The same, also when its call is over for the stage.
    pub(crate) fn give_found(&mut self, worker: usize, epoch: Epoch, found: Found) {
        let event = WorkerEvent::Found(found);
        self.give(Event::Worker { worker: WorkerId(worker), epoch, event });
    }

    /// A Fuzz call ends with a survivable crash; the call that was sent while the disk wrote it
    /// ends with nothing.
    pub(crate) fn crash(&mut self, worker: usize, input: &[u8], failure: Failure) {
        self.reply(worker, failed(input, failure));
        self.reply(worker, Outcome::Nothing);
    }

    /// Confirms a crash in all its runs; the Fuzz call that was sent while the disk wrote the
    /// verdict ends with nothing.
    pub(crate) fn confirm(&mut self, worker: usize, input: &[u8], failure: &Failure) {
        for _ in 0..CONFIRM_RUNS {
            self.expect_execute(worker, input);
            self.reply(worker, failed(input, failure.clone()));
        }
        if matches!(self.calls.get(&worker), Some((_, _, Call { work: Work::Fuzz { .. }, .. }))) {
            self.reply(worker, Outcome::Nothing);
        }
    }

    /// The worker dies while it executes `input`.
    pub(crate) fn die(&mut self, worker: usize, input: &[u8], failure: Failure) {
        self.now += Duration::from_millis(1);
        let (epoch, _, _) = self.calls.remove(&worker).expect("the worker has a call");
        let input = Some(Input::from(input));
        let event = WorkerEvent::Died(Death { failure, input, execs: 1, execs_other: 0 });
        self.give(Event::Worker { worker: WorkerId(worker), epoch, event });
    }

    /// Lets time pass, with its ticks.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = until.min(self.now + Duration::from_millis(100));
            self.give(Event::Tick);
        }
    }

    /// Answers a call whose worker is told to end already.
    pub(crate) fn answer_stopping(&mut self, worker: usize, epoch: Epoch, outcome: Outcome) {
        let (elapsed, ignored) = (Duration::from_millis(1), Vec::new());
        let (plan, unlooked) = (Vec::new(), Vec::new());
        let reply = Reply { execs: 1, execs_other: 0, elapsed, ignored, plan, unlooked, outcome };
        let event = WorkerEvent::Replied(reply);
        self.give(Event::Worker { worker: WorkerId(worker), epoch, event });
    }

    /// The processes that were told to end are gone.
    pub(crate) fn end_stops(&mut self) {
        self.holds_stops = false;
        for (worker, epoch) in std::mem::take(&mut self.stopping) {
            let event = WorkerEvent::Stopped { execs: 0 };
            self.give(Event::Worker { worker, epoch, event });
        }
    }

    pub(crate) fn signal(&mut self, request: StopRequest) {
        self.give(Event::Stop(request));
    }

    /// Answers all commits that are held back, those that follow included.
    pub(crate) fn store_all(&mut self) {
        self.disk = DiskMode::Stores;
        while let Some((token, _)) = self.held.front() {
            let token = *token;
            self.give(stored(token));
        }
    }
}

fn stored(token: CommitToken) -> Event {
    Event::Stored { token, path: Some(PathBuf::from(format!("testdata/{}", token.0))) }
}

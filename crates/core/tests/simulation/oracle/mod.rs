//! What must hold, checked against what the fake workers and the fake disk really did.
//!
//! Owns a plain second account of the run: what was answered (`answered`), what is on the disk
//! (`records`), what people were told (`reports`), and whether the run gets on (`progress`).

mod answers;
mod finds;
mod progress;
mod records;
mod reports;
mod searches;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input, TestIndex};
use fuzzd_core::session::{Origin, SessionConfig, StopRequest, Verdict};
use fuzzd_core::signature::Signature;

use crate::bits::Bits;
use crate::plan::Plan;

/// The account of one test.
#[derive(Debug)]
pub(crate) struct TestAccount {
    execs_before: u64,
    execs: u64,
    /// Inputs that may run in warm-up, and where they come from (`None`: of a bug alone).
    warmup: BTreeMap<Input, Option<Origin>>,
    /// Inputs that were there before the session, bugs' inputs included.
    loaded: BTreeSet<EntryId>,
    bugs: BTreeMap<Signature, (Input, bool)>,
    /// Coverage the core must have merged, and all it may have merged.
    sure: Bits,
    maybe: Bits,
    /// Coverage that something on the disk has.
    durable: Bits,
    /// Coverage an entry showed later than when it became one: a target that is not deterministic.
    unsteady: Bits,
    counters: usize,
    /// Coverage and entries that workers were shown.
    published: Bits,
    entries: Vec<Input>,
    /// Entries that were committed in this event and are not shown yet.
    unshown: BTreeSet<EntryId>,
    /// Union of what any process was told.
    told: Bits,
    /// Snapshots answered for an input.
    answered: BTreeMap<Input, Vec<Vec<Feature>>>,
    crashes: BTreeMap<Signature, BTreeSet<Input>>,
    /// Signatures first met as an input of testdata or state that fails.
    known_first: BTreeSet<Signature>,
    /// Bugs of before whose input passed, or failed as something else.
    passing: BTreeSet<Signature>,
    /// Executions in processes that ran nothing before: how many, and what they failed with.
    fresh_runs: BTreeMap<Input, Vec<Option<Signature>>>,
    committed: BTreeSet<EntryId>,
    stored_entries: BTreeSet<EntryId>,
    stored_crashes: BTreeMap<Signature, BTreeSet<Input>>,
    stored_verdicts: BTreeMap<Signature, Vec<(Input, Verdict)>>,
    reported: BTreeSet<Signature>,
    reported_known: BTreeSet<Signature>,
    is_warm: bool,
    is_given_up: bool,
}

impl TestAccount {
    fn new(plan: &Plan, number: usize) -> Self {
        let config = &plan.config.tests[number];
        let mut warmup = BTreeMap::from([(Input::from(Vec::new()), None)]);
        let mut sure = Bits::new(config.counters);
        let mut loaded = BTreeSet::new();
        for bug in config.bugs.iter().filter(|bug| !bug.is_pending) {
            warmup.insert(bug.input.clone(), None);
            loaded.insert(EntryId::of(&bug.input));
        }
        let is_of_bug =
            |input: &Input| config.bugs.iter().any(|bug| !bug.is_pending && bug.input == *input);
        for entry in &config.entries {
            loaded.insert(EntryId::of(&entry.input));
            match &entry.coverage {
                // The input of a bug runs in warm-up, whatever is known of it.
                Some(coverage) if !is_of_bug(&entry.input) => sure.add(coverage),
                Some(_) => {}
                None => {
                    warmup.insert(entry.input.clone(), Some(entry.origin.clone()));
                }
            }
        }
        let bugs = config.bugs.iter();
        Self {
            execs_before: config.execs_before,
            execs: 0,
            warmup,
            loaded,
            bugs: bugs.map(|bug| (bug.signature, (bug.input.clone(), bug.is_pending))).collect(),
            maybe: sure.clone(),
            durable: sure.clone(),
            sure,
            unsteady: Bits::new(config.counters),
            told: Bits::new(config.counters),
            counters: config.counters,
            published: Bits::new(config.counters),
            entries: Vec::new(),
            unshown: BTreeSet::new(),
            answered: BTreeMap::new(),
            crashes: BTreeMap::new(),
            known_first: BTreeSet::new(),
            passing: BTreeSet::new(),
            fresh_runs: BTreeMap::new(),
            committed: BTreeSet::new(),
            stored_entries: BTreeSet::new(),
            stored_crashes: BTreeMap::new(),
            stored_verdicts: BTreeMap::new(),
            reported: BTreeSet::new(),
            reported_known: BTreeSet::new(),
            is_warm: false,
            is_given_up: false,
        }
    }

    /// Whether a crash with this signature is on the disk.
    fn is_crash_durable(&self, signature: Signature) -> bool {
        self.stored_crashes.contains_key(&signature) || self.bugs.contains_key(&signature)
    }

    fn is_known(&self, signature: Signature) -> bool {
        self.bugs.get(&signature).is_some_and(|(_, is_pending)| !is_pending)
    }
}

#[derive(Debug)]
pub(crate) struct Oracle {
    config: SessionConfig,
    tests: Vec<TestAccount>,
    execs: u64,
    reserved: u64,
    started_at: Option<Duration>,
    graceful_at: Option<Duration>,
    immediate_at: Option<Duration>,
    has_new_bug: bool,
    /// The clock jumps, so that the session may believe that it waited longer than it did.
    clock_jumps: bool,
    is_store_failing: bool,
    status: Option<fuzzd_core::session::Status>,
    summary: Option<fuzzd_core::session::Summary>,
    tokens: BTreeSet<fuzzd_core::ids::CommitToken>,
    /// Processes in a row that were ended before they had a call, by slot.
    wasted: Vec<u32>,
    empty_since: Vec<Option<Duration>>,
    /// Executions that searches for smaller inputs did, or may still do.
    searched: BTreeMap<(TestIndex, Signature), u64>,
}

impl Oracle {
    pub(crate) fn new(plan: &Plan) -> Self {
        let workers = plan.config.workers;
        Self {
            tests: (0..plan.targets.len()).map(|test| TestAccount::new(plan, test)).collect(),
            config: plan.config.clone(),
            execs: 0,
            reserved: 0,
            started_at: None,
            graceful_at: None,
            immediate_at: None,
            has_new_bug: false,
            clock_jumps: !plan.jumps.is_empty(),
            is_store_failing: false,
            status: None,
            summary: None,
            tokens: BTreeSet::new(),
            wasted: vec![0; workers],
            empty_since: vec![None; workers],
            searched: BTreeMap::new(),
        }
    }

    pub(crate) fn signal(&mut self, request: StopRequest, now: Duration) {
        match request {
            StopRequest::Graceful => self.graceful_at.get_or_insert(now),
            StopRequest::Immediate => self.immediate_at.get_or_insert(now),
        };
    }

    fn is_time_up(&self, clock: Duration) -> bool {
        let elapsed = self.started_at.map(|at| clock.saturating_sub(at));
        elapsed.zip(self.config.time_max).is_some_and(|(elapsed, max)| elapsed >= max)
    }

    fn is_budget_used_up(&self) -> bool {
        self.config.execs_max.is_some_and(|max| self.execs >= max)
    }

    /// Whether the session has no reason to wind up so far.
    fn is_running(&self, clock: Duration) -> bool {
        self.graceful_at.is_none()
            && self.immediate_at.is_none()
            && !self.is_budget_used_up()
            && !self.is_time_up(clock)
            && !(self.config.fail_fast && self.has_new_bug)
            && self.tests.iter().any(|test| !test.is_given_up)
    }

    fn test(&mut self, test: TestIndex) -> &mut TestAccount {
        &mut self.tests[test.0]
    }
}

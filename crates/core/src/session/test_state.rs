//! Everything the session knows of one fuzz test.
//!
//! ```text
//!   WarmingUp ──every input has its verdict──▶ Fuzzing
//!       └────────────── no worker will start ─────┴──▶ GivenUp ◀── none came up before the run
//! ```

use crate::corpus::Corpus;
use crate::coverage::{CoverageMap, Gain};
use crate::ids::TestIndex;
use crate::limits::MINIMIZE_FIND_SHARE_PERCENT;
use crate::session::bugs::{Bug, BugState, Ledger};
use crate::session::config::{LoadedBug, TestConfig};
use crate::session::losses::Losses;
use crate::session::warmup::Warmup;
use crate::{failure::Failure, ids::Input};

/// Where a test is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    WarmingUp,
    Fuzzing,
    GivenUp { reason: String },
}

/// One fuzz test.
#[derive(Debug)]
pub(super) struct TestState {
    pub(super) index: TestIndex,
    pub(super) stage: Stage,
    pub(super) coverage: CoverageMap,
    pub(super) corpus: Corpus,
    pub(super) warmup: Warmup,
    pub(super) has_announced_warmup: bool,
    pub(super) measured_before: usize,
    pub(super) ledger: Ledger,
    pub(super) execs_before: u64,
    pub(super) execs: u64,
    pub(super) execs_other: u64,
    /// Cost of Fuzz calls and of minimizing finds, in the unit of the session's pace; their ratio
    /// is bounded.
    pub(super) fuzz_cost: u64,
    pub(super) minimize_cost: u64,
    /// Coverage and entries that are on disk: what people are told.
    pub(super) durable: Gain,
    pub(super) durable_corpus: usize,
    pub(super) new_finds: u64,
    pub(super) losses: Losses,
    /// Cost of this test so far divided by its weight: the least one gets the next worker.
    pub(super) pass: u64,
    /// Stays in a row that brought nothing, counted down from the weight.
    dry_stays: u32,
    pub(super) has_find_in_stay: bool,
    pub(super) progress_execs: u64,
    /// Statistics are on their way to the disk; one after the other, or an old one could win.
    pub(super) is_progress_pending: bool,
}

impl TestState {
    pub(super) fn new(index: TestIndex, config: &TestConfig) -> Self {
        let (warmup, measured) = Warmup::new(config);
        let stage =
            config.given_up.clone().map_or(Stage::WarmingUp, |reason| Stage::GivenUp { reason });
        let mut test = Self {
            index,
            stage,
            coverage: CoverageMap::new(config.counters),
            corpus: Corpus::default(),
            warmup,
            has_announced_warmup: false,
            measured_before: measured.len(),
            ledger: Ledger::default(),
            execs_before: config.execs_before,
            execs: 0,
            execs_other: 0,
            fuzz_cost: 0,
            minimize_cost: 0,
            durable: Gain::default(),
            durable_corpus: 0,
            new_finds: 0,
            losses: Losses::default(),
            pass: 0,
            dry_stays: 0,
            has_find_in_stay: false,
            progress_execs: 0,
            is_progress_pending: false,
        };
        for (input, coverage) in measured {
            let gain = test.coverage.merge(&coverage);
            test.corpus.add(input, gain);
            test.count_durable(gain, true);
        }
        for bug in &config.bugs {
            test.load_bug(bug);
        }
        test
    }

    fn load_bug(&mut self, loaded: &LoadedBug) {
        let failure = Failure::new(loaded.kind, "", &loaded.message, "");
        let state = if loaded.is_pending {
            BugState::Confirming { failed: 0, done: 0, is_taken: false }
        } else {
            BugState::Loaded
        };
        let mut bug = Bug::new(failure, loaded.input.clone(), state, loaded.is_pending);
        bug.count = 0;
        bug.path.clone_from(&loaded.path);
        if !loaded.is_pending {
            (bug.reproduced, bug.runs) = (loaded.reproduced, loaded.runs);
            bug.is_flaky = loaded.runs > 0 && loaded.reproduced == 0;
        }
        self.ledger.insert(loaded.signature, bug);
    }

    /// Counts coverage that is on disk, and its entry unless that was counted before.
    pub(super) fn count_durable(&mut self, gain: Gain, is_added: bool) {
        self.durable.edges += gain.edges;
        self.durable.features += gain.features;
        self.durable_corpus += usize::from(is_added);
    }

    /// Whether a worker may work for this test at all.
    pub(super) fn is_alive(&self) -> bool {
        match self.stage {
            Stage::WarmingUp | Stage::Fuzzing => true,
            Stage::GivenUp { .. } => false,
        }
    }

    /// Whether minimizing one more find keeps within its share. The first finds come before there
    /// is anything to share: `ahead` is allowed at once.
    pub(super) fn may_minimize_find(&self, ahead: u64) -> bool {
        let share = self.fuzz_cost / 100 * u64::from(MINIMIZE_FIND_SHARE_PERCENT);
        self.minimize_cost <= share.saturating_add(ahead)
    }

    /// 1 to 4: tests that still find get more of the workers.
    pub(super) fn weight(&self) -> u64 {
        match self.dry_stays {
            0 | 1 => 4,
            2..=5 => 2,
            _ => 1,
        }
    }

    /// Books the cost of a call in the unit of the session's pace.
    pub(super) fn charge(&mut self, cost: u64) {
        self.pass = self.pass.saturating_add(cost.max(1).saturating_mul(4) / self.weight());
    }

    /// A worker's stay with this test ended.
    pub(super) fn end_stay(&mut self) {
        let found = std::mem::take(&mut self.has_find_in_stay);
        self.dry_stays = if found { 0 } else { self.dry_stays.saturating_add(1) };
    }

    /// A bug's input as loaded or found, for a call.
    pub(super) fn bug_input(&self, signature: crate::signature::Signature) -> Option<Input> {
        let bug = self.ledger.bugs.get(&signature)?;
        match &bug.state {
            BugState::Rechecking { candidate, .. } => Some(candidate.clone()),
            BugState::Committing
            | BugState::Confirming { .. }
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Improving { .. }
            | BugState::Recording
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => Some(bug.input.clone()),
        }
    }
}

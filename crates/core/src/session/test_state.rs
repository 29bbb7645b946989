//! Everything the session knows of one fuzz test.
//!
//! ```text
//!   WarmingUp ──every input has its verdict──▶ Fuzzing
//!       └────────────── no worker will start ─────┴──▶ GivenUp ◀── none came up before the run
//! ```

use std::time::Duration;

use crate::corpus::{Corpus, EntryIndex};
use crate::coverage::{CoverageMap, Feature, Gain};
use crate::ids::{EntryId, TestIndex};
use crate::limits::MINIMIZE_FIND_SHARE_PERCENT;
use crate::schedule::profile::Profiles;
use crate::schedule::share::Share;
use crate::schedule::{Newcomer, Schedule};
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

/// What the workers of a test were shown of it.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Position in the journal of the coverage.
    pub(super) features: usize,
    /// Entries, from the first on, and their bytes.
    pub(super) entries: usize,
    pub(super) bytes: usize,
    /// The next entry had no room: it and all that follow are not shown.
    pub(super) is_full: bool,
}

/// One fuzz test.
#[derive(Debug)]
pub(super) struct TestState {
    pub(super) index: TestIndex,
    pub(super) stage: Stage,
    pub(super) coverage: CoverageMap,
    pub(super) corpus: Corpus,
    pub(super) schedule: Schedule,
    pub(super) profiles: Profiles,
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
    /// The process that came up last can minimize by forking.
    pub(super) has_fork: bool,
    /// Its newest worker can do a part of a minimization.
    pub(super) has_search: bool,
    pub(super) share: Share,
    pub(super) shown: Shown,
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
            schedule: Schedule::new(!config.entries.is_empty())
                .with_functions(config.counters, &config.functions),
            profiles: Profiles::default(),
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
            has_fork: false,
            has_search: false,
            share: Share::default(),
            shown: Shown::default(),
            progress_execs: 0,
            is_progress_pending: false,
        };
        for (input, coverage) in measured {
            let gain = test.coverage.merge(&coverage);
            test.schedule.hit(&coverage);
            test.add_entry(EntryId::of(&input), input, &coverage, gain, Duration::ZERO, false);
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
        bug.is_doubtful = loaded.is_doubtful;
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

    /// Merges coverage, and books it as news.
    pub(super) fn merge(&mut self, coverage: &[Feature]) -> Gain {
        let gain = self.coverage.merge(coverage);
        self.share.count_gain(gain);
        if gain.edges > 0 {
            self.schedule.hit(coverage);
        }
        gain
    }

    /// Adds an entry. `None`: it is one already.
    pub(super) fn add_entry(
        &mut self,
        id: EntryId,
        input: Input,
        coverage: &[Feature],
        gain: Gain,
        exec_time: Duration,
        is_seen: bool,
    ) -> Option<EntryIndex> {
        let len = input.len();
        let entry = self.corpus.add(id, input)?;
        self.schedule.add(&Newcomer { len, coverage, gain, exec_time, is_seen });
        Some(entry)
    }

    /// Gives a corpus without entries something to mutate.
    pub(super) fn add_base(&mut self) {
        self.corpus.add_base();
        let (gain, exec_time) = (Gain::default(), Duration::ZERO);
        self.schedule.add(&Newcomer { len: 0, coverage: &[], gain, exec_time, is_seen: false });
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

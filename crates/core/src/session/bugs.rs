//! The bug ledger of one test.
//!
//! ```text
//!  new crash ─▶ Committing ─▶ Confirming ─▶ Settling(verdict) ─▶ Unminimized ─▶ Rechecking
//!               (not on disk)  (fresh        (not on disk)        (told; may     (a smaller
//!                              processes)          │               shrink)        input)
//!                                                  │                 │              │ same bug
//!                                                  ▼                 ▼              ▼
//!                                               Settled ◀────── no smaller ◀── Improving
//!                                                  ▲               input       (being written)
//!  known bug ─▶ Loaded ─ an input failed ─▶ Recording
//!                  └──── its input passed ─▶ Passing (a new crash starts at Committing again)
//! ```
//!
//! Owns the bugs and their life cycle. Must not ask for effects: `crashes` does.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::failure::Failure;
use crate::ids::{Input, TestIndex};
use crate::limits::IGNORED_SIGNATURES_MAX;
use crate::session::record::Verdict;
use crate::session::report::BugReport;
use crate::session::search::Search;
use crate::signature::{FailureKind, Signature};

/// Where a bug is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BugState {
    /// Its first crash is on its way to the disk.
    Committing,
    /// It is being run in fresh processes.
    Confirming { failed: u32, done: u32, is_taken: bool },
    /// Its verdict is on its way to the disk.
    Settling(Verdict),
    /// Reported; waits for a worker that minimizes it, or is being minimized.
    Unminimized { is_taken: bool },
    /// A smaller input waits for a fresh process, or runs in one.
    Rechecking { candidate: Input, is_taken: bool },
    /// The smaller input is on its way to the disk.
    Improving { candidate: Input },
    /// A failure of warm-up is on its way to the disk.
    Recording,
    /// Nothing more to do.
    Settled,
    /// Known from before, and its input has no verdict of this session. Whatever fails with its
    /// signature shows that the bug is still there: it is never new.
    Loaded,
    /// Known from before, and its input passed in warm-up.
    Passing,
}

/// One bug.
#[derive(Debug, Clone)]
pub(super) struct Bug {
    pub(super) failure: Failure,
    /// The input shown for it: the smallest confirmed one.
    pub(super) input: Input,
    pub(super) path: Option<PathBuf>,
    pub(super) state: BugState,
    /// Crashes seen in this session.
    pub(super) count: u64,
    /// Those of them that no record was asked for.
    unrecorded: u64,
    /// The number of the ledger's sighting that was the last of this bug.
    pub(super) sighting: u64,
    /// Originals kept.
    pub(super) originals: u32,
    /// Found in this session.
    pub(super) is_new: bool,
    pub(super) is_reported: bool,
    pub(super) reproduced: u32,
    pub(super) runs: u32,
    pub(super) is_flaky: bool,
    /// Seen to end a process.
    pub(super) is_fatal: bool,
    /// It was only seen while its worker was being ended, which also ends what the target had
    /// started.
    pub(super) is_doubtful: bool,
    /// The search for a smaller input, while the state says that it is taken.
    pub(super) search: Option<Box<Search>>,
}

impl Bug {
    pub(super) fn new(failure: Failure, input: Input, state: BugState, is_new: bool) -> Self {
        Self {
            failure,
            input,
            path: None,
            state,
            count: 1,
            unrecorded: 0,
            sighting: 0,
            originals: 1,
            is_new,
            is_reported: false,
            reproduced: 0,
            runs: 0,
            is_flaky: false,
            is_fatal: false,
            is_doubtful: false,
            search: None,
        }
    }

    /// Whether the input may have no part in it: one that does not fail again is no bug.
    pub(super) fn may_be_foreign(&self) -> bool {
        self.is_doubtful || is_foreign(self.failure.kind)
    }

    /// Counts crashes that no record is asked for.
    pub(super) fn count_unrecorded(&mut self, count: u64) {
        self.unrecorded = self.unrecorded.saturating_add(count);
    }

    /// The bug as people see it.
    pub(super) fn report(&self, test: TestIndex, signature: Signature) -> BugReport {
        BugReport {
            test,
            signature,
            failure: self.failure.clone(),
            input: self.input.clone(),
            path: self.path.clone(),
            reproduced: self.reproduced,
            runs: self.runs,
            is_flaky: self.is_flaky,
        }
    }

    /// The search for a smaller input, if one is under way.
    pub(super) fn is_searched(&self) -> Option<&Search> {
        let is_searched = self.state == BugState::Unminimized { is_taken: true };
        self.search.as_deref().filter(|_| is_searched)
    }

    /// Whether its candidates must run in forked processes, because they end the process they run
    /// in.
    pub(super) fn wants_fork(&self) -> bool {
        self.is_fatal || !is_survivable(self.failure.kind)
    }

    /// Whether workers that can fork, or not, can make its input smaller. `with_timeouts`: the
    /// per-input timeout is short enough to wait for it again and again.
    pub(super) fn can_shrink(&self, has_fork: bool, with_timeouts: bool) -> bool {
        let is_possible = match self.failure.kind {
            FailureKind::Panic
            | FailureKind::Error
            | FailureKind::Abort
            | FailureKind::Signal(_)
            | FailureKind::StackOverflow
            | FailureKind::Exit(_)
            | FailureKind::OutOfMemory
            | FailureKind::ForeignSignal(_) => true,
            FailureKind::Timeout => with_timeouts,
            FailureKind::Protocol => false,
        };
        is_possible && self.input.len() > 1 && (has_fork || !self.wants_fork())
    }

    /// Whether it is waited for a process that runs its input.
    pub(super) fn waits_for_run(&self) -> bool {
        match &self.state {
            BugState::Confirming { .. }
            | BugState::Unminimized { .. }
            | BugState::Rechecking { .. } => true,
            BugState::Committing
            | BugState::Settling(_)
            | BugState::Improving { .. }
            | BugState::Recording
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => false,
        }
    }

    /// Whether nothing but doubtful crashes speaks for it so far.
    pub(super) fn is_in_doubt(&self) -> bool {
        let is_undecided = match &self.state {
            BugState::Committing
            | BugState::Confirming { .. }
            | BugState::Settling(Verdict::Unconfirmed { .. })
            | BugState::Settled => true,
            BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Rechecking { .. }
            | BugState::Improving { .. }
            | BugState::Recording
            | BugState::Loaded
            | BugState::Passing => false,
        };
        self.is_doubtful && is_undecided && !self.is_reported
    }

    /// Whether it is a kill from outside, or a doubtful crash, that did not happen again: kept, and
    /// no bug.
    pub(super) fn is_set_aside(&self) -> bool {
        self.state == BugState::Settled && !self.is_reported && self.may_be_foreign()
    }

    /// Whether it must run in a fresh process next, and nobody does that yet.
    pub(super) fn wants_fresh_process(&self) -> bool {
        match &self.state {
            BugState::Confirming { is_taken, .. } | BugState::Rechecking { is_taken, .. } => {
                !is_taken
            }
            BugState::Committing
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Improving { .. }
            | BugState::Recording
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => false,
        }
    }

    /// Whether work on it is still going on that the end of a session may wait for.
    pub(super) fn is_open(&self) -> bool {
        match &self.state {
            BugState::Committing
            | BugState::Confirming { .. }
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Rechecking { .. }
            | BugState::Improving { .. }
            | BugState::Recording => true,
            BugState::Settled | BugState::Loaded | BugState::Passing => false,
        }
    }
}

/// Whether a worker that lives on can go over failures of this kind, and minimize them.
pub(super) fn is_survivable(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Panic | FailureKind::Error => true,
        FailureKind::Abort
        | FailureKind::Signal(_)
        | FailureKind::StackOverflow
        | FailureKind::Exit(_)
        | FailureKind::Timeout
        | FailureKind::OutOfMemory
        | FailureKind::ForeignSignal(_)
        | FailureKind::Protocol => false,
    }
}

/// Whether somebody outside ended the process, or it broke the protocol, so that the input may have
/// no part in it.
pub(super) fn is_foreign(kind: FailureKind) -> bool {
    match kind {
        FailureKind::ForeignSignal(_) | FailureKind::Protocol => true,
        FailureKind::Panic
        | FailureKind::Error
        | FailureKind::Abort
        | FailureKind::Signal(_)
        | FailureKind::StackOverflow
        | FailureKind::Exit(_)
        | FailureKind::Timeout
        | FailureKind::OutOfMemory => false,
    }
}

/// The bugs of one test.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) bugs: BTreeMap<Signature, Bug>,
    /// Crashes beyond the bound of bugs: counted, not kept.
    pub(super) overflow: u64,
    sightings: u64,
    ignore: Option<Arc<[Signature]>>,
}

impl Ledger {
    /// Adds or replaces a bug.
    pub(super) fn insert(&mut self, signature: Signature, bug: Bug) {
        let unrecorded = bug.unrecorded;
        if let Some(old) = self.bugs.insert(signature, bug)
            && let Some(bug) = self.bugs.get_mut(&signature)
        {
            bug.unrecorded = unrecorded.saturating_add(old.unrecorded);
        }
        self.ignore = None;
    }

    /// Numbers one more crash.
    pub(super) fn next_sighting(&mut self) -> u64 {
        if self.bugs.len() > IGNORED_SIGNATURES_MAX {
            // Not all have room: which do depends on what is seen.
            self.ignore = None;
        }
        self.sightings += 1;
        self.sightings
    }

    /// Counts failures that a worker went on over.
    pub(super) fn count_unrecorded(&mut self, signature: Signature, count: u64) {
        let sighting = self.next_sighting();
        if let Some(bug) = self.bugs.get_mut(&signature) {
            bug.count = bug.count.saturating_add(count);
            bug.sighting = sighting;
            bug.count_unrecorded(count);
        }
    }

    /// Crashes that no record was asked for, of bugs that are on the disk. They are counted as
    /// recorded from now on.
    pub(super) fn take_unrecorded(&mut self) -> Vec<(Signature, u64)> {
        let bugs = self.bugs.iter_mut().filter(|(_, bug)| match &bug.state {
            BugState::Committing | BugState::Recording => false,
            BugState::Confirming { .. }
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Rechecking { .. }
            | BugState::Improving { .. }
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => bug.unrecorded > 0,
        });
        bugs.map(|(signature, bug)| (*signature, std::mem::take(&mut bug.unrecorded))).collect()
    }

    pub(super) fn get_mut(&mut self, signature: Signature) -> Option<&mut Bug> {
        self.bugs.get_mut(&signature)
    }

    /// Signatures a worker counts and goes on over: everything that it can survive and that was
    /// seen to fail in this session. A bug whose input passes now would be a regression; one that
    /// is in doubt waits for a worker that says more. Where not all have room, those seen most
    /// often, and of equals the latest.
    pub(super) fn ignored(&mut self) -> Arc<[Signature]> {
        let bugs = &self.bugs;
        self.ignore
            .get_or_insert_with(|| {
                let mut seen: Vec<(&Signature, &Bug)> = bugs
                    .iter()
                    .filter(|(_, bug)| is_survivable(bug.failure.kind))
                    .filter(|(_, bug)| !matches!(bug.state, BugState::Loaded | BugState::Passing))
                    .filter(|(_, bug)| !bug.is_in_doubt())
                    .collect();
                if seen.len() > IGNORED_SIGNATURES_MAX {
                    seen.sort_by_key(|(_, bug)| Reverse((bug.count, bug.sighting)));
                    seen.truncate(IGNORED_SIGNATURES_MAX);
                    seen.sort_by_key(|(signature, _)| **signature);
                }
                seen.into_iter().map(|(signature, _)| *signature).collect()
            })
            .clone()
    }

    /// The ignored set must be built anew (a state changed).
    pub(super) fn touch(&mut self) {
        self.ignore = None;
    }

    /// The first bug that wants a fresh process.
    pub(super) fn wants_fresh_process(&self) -> Option<Signature> {
        self.find(Bug::wants_fresh_process)
    }

    /// The first bug that wants to be minimized.
    pub(super) fn wants_minimizing(&self) -> Option<Signature> {
        self.find(|bug| bug.state == BugState::Unminimized { is_taken: false })
    }

    /// Bugs that are being minimized or wait for it.
    pub(super) fn unminimized(&self) -> usize {
        let unminimized = |bug: &&Bug| matches!(bug.state, BugState::Unminimized { .. });
        self.bugs.values().filter(unminimized).count()
    }

    fn find(&self, predicate: impl Fn(&Bug) -> bool) -> Option<Signature> {
        self.bugs.iter().find(|(_, bug)| predicate(bug)).map(|(signature, _)| *signature)
    }

    /// New bugs that were reported, and known bugs that still fail.
    pub(super) fn counts(&self) -> (usize, usize) {
        let reported = self.bugs.values().filter(|bug| bug.is_reported);
        reported.fold(
            (0, 0),
            |(new, known), bug| {
                if bug.is_new { (new + 1, known) } else { (new, known + 1) }
            },
        )
    }
}

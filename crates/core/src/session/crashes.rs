//! The life of a bug, from its first crash to its last report.
//!
//! Owns the transitions drawn in `bugs`, and the order "on disk, confirmed, told, minimized".
//! Must not talk to workers: `assign` sends the runs this module waits for.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::ids::{Input, TestIndex};
use crate::limits::{BUGS_PER_TEST_MAX, CONFIRM_RUNS, CONFIRM_TIMEOUT_RUNS, ORIGINALS_PER_BUG_MAX};
use crate::session::Session;
use crate::session::bugs::{Bug, BugState, is_foreign};
use crate::session::commits::Consequence;
use crate::session::config::Origin;
use crate::session::finish::Phase;
use crate::session::record::{Record, Verdict};
use crate::session::report::Report;
use crate::session::warmup::{Warmup, WarmupItem, WarmupSource};
use crate::signature::{FailureKind, Signature};

/// Whether a crash is news or was there before the session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Novelty {
    New,
    /// New, if it is a bug at all.
    Doubtful,
    Known {
        path: Option<PathBuf>,
    },
}

impl Session {
    /// A crash of a newly mutated input, also of a minimizer's candidate.
    pub(super) fn crashed(&mut self, test: TestIndex, input: Input, failure: Failure) {
        self.record_crash(test, input, failure, Novelty::New);
    }

    /// A crash that a worker told while it was being ended: our own signal may have made it, where
    /// the target handles SIGINT in its own way.
    pub(super) fn crashed_while_ended(&mut self, test: TestIndex, input: Input, failure: Failure) {
        self.record_crash(test, input, failure, Novelty::Doubtful);
    }

    fn record_crash(&mut self, test: TestIndex, input: Input, failure: Failure, novelty: Novelty) {
        let signature = failure.signature();
        let ledger = &mut self.tests[test.0].ledger;
        let is_full = ledger.bugs.len() >= BUGS_PER_TEST_MAX;
        let sighting = ledger.next_sighting();
        let (mut novelty, mut count, mut originals, mut runs) = (novelty, 1, 1, (0, 0, false));
        match ledger.get_mut(signature) {
            // Its own input, in warm-up, says more than a worker that is being ended.
            Some(bug) if bug.state == BugState::Loaded && novelty == Novelty::Doubtful => {
                return ledger.count_unrecorded(signature, 1);
            }
            Some(bug) if bug.state == BugState::Loaded => {
                novelty = Novelty::Known { path: bug.path.clone() };
                runs = (bug.reproduced, bug.runs, bug.is_flaky);
            }
            // That one kill from outside was an accident says nothing of another input.
            Some(bug) if bug.is_set_aside() && bug.originals < ORIGINALS_PER_BUG_MAX => {
                (count, originals) = (bug.count.saturating_add(1), bug.originals + 1);
            }
            // One worker that nobody was ending is enough, and what it ran is to be tried. A run of
            // the other input that is under way counts among its runs: without doubt, no verdict
            // drops a crash.
            Some(bug) if bug.is_in_doubt() && novelty != Novelty::Doubtful => {
                (count, originals) = (bug.count.saturating_add(1), bug.originals + 1);
            }
            Some(bug) if bug.state != BugState::Passing => {
                bug.count = bug.count.saturating_add(1);
                bug.sighting = sighting;
                if let (BugState::Committing, Novelty::Known { path }) = (&bug.state, &novelty) {
                    // A seed showed it first, but testdata or state had it before.
                    bug.state = BugState::Recording;
                    bug.is_new = false;
                    bug.path.clone_from(path);
                }
                if bug.originals >= ORIGINALS_PER_BUG_MAX || bug.input == input {
                    return bug.count_unrecorded(1);
                }
                bug.originals += 1;
                let is_doubtful = bug.is_doubtful;
                let record = Record::Crash { test, signature, input, failure, is_doubtful };
                return self.commit(record, Consequence::None);
            }
            None if is_full => {
                ledger.overflow = ledger.overflow.saturating_add(1);
                return;
            }
            Some(_) | None => {}
        }
        let is_doubtful = novelty == Novelty::Doubtful;
        let (state, is_new, path) = match novelty {
            Novelty::New | Novelty::Doubtful => (BugState::Committing, true, None),
            Novelty::Known { path } => (BugState::Recording, false, path),
        };
        let mut bug = Bug::new(failure.clone(), input.clone(), state, is_new);
        (bug.path, bug.count, bug.originals) = (path, count, originals);
        (bug.reproduced, bug.runs, bug.is_flaky) = runs;
        (bug.sighting, bug.is_doubtful) = (sighting, is_doubtful);
        ledger.insert(signature, bug);
        let record = Record::Crash { test, signature, input, failure, is_doubtful };
        self.commit(record, Consequence::CrashKept { test, signature });
    }

    /// An input that was there before the session failed.
    pub(super) fn warmup_failed(&mut self, test: TestIndex, item: WarmupItem, failure: Failure) {
        if is_foreign(failure.kind) && item.lost + 1 < Warmup::LOST_MAX {
            // Once is an accident, and must not make an entry or a bug what it is not.
            self.test(test).warmup.put_back(item);
            return;
        }
        self.test(test).warmup.settle(true);
        let signature = failure.signature();
        self.passed_again(test, &item, Some(signature));
        match item.source {
            WarmupSource::Bug(known) if known == signature => {
                self.fails_still(test, known, failure)
            }
            WarmupSource::Bug(known) => {
                // It still fails, but elsewhere (lines moved, say): the old bug is superseded.
                let path = self.test(test).ledger.get_mut(known).and_then(|bug| bug.path.clone());
                self.record_crash(test, item.input, failure, Novelty::Known { path });
            }
            WarmupSource::Entry(Origin::Testdata(path)) => {
                self.record_crash(test, item.input, failure, Novelty::Known { path: Some(path) });
            }
            WarmupSource::Entry(Origin::Corpus) => {
                self.record_crash(test, item.input, failure, Novelty::Known { path: None });
            }
            // A seed is not testdata or state: nobody knows yet that it fails.
            WarmupSource::Entry(Origin::Seed | Origin::SeedFile(_) | Origin::Found) => {
                self.record_crash(test, item.input, failure, Novelty::New);
            }
        }
        self.finish_warmup(test);
    }

    /// The input of a known bug fails as it did.
    fn fails_still(&mut self, test: TestIndex, signature: Signature, failure: Failure) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        bug.count = bug.count.saturating_add(1);
        if bug.state == BugState::Loaded {
            bug.failure = failure;
            bug.state = BugState::Recording;
            self.test(test).ledger.touch();
            self.settle(test, signature, Verdict::Known);
        }
    }

    /// An input of the warm-up passed, or failed as something else: the bugs it was kept for are
    /// gone. People are told where it passed; where it did not, they are told of the other failure.
    pub(super) fn passed_again(
        &mut self,
        test: TestIndex,
        item: &WarmupItem,
        failed_as: Option<Signature>,
    ) {
        let gone = self.tests[test.0].ledger.bugs.iter_mut().filter(|(signature, bug)| {
            bug.state == BugState::Loaded
                && bug.input == item.input
                && failed_as != Some(**signature)
        });
        let gone = gone.map(|(signature, bug)| {
            bug.state = BugState::Passing;
            *signature
        });
        let verdict = Verdict::NoLongerFails;
        for signature in gone.collect::<Vec<_>>() {
            if failed_as.is_none() {
                self.settle(test, signature, verdict);
                continue;
            }
            let input = item.input.clone();
            let record = Record::Bug { test, signature, input, verdict };
            self.commit(record, Consequence::None);
        }
    }

    /// A run in a fresh process failed.
    pub(super) fn confirm_failed(
        &mut self,
        test: TestIndex,
        signature: Signature,
        input: Input,
        failure: Failure,
    ) {
        let is_same = failure.signature() == signature;
        if is_same && let Some(bug) = self.test(test).ledger.get_mut(signature) {
            // The newest account of it is at least as good: a fresh process, nothing before it.
            bug.failure = failure;
            return self.confirm_ran(test, signature, true);
        }
        self.confirm_ran(test, signature, false);
        if !is_same {
            self.crashed(test, input, failure);
        }
    }

    /// A run in a fresh process ended.
    pub(super) fn confirm_ran(&mut self, test: TestIndex, signature: Signature, has_failed: bool) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let BugState::Confirming { failed, done, is_taken } = &mut bug.state else { return };
        *is_taken = false;
        *done += 1;
        *failed += u32::from(has_failed);
        if *done >= confirm_runs(bug.failure.kind) {
            self.settle_confirmed(test, signature);
        }
    }

    /// A confirming run was cut off by our own stop: it counts for nothing.
    pub(super) fn confirm_cut_off(&mut self, test: TestIndex, signature: Signature) {
        if let Some(bug) = self.test(test).ledger.get_mut(signature)
            && let BugState::Confirming { is_taken, .. } = &mut bug.state
        {
            *is_taken = false;
        }
    }

    /// Draws the verdict from the runs done so far.
    pub(super) fn settle_confirmed(&mut self, test: TestIndex, signature: Signature) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let BugState::Confirming { failed, done, .. } = bug.state else { return };
        let is_foreign = bug.may_be_foreign();
        bug.reproduced = failed;
        bug.runs = done;
        if is_foreign && failed == 0 && done < confirm_runs(bug.failure.kind) {
            // Cut off too early to drop it. The crash is kept; the next session confirms it.
            bug.state = BugState::Settled;
            return;
        }
        bug.is_flaky = failed == 0 && done > 0;
        let verdict = match (failed, is_foreign) {
            (0, true) => Verdict::Unconfirmed { runs: done },
            (0, false) if done > 0 => Verdict::Flaky { runs: done },
            _ => Verdict::Confirmed { reproduced: failed, runs: done },
        };
        self.settle(test, signature, verdict);
    }

    fn settle(&mut self, test: TestIndex, signature: Signature, verdict: Verdict) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let mut input = bug.input.clone();
        match verdict {
            Verdict::Confirmed { .. } | Verdict::Flaky { .. } | Verdict::Unconfirmed { .. } => {
                bug.state = BugState::Settling(verdict);
            }
            Verdict::Minimized => {
                if let BugState::Improving { candidate } = &bug.state {
                    input = candidate.clone();
                }
            }
            Verdict::Known | Verdict::NoLongerFails => {}
        }
        if bug.is_doubtful {
            // Workers may go on over it once it is in doubt no more.
            self.test(test).ledger.touch();
        }
        let record = Record::Bug { test, signature, input, verdict };
        self.commit(record, Consequence::BugSettled { test, signature, verdict });
    }

    /// The smaller input was run in a fresh process.
    pub(super) fn rechecked(&mut self, test: TestIndex, signature: Signature, is_same: bool) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let BugState::Rechecking { candidate, .. } = &bug.state else { return };
        if !is_same {
            bug.state = BugState::Settled;
            return;
        }
        bug.state = BugState::Improving { candidate: candidate.clone() };
        self.settle(test, signature, Verdict::Minimized);
    }

    /// A commit is on stable storage: its consequence may be seen.
    pub(super) fn on_stored(&mut self, consequence: Consequence, path: Option<PathBuf>) {
        match consequence {
            Consequence::None => {}
            Consequence::EntryKept { test, gain, is_added } => {
                let now = self.now;
                let state = self.test(test);
                state.count_durable(gain, is_added);
                state.new_finds += u64::from(is_added);
                self.watch.last_find_at = Some(now);
            }
            Consequence::ProgressKept { test } => self.test(test).is_progress_pending = false,
            Consequence::CrashKept { test, signature } => self.crash_kept(test, signature),
            Consequence::BugSettled { test, signature, verdict } => {
                self.bug_settled(test, signature, verdict, path);
            }
        }
    }

    fn crash_kept(&mut self, test: TestIndex, signature: Signature) {
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        match bug.state {
            // No fresh process can tell whether the input has a part in it.
            BugState::Committing if bug.failure.kind == FailureKind::Protocol => {
                self.settle(test, signature, Verdict::Unconfirmed { runs: 0 });
            }
            BugState::Committing => {
                bug.state = BugState::Confirming { failed: 0, done: 0, is_taken: false };
                if !self.tests[test.0].is_alive() || self.is_winding_up() {
                    self.settle_confirmed(test, signature);
                }
            }
            BugState::Recording => self.settle(test, signature, Verdict::Known),
            BugState::Confirming { .. }
            | BugState::Settling(_)
            | BugState::Unminimized { .. }
            | BugState::Rechecking { .. }
            | BugState::Improving { .. }
            | BugState::Settled
            | BugState::Loaded
            | BugState::Passing => {}
        }
    }

    fn bug_settled(
        &mut self,
        test: TestIndex,
        signature: Signature,
        verdict: Verdict,
        path: Option<PathBuf>,
    ) {
        let may_minimize = self.config.minimize && !self.is_winding_up();
        let (has_fork, timeouts) = (self.tests[test.0].has_fork, self.config.minimize_timeouts);
        let Some(bug) = self.test(test).ledger.get_mut(signature) else { return };
        let old_path = bug.path.take();
        bug.path = path.or(old_path);
        let shrinks = may_minimize && bug.reproduced > 0 && bug.can_shrink(has_fork, timeouts);
        let report = match verdict {
            Verdict::Confirmed { .. } | Verdict::Flaky { .. } => {
                bug.is_reported = true;
                bug.state = if shrinks {
                    BugState::Unminimized { is_taken: false }
                } else {
                    BugState::Settled
                };
                Report::Bug(bug.report(test, signature))
            }
            Verdict::Minimized => {
                if let BugState::Improving { candidate } = &bug.state {
                    bug.input = candidate.clone();
                }
                bug.state = BugState::Settled;
                Report::BugMinimized(bug.report(test, signature))
            }
            // It failed again since, of a worker that nobody was ending.
            Verdict::Unconfirmed { .. } if bug.state != BugState::Settling(verdict) => return,
            Verdict::Unconfirmed { .. } => {
                bug.state = BugState::Settled;
                Report::Unconfirmed(bug.report(test, signature))
            }
            Verdict::Known => {
                bug.state = BugState::Settled;
                bug.is_reported = true;
                Report::KnownBug(bug.report(test, signature))
            }
            // It fails again since, and that will be told.
            Verdict::NoLongerFails if bug.state != BugState::Passing => return,
            Verdict::NoLongerFails => Report::NoLongerFails(bug.report(test, signature)),
        };
        let is_news = matches!(report, Report::Bug(_));
        self.report(report);
        if is_news && self.config.fail_fast && self.phase == Phase::Running {
            self.drain_after_bug();
        }
    }
}

/// Runs in fresh processes that a verdict is drawn from.
fn confirm_runs(kind: FailureKind) -> u32 {
    match kind {
        FailureKind::Timeout => CONFIRM_TIMEOUT_RUNS,
        FailureKind::Panic
        | FailureKind::Error
        | FailureKind::Abort
        | FailureKind::Signal(_)
        | FailureKind::StackOverflow
        | FailureKind::Exit(_)
        | FailureKind::OutOfMemory
        | FailureKind::ForeignSignal(_)
        | FailureKind::Protocol => CONFIRM_RUNS,
    }
}

//! What an answer means.
//!
//! Owns the judgement of every [`Reply`], after `account` booked it. Answers are
//! hostile input: an answer that cannot be true costs the worker its place.

use std::time::Duration;

use crate::coverage::Feature;
use crate::failure::Failure;
use crate::ids::{EntryId, Input, TestIndex, WorkerId};
use crate::session::Session;
use crate::session::account::{Claim, SpentJob};
use crate::session::commits::Consequence;
use crate::session::config::Origin;
use crate::session::effect::StopRequestKind;
use crate::session::event::{Outcome, Reply};
use crate::session::losses::Loss;
use crate::session::record::Record;
use crate::session::report::Report;
use crate::session::search::Judged;
use crate::session::slot::{Job, SlotState};
use crate::session::suspects::suspect;
use crate::session::test_state::Stage;
use crate::session::warmup::{WarmupItem, WarmupSource};

impl Session {
    pub(super) fn on_reply(&mut self, worker: WorkerId, reply: Reply) {
        let Some((test, job)) = self.slots[worker.0].take_job() else { return };
        let Reply { execs, execs_other, elapsed, ignored, plan, unlooked, outcome } = reply;
        let complaint = self.complaint(worker, test, &job, execs, &outcome);
        let complaint = complaint.or_else(|| plan_complaint(&job, plan.len()));
        let has_find = match &outcome {
            Outcome::Find { coverage, .. } => self.tests[test.0].coverage.has_new(coverage),
            _ => false,
        };
        if let Job::Fuzz(job) = &job {
            self.adapt_call_time(worker, has_find || job.finds.iter().any(|finds| *finds > 0.0));
        }
        let claim = Claim { execs, execs_other, elapsed: Some(elapsed), has_find, plan, unlooked };
        let job = self.account(worker, test, job, claim);
        if self.slots[worker.0].is_distrusted {
            // It is being ended already: nothing it says is taken, but for a crash.
            return match outcome {
                Outcome::Failed { input, failure } => {
                    self.failed(worker, test, job, input, failure);
                }
                Outcome::Passed { .. }
                | Outcome::Rejected
                | Outcome::Nothing
                | Outcome::Find { .. }
                | Outcome::Minimized { .. }
                | Outcome::Searched { .. }
                | Outcome::Misbehaved { .. } => self.abandon(test, job),
            };
        }
        if let Some(reason) = complaint {
            let input = suspect(&job, outcome);
            self.abandon(test, job);
            if let Some(input) = input {
                self.keep_suspect(test, input, &reason);
            }
            self.lose_worker(worker, test, Loss::Protocol, &reason);
            return self.stop_worker(worker, StopRequestKind::Kill);
        }
        let state = self.test(test);
        state.losses.count_good_answer(worker);
        for (signature, count) in ignored {
            state.ledger.count_unrecorded(signature, count.min(execs));
        }
        self.judge(worker, test, job, outcome);
    }

    /// What is wrong with an answer that cannot be true, or that no call asked for.
    fn complaint(
        &self,
        worker: WorkerId,
        test: TestIndex,
        job: &Job,
        execs: u64,
        outcome: &Outcome,
    ) -> Option<String> {
        let map = &self.tests[test.0].coverage;
        match (job, outcome) {
            (_, Outcome::Misbehaved { reason, .. }) => Some(reason.clone()),
            (_, Outcome::Failed { .. })
            | (Job::Warmup(_) | Job::Confirm(_) | Job::Recheck(_), Outcome::Rejected)
            | (Job::MinimizeFailure(_), Outcome::Minimized { .. } | Outcome::Searched { .. }) => {
                None
            }
            (Job::Warmup(_) | Job::Confirm(_) | Job::Recheck(_), Outcome::Passed { coverage })
            | (Job::Fuzz(_), Outcome::Find { coverage, .. })
            | (Job::MinimizeFind(_), Outcome::Minimized { coverage, .. }) => {
                let reason = || format!("it reported a counter beyond {}", map.counters());
                (!map.fits(coverage)).then(reason)
            }
            (Job::Fuzz(_), Outcome::Nothing) => {
                // A call that is cut short may have had no time; any other would go on for ever.
                let is_cut_short = matches!(self.slots[worker.0].state, SlotState::Stopping(..));
                (execs == 0 && !is_cut_short).then(|| "it executed nothing".to_owned())
            }
            _ => Some("its answer does not fit the call".to_owned()),
        }
    }

    fn judge(&mut self, worker: WorkerId, test: TestIndex, job: SpentJob, outcome: Outcome) {
        match (job, outcome) {
            (job, Outcome::Failed { input, failure }) => {
                self.failed(worker, test, job, input, failure);
            }
            (SpentJob::Warmup(item), Outcome::Passed { coverage }) => {
                self.warmed_up(test, item, coverage);
            }
            (SpentJob::Warmup(item), Outcome::Rejected) => {
                self.passed_again(test, &item, None);
                self.test(test).warmup.settle(false);
                self.finish_warmup(test);
            }
            (SpentJob::Fuzz { entry }, Outcome::Find { input, coverage }) => {
                self.found(worker, test, entry, input, coverage);
            }
            (SpentJob::Fuzz { .. }, Outcome::Nothing) => {}
            (SpentJob::MinimizeFind(find), Outcome::Minimized { input, coverage }) => {
                self.minimized_find(test, find, input, coverage);
            }
            (SpentJob::Confirm(signature), Outcome::Passed { .. } | Outcome::Rejected) => {
                self.confirm_ran(test, signature, false);
            }
            (SpentJob::MinimizeFailure(spent), Outcome::Minimized { input, .. }) => {
                self.searched_all(test, &spent, input);
            }
            (
                SpentJob::MinimizeFailure(spent),
                Outcome::Searched { input, held, until, is_done },
            ) => self.searched(test, &spent, Judged { input, held, until, is_done }),
            (SpentJob::Recheck(signature), Outcome::Passed { .. } | Outcome::Rejected) => {
                self.rechecked(test, signature, false);
            }
            // `complaint` lets no other pair through.
            (job, _) => self.abandon(test, job),
        }
    }

    /// An input failed, and its worker lives: unless it was told to end meanwhile.
    fn failed(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        job: SpentJob,
        input: Input,
        failure: Failure,
    ) {
        if !matches!(self.slots[worker.0].state, SlotState::Stopping(..)) {
            return self.judge_failure(test, job, input, failure, false);
        }
        // What was run before says nothing new now.
        let asked = match &job {
            SpentJob::Confirm(signature) | SpentJob::Recheck(signature) => Some(*signature),
            SpentJob::MinimizeFailure(spent) => Some(spent.job.signature),
            SpentJob::Warmup(_) | SpentJob::Fuzz { .. } | SpentJob::MinimizeFind(_) => None,
        };
        let is_known = matches!(job, SpentJob::Warmup(_)) || asked == Some(failure.signature());
        self.abandon_cut_off(test, job);
        if !is_known {
            self.crashed_while_ended(test, input, failure);
        }
    }

    /// An input failed, and its worker ended by it or lives.
    pub(super) fn judge_failure(
        &mut self,
        test: TestIndex,
        job: SpentJob,
        input: Input,
        failure: Failure,
        has_ended: bool,
    ) {
        match job {
            SpentJob::Warmup(item) => self.warmup_failed(test, item, failure),
            SpentJob::Fuzz { .. } => self.crashed(test, input, failure),
            SpentJob::MinimizeFind(find) => {
                self.admit(test, find);
                self.crashed(test, input, failure);
            }
            SpentJob::Confirm(signature) => self.confirm_failed(test, signature, input, failure),
            SpentJob::MinimizeFailure(spent) => {
                self.search_failed(test, &spent, has_ended);
                if failure.signature() != spent.job.signature {
                    self.crashed(test, input, failure);
                }
            }
            SpentJob::Recheck(signature) => {
                let is_same = failure.signature() == signature;
                self.rechecked(test, signature, is_same);
                if !is_same {
                    self.crashed(test, input, failure);
                }
            }
        }
    }

    /// An input of the warm-up passed.
    fn warmed_up(&mut self, test: TestIndex, item: WarmupItem, coverage: Vec<Feature>) {
        self.passed_again(test, &item, None);
        let input = item.input;
        let state = self.test(test);
        state.warmup.settle(false);
        let gain = state.merge(&coverage);
        let id = EntryId::of(&input);
        if state.add_entry(id, input.clone(), &coverage, gain, Duration::ZERO, false).is_some() {
            if item.source == WarmupSource::Entry(Origin::Found) {
                let record = Record::Entry { test, id, input, parent: None, coverage };
                self.commit(record, Consequence::EntryKept { test, gain, is_added: true });
            } else {
                // Its bytes lie where they were loaded from.
                state.count_durable(gain, true);
                self.commit(Record::Measured { test, id, coverage }, Consequence::None);
            }
        }
        self.finish_warmup(test);
    }

    /// Goes over to fuzzing when the last input has its verdict.
    pub(super) fn finish_warmup(&mut self, test: TestIndex) {
        let state = self.test(test);
        if state.stage != Stage::WarmingUp || !state.warmup.is_complete() {
            return;
        }
        state.stage = Stage::Fuzzing;
        if state.corpus.is_empty() {
            // Every input failed or was rejected; mutation still has to start from something.
            state.add_base();
        }
        let report = Report::WarmupFinished {
            test,
            corpus: state.durable_corpus,
            edges: state.durable.edges,
            failing: state.warmup.failing,
        };
        self.report(report);
    }

    /// A job ends without a verdict.
    pub(super) fn abandon(&mut self, test: TestIndex, job: SpentJob) {
        match job {
            SpentJob::Warmup(item) => {
                let again = self.test(test).warmup.put_back(item);
                if !again {
                    self.finish_warmup(test);
                }
            }
            SpentJob::Fuzz { .. } => {}
            SpentJob::MinimizeFind(find) => {
                self.admit(test, find);
            }
            // Counted as a run that did not fail: a loss must not be tried again for ever.
            SpentJob::Confirm(signature) => self.confirm_ran(test, signature, false),
            SpentJob::MinimizeFailure(spent) => self.search_abandoned(test, &spent),
            SpentJob::Recheck(signature) => self.rechecked(test, signature, false),
        }
    }
}

/// What is wrong with what a worker says of the items of its plan.
fn plan_complaint(job: &Job, uses: usize) -> Option<String> {
    let items = match job {
        Job::Fuzz(job) => job.plan.len(),
        Job::Warmup(_)
        | Job::MinimizeFind(_)
        | Job::Confirm(_)
        | Job::MinimizeFailure(_)
        | Job::Recheck(_) => 0,
    };
    (uses != 0 && uses != items).then(|| format!("it told of {uses} items of a plan of {items}"))
}

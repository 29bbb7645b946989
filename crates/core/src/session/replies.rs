//! What an answer means.
//!
//! Owns the judgement of every [`Reply`]: accounting first, then what came of the job. Answers are
//! hostile input: counts are clamped, coverage outside the map makes the worker a misbehaving one.

use crate::corpus::EntryIndex;
use crate::coverage::{Feature, Gain};
use crate::failure::Failure;
use crate::ids::{EntryId, Input, TestIndex, WorkerId};
use crate::limits::PENDING_COMMITS_MAX;
use crate::session::Session;
use crate::session::assign::micros;
use crate::session::commits::Consequence;
use crate::session::config::Pace;
use crate::session::effect::StopRequestKind;
use crate::session::event::{Outcome, Reply};
use crate::session::finish::Phase;
use crate::session::record::Record;
use crate::session::report::Report;
use crate::session::slot::{Find, Job, SlotState};
use crate::session::test_state::Stage;
use crate::session::warmup::WarmupItem;
use crate::signature::Signature;

impl Session {
    pub(super) fn on_reply(&mut self, worker: WorkerId, reply: Reply) {
        let Some((test, job)) = self.slots[worker.0].take_job() else { return };
        let outcome = self.screen(test, reply.outcome.clone());
        let job = self.account(worker, test, job, &reply, &outcome);
        if let Outcome::Misbehaved { reason } = outcome {
            self.abandon(test, job);
            self.lose_worker(worker, test, &reason);
            return self.stop_worker(worker, StopRequestKind::Kill);
        }
        self.test(test).count_good_answer();
        for (signature, count) in &reply.ignored {
            if let Some(bug) = self.test(test).ledger.get_mut(*signature) {
                bug.count = bug.count.saturating_add(*count);
            }
        }
        self.judge(worker, test, job, outcome);
    }

    /// Replaces an outcome that cannot be true by a complaint.
    fn screen(&self, test: TestIndex, outcome: Outcome) -> Outcome {
        let map = &self.tests[test.0].coverage;
        let (Outcome::Passed { coverage }
        | Outcome::Find { coverage, .. }
        | Outcome::Minimized { coverage, .. }) = &outcome
        else {
            return outcome;
        };
        if map.fits(coverage) {
            return outcome;
        }
        let reason = format!("it reported a counter beyond the {} there are", map.counters());
        Outcome::Misbehaved { reason }
    }

    /// Books executions and time, and settles the budget.
    fn account(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        job: Job,
        reply: &Reply,
        outcome: &Outcome,
    ) -> SpentJob {
        let by_clock = self.config.pace == Pace::Clock;
        let mut executed = 0;
        let spent = match job {
            Job::Fuzz { entry, reservation } => {
                executed = self.budget.settle(reservation, reply.execs);
                let cost = if by_clock { micros(reply.elapsed) } else { executed };
                let finds = match outcome {
                    Outcome::Find { .. } => 1,
                    Outcome::Passed { .. }
                    | Outcome::Rejected
                    | Outcome::Nothing
                    | Outcome::Failed { .. }
                    | Outcome::Minimized { .. }
                    | Outcome::Misbehaved { .. } => 0,
                };
                let state = self.test(test);
                state.execs = state.execs.saturating_add(executed);
                state.fuzz_time += reply.elapsed;
                state.corpus.charge(entry, cost, finds);
                SpentJob::Fuzz { entry }
            }
            Job::MinimizeFind(find) => {
                self.test(test).minimize_time += reply.elapsed;
                SpentJob::MinimizeFind(find)
            }
            Job::Warmup(item) => SpentJob::Warmup(item),
            Job::Confirm(signature) => SpentJob::Confirm(signature),
            Job::MinimizeFailure(signature) => SpentJob::MinimizeFailure(signature),
            Job::Recheck(signature) => SpentJob::Recheck(signature),
        };
        let all = executed.saturating_add(reply.execs_other);
        let cost = if by_clock { micros(reply.elapsed) } else { all };
        self.slots[worker.0].stay = self.slots[worker.0].stay.saturating_add(cost);
        self.test(test).charge(cost);
        self.test(test).execs_other += reply.execs_other;
        if all > 0 {
            self.watch.count_progress(self.now, reply.execs_other);
        }
        spent
    }

    fn judge(&mut self, worker: WorkerId, test: TestIndex, job: SpentJob, outcome: Outcome) {
        match (job, outcome) {
            (job, Outcome::Failed { input, failure }) => {
                self.judge_failure(test, job, input, failure);
            }
            (SpentJob::Warmup(item), Outcome::Passed { coverage }) => {
                self.warmed_up(test, item, coverage);
            }
            (SpentJob::Warmup(_), Outcome::Rejected) => {
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
            (SpentJob::MinimizeFailure(signature), Outcome::Minimized { input, .. }) => {
                self.minimized_failure(test, signature, input);
            }
            (SpentJob::Recheck(signature), Outcome::Passed { .. } | Outcome::Rejected) => {
                self.rechecked(test, signature, false);
            }
            (job, _) => {
                // An answer of another call's shape.
                self.abandon(test, job);
                self.lose_worker(worker, test, "its answer does not fit the call");
                self.stop_worker(worker, StopRequestKind::Kill);
            }
        }
    }

    /// An input failed, in a worker that lives or with the worker.
    pub(super) fn judge_failure(
        &mut self,
        test: TestIndex,
        job: SpentJob,
        input: Input,
        failure: Failure,
    ) {
        match job {
            SpentJob::Warmup(item) => self.warmup_failed(test, item, failure),
            SpentJob::Fuzz { .. } => self.crashed(test, input, failure),
            SpentJob::MinimizeFind(find) => {
                self.admit(test, find);
                self.crashed(test, input, failure);
            }
            SpentJob::Confirm(signature) => self.confirm_failed(test, signature, input, failure),
            SpentJob::MinimizeFailure(signature) => {
                self.unminimizable(test, signature);
                if failure.signature() != signature {
                    self.crashed(test, input, failure);
                }
            }
            SpentJob::Recheck(signature) => {
                self.rechecked(test, signature, failure.signature() == signature);
            }
        }
    }

    /// An input of the warm-up passed.
    fn warmed_up(&mut self, test: TestIndex, item: WarmupItem, coverage: Vec<Feature>) {
        let input = item.input.clone();
        self.passed_again(test, &item);
        let state = self.test(test);
        state.warmup.settle(false);
        let gain = state.coverage.merge(&coverage);
        let id = EntryId::of(&input);
        if !state.corpus.contains(id) {
            state.corpus.add(input, gain);
            // Its bytes lie where they were loaded from.
            state.count_durable(gain);
            self.commit(Record::Measured { test, id, coverage }, Consequence::None);
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
            state.corpus.add(Input::from(Vec::new()), Gain::default());
        }
        let report = Report::WarmupFinished {
            test,
            corpus: state.durable_corpus,
            edges: state.durable.edges,
            failing: state.warmup.failing,
        };
        self.report(report);
    }

    fn found(
        &mut self,
        worker: WorkerId,
        test: TestIndex,
        parent: EntryIndex,
        input: Input,
        coverage: Vec<Feature>,
    ) {
        let is_busy = self.commits.len() >= PENDING_COMMITS_MAX;
        let state = self.test(test);
        let keep = state.coverage.new_features(&coverage);
        if keep.is_empty() || is_busy {
            // Another worker brought it first, or the disk is too far behind to take it.
            return;
        }
        let gain = state.coverage.merge(&coverage);
        if state.corpus.contains(EntryId::of(&input)) {
            // A target that does not always cover the same: the entry is there already.
            return;
        }
        let may_minimize = state.may_minimize_find() && input.len() > 1;
        let find = Find { input, coverage, keep, gain, parent };
        let is_idle = match self.slots[worker.0].state {
            SlotState::Idle(_) => true,
            SlotState::Vacant
            | SlotState::Starting(_)
            | SlotState::Busy(..)
            | SlotState::Stopping(..) => false,
        };
        let minimizes = self.config.minimize && may_minimize && is_idle;
        if minimizes && self.phase == Phase::Running {
            self.minimize_find(worker, test, find);
        } else {
            self.admit(test, find);
        }
    }

    fn minimized_find(
        &mut self,
        test: TestIndex,
        find: Find,
        input: Input,
        coverage: Vec<Feature>,
    ) {
        let has = |&(index, bits): &Feature| {
            coverage.iter().any(|&(own, class)| own == index && class & bits == bits)
        };
        let is_smaller = input.len() < find.input.len()
            || (input.len() == find.input.len() && input != find.input);
        if !is_smaller || !find.keep.iter().all(has) {
            return self.admit(test, find);
        }
        let more = self.test(test).coverage.merge(&coverage);
        let gain = Gain {
            edges: find.gain.edges + more.edges,
            features: find.gain.features + more.features,
        };
        self.admit(test, Find { input, coverage, gain, ..find });
    }

    /// Makes a find an entry, and asks for it to be kept.
    pub(super) fn admit(&mut self, test: TestIndex, find: Find) {
        let state = self.test(test);
        let parent = state.corpus.entry(find.parent).id;
        let id = EntryId::of(&find.input);
        state.corpus.add(find.input.clone(), find.gain);
        state.has_find_in_stay = true;
        let record = Record::Entry {
            test,
            id,
            input: find.input,
            parent: Some(parent),
            coverage: find.coverage,
        };
        self.commit(record, Consequence::EntryKept { test, gain: find.gain });
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
            SpentJob::MinimizeFind(find) => self.admit(test, find),
            // Counted as a run that did not fail: a loss must not be tried again for ever.
            SpentJob::Confirm(signature) => self.confirm_ran(test, signature, false),
            SpentJob::MinimizeFailure(signature) => self.unminimizable(test, signature),
            SpentJob::Recheck(signature) => self.rechecked(test, signature, false),
        }
    }
}

/// A job whose executions are booked.
#[derive(Debug)]
pub(super) enum SpentJob {
    Warmup(WarmupItem),
    Fuzz { entry: EntryIndex },
    MinimizeFind(Find),
    Confirm(Signature),
    MinimizeFailure(Signature),
    Recheck(Signature),
}

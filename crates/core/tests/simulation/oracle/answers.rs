//! Calls and their answers: budgets are exact, coverage only grows, fresh processes are fresh.

use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{EntryId, Input, TestIndex};
use fuzzd_core::session::{Call, Origin, Outcome, Reply, Work, WorkerEvent};
use fuzzd_core::signature::{FailureKind, Signature};

use crate::oracle::Oracle;
use crate::process::{InFlight, Process};

impl Oracle {
    /// The core sends a call.
    pub(crate) fn call(&mut self, process: &Process, call: &Call, clock: Duration) {
        self.started_at.get_or_insert(clock);
        if let Work::Fuzz { execs_max, .. } = call.work {
            assert!(execs_max > 0, "a Fuzz call without an execution");
            self.reserved = self.reserved.saturating_add(execs_max);
            if let Some(max) = self.config.execs_max {
                assert!(self.execs + self.reserved <= max, "the budget is over-committed");
            }
        }
        let test = self.test(process.test);
        assert!(!process.told.has_any(&call.coverage), "it was told some coverage twice");
        let mut told = process.told.clone();
        told.add(&call.coverage);
        test.told.union(&told);
        assert_eq!(told, test.told, "a process knows less than another was told before");
        assert_eq!(told, test.published, "what is told is not what is shown");
        test.check_plan(process, call);
        assert!(test.sure.is_within(&told), "merged coverage is kept from a process");
        assert!(told.is_within(&test.maybe), "coverage nobody reported");
        if call.work == Work::Execute {
            let is_warmup = test.warmup.contains_key(&call.input) && !test.is_warm;
            assert!(
                is_warmup || process.calls == 0,
                "a crash is tried in a process that ran something before",
            );
        }
        if let Work::MinimizeFailure { signature, by_fork, .. } = call.work {
            let bug = test.reported.contains(&signature);
            assert!(bug, "a bug is minimized before it is reported");
            assert!(!by_fork || process.can.has_fork, "a worker that cannot fork is asked to");
        }
        assert!(!test.is_given_up, "work for a test that was given up");
    }

    /// The core is about to hear how a call ended.
    pub(crate) fn answered(
        &mut self,
        test: TestIndex,
        flight: &InFlight,
        answer: &WorkerEvent,
        is_distrusted: bool,
    ) {
        let call = &flight.call;
        let mut claimed = 0;
        let mut failed = None;
        match answer {
            WorkerEvent::Replied(reply) => {
                claimed = reply.execs;
                failed = self.replied(test, flight, reply, is_distrusted);
            }
            WorkerEvent::Died(death) => {
                claimed = death.execs;
                if let Some(input) = &death.input {
                    let signature = death.failure.signature();
                    self.crashed(test, flight, input, signature, death.failure.kind);
                    failed = Some(signature);
                }
            }
            WorkerEvent::Stopped { execs } => claimed = *execs,
            WorkerEvent::Ready { .. } | WorkerEvent::Found(_) | WorkerEvent::StartFailed { .. } => {
            }
        }
        if let Work::Fuzz { execs_max, .. } = call.work {
            let counted = claimed.min(execs_max);
            self.reserved -= execs_max;
            self.execs += counted;
            self.test(test).execs += counted;
        }
        let other = match answer {
            WorkerEvent::Replied(reply) => reply.execs_other,
            WorkerEvent::Died(death) => death.execs_other,
            _ => 0,
        };
        self.search_ended(test, call, other);
        if call.work == Work::Execute && flight.is_first {
            self.test(test).fresh_runs.entry(call.input.clone()).or_default().push(failed);
        }
        let is_verdict = matches!(answer, WorkerEvent::Replied(_) | WorkerEvent::Died(_));
        if call.work == Work::Execute && is_verdict {
            self.known_bug_ran(test, &call.input, failed);
        }
    }

    /// The input of a bug of before did not fail as it did.
    fn known_bug_ran(&mut self, test: TestIndex, input: &Input, failed: Option<Signature>) {
        let test = self.test(test);
        for (signature, (own, _)) in &test.bugs {
            if own == input && failed != Some(*signature) {
                test.passing.insert(*signature);
            }
        }
    }

    fn replied(
        &mut self,
        index: TestIndex,
        flight: &InFlight,
        reply: &Reply,
        is_distrusted: bool,
    ) -> Option<Signature> {
        let call = &flight.call;
        let test = &mut self.tests[index.0];
        match (&reply.outcome, &call.work) {
            (Outcome::Failed { input, failure }, _) => {
                let signature = failure.signature();
                self.crashed(index, flight, input, signature, failure.kind);
                return Some(signature);
            }
            _ if is_distrusted => {}
            (Outcome::Misbehaved { input: Some(input), reason }, work)
                if *work != Work::Execute =>
            {
                let failure = Failure::new(FailureKind::Protocol, "", reason, "");
                let crashes = test.crashes.entry(failure.signature()).or_default();
                crashes.insert(input.clone());
            }
            (Outcome::Passed { coverage }, Work::Execute) if test.maybe.fits(coverage) => {
                test.maybe.add(coverage);
                test.answered.entry(call.input.clone()).or_default().push(coverage.clone());
                if test.warmup.contains_key(&call.input) && !test.is_warm {
                    if !flight.is_first {
                        test.sure.add(coverage);
                    }
                    if test.loaded.contains(&EntryId::of(&call.input)) {
                        test.durable.add(coverage);
                    }
                }
            }
            (Outcome::Find { input, coverage }, Work::Fuzz { .. }) if test.maybe.fits(coverage) => {
                test.found(input, coverage);
            }
            (Outcome::Minimized { input, coverage }, Work::MinimizeFind { .. })
                if test.maybe.fits(coverage) =>
            {
                test.maybe.add(coverage);
                test.answered.entry(input.clone()).or_default().push(coverage.clone());
            }
            _ => {}
        }
        None
    }

    fn crashed(
        &mut self,
        index: TestIndex,
        flight: &InFlight,
        input: &Input,
        signature: Signature,
        kind: FailureKind,
    ) {
        let test = self.test(index);
        let is_execute = flight.call.work == Work::Execute;
        if is_execute && matches!(kind, FailureKind::ForeignSignal(_)) {
            // Not the input's doing: a warm-up input is tried once more.
            return;
        }
        let is_confirm = test.crashes.values().any(|inputs| inputs.contains(input))
            || test.bugs.values().any(|(own, is_pending)| *is_pending && own == input);
        let is_old = test.warmup.get(input).is_some_and(|origin| match origin {
            Some(Origin::Testdata(_) | Origin::Corpus) => true,
            Some(Origin::Seed | Origin::SeedFile(_) | Origin::Found) | None => false,
        });
        let is_first =
            !test.crashes.contains_key(&signature) && !test.bugs.contains_key(&signature);
        if is_first && is_execute && is_old && !test.is_warm && !(flight.is_first && is_confirm) {
            test.known_first.insert(signature);
        }
        test.crashes.entry(signature).or_default().insert(input.clone());
    }
}

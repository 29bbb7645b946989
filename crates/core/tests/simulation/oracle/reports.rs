//! What people are told: never before it is durable, never twice, never wrong.

use std::time::Duration;

use fuzzd_core::session::{BugReport, FinishReason, Report, Status, Summary, Verdict};
use fuzzd_core::signature::FailureKind;

use crate::oracle::Oracle;

impl Oracle {
    pub(crate) fn report(&mut self, report: &Report, clock: Duration) {
        match report {
            Report::Status(status) => self.status(status),
            Report::Bug(bug) => self.bug(bug),
            Report::BugMinimized(bug) => {
                self.has_verdict(bug, |verdict| verdict == Verdict::Minimized);
                let is_told = self.test(bug.test).reported.contains(&bug.signature);
                assert!(is_told, "minimized before it was reported");
            }
            Report::KnownBug(bug) => {
                self.has_verdict(bug, |verdict| verdict == Verdict::Known);
                let test = self.test(bug.test);
                assert!(test.reported_known.insert(bug.signature), "a known bug, twice");
                assert!(!test.reported.contains(&bug.signature), "known and new");
            }
            Report::NoLongerFails(bug) => {
                self.has_verdict(bug, |verdict| verdict == Verdict::NoLongerFails);
                let test = self.test(bug.test);
                assert!(test.passing.contains(&bug.signature), "nobody saw it pass");
                assert_eq!(test.bugs[&bug.signature].0, bug.input, "the input of another bug");
                assert!(!test.reported_known.contains(&bug.signature), "it still fails");
            }
            Report::Unconfirmed(bug) => {
                self.has_verdict(bug, |verdict| matches!(verdict, Verdict::Unconfirmed { .. }));
                let was_tried = bug.runs > 0 || bug.failure.kind == FailureKind::Protocol;
                assert!(was_tried && bug.reproduced == 0, "{bug:?}");
            }
            Report::TestGivenUp { test, .. } => self.test(*test).is_given_up = true,
            Report::WarmupFinished { test, .. } => {
                let test = self.test(*test);
                assert!(!test.is_warm, "warmed up twice");
                test.is_warm = true;
            }
            Report::StoreFailing { .. } => {
                assert!(!self.is_store_failing, "a failing disk is told of twice");
                self.is_store_failing = true;
            }
            Report::StoreRecovered => {
                assert!(self.is_store_failing, "a recovery from nothing");
                self.is_store_failing = false;
            }
            Report::Finished(summary) => {
                self.summary(summary, clock);
                self.status(&summary.status);
                self.summary = Some(summary.clone());
            }
            Report::WarmupStarted { .. } | Report::WorkerLost { .. } | Report::Stalled { .. } => {}
        }
    }

    /// The crash and the verdict, with the very input shown, are on the disk.
    fn has_verdict(&self, bug: &BugReport, is: impl Fn(Verdict) -> bool) {
        let test = &self.tests[bug.test.0];
        assert!(test.is_crash_durable(bug.signature), "reported before its crash is durable");
        let verdicts = test.stored_verdicts.get(&bug.signature);
        let has =
            verdicts.is_some_and(|all| all.iter().any(|(input, v)| is(*v) && *input == bug.input));
        assert!(has, "reported before its verdict is durable: {bug:?}");
    }

    fn bug(&mut self, bug: &BugReport) {
        self.has_verdict(bug, |verdict| {
            matches!(verdict, Verdict::Confirmed { .. } | Verdict::Flaky { .. })
        });
        if matches!(bug.failure.kind, FailureKind::ForeignSignal(_)) {
            assert!(bug.reproduced > 0, "a kill from outside is no bug: {bug:?}");
        }
        self.has_new_bug = true;
        let signature = bug.signature;
        let test = self.test(bug.test);
        assert!(test.reported.insert(signature), "reported twice: {bug:?}");
        assert!(!test.reported_known.contains(&signature), "known and new: {bug:?}");
        assert!(!test.known_first.contains(&signature), "testdata that fails is not new: {bug:?}");
        let is_regression = test.passing.contains(&signature);
        assert!(!test.is_known(signature) || is_regression, "a known bug as new: {bug:?}");
    }

    fn status(&mut self, status: &Status) {
        assert_eq!(status.execs, self.execs, "the count of executions");
        let durable = |of: fn(&super::TestAccount) -> u64| self.tests.iter().map(of).sum::<u64>();
        assert!(status.edges <= durable(|test| test.durable.edges()), "edges not durable");
        assert!(status.features <= durable(|test| test.durable.features()), "{status:?}");
        let finds = durable(|test| test.stored_entries.len() as u64);
        assert!(status.new_finds <= finds, "{} finds, {finds} on disk", status.new_finds);
        let entries = durable(|test| test.stored_entries.union(&test.loaded).count() as u64);
        assert!(status.corpus as u64 <= entries, "{} of {entries} entries", status.corpus);
        assert_eq!(status.bugs as u64, durable(|test| test.reported.len() as u64), "new bugs");
        if let Some(before) = self.status.replace(status.clone()) {
            assert!(status.edges >= before.edges, "edges shrink");
            assert!(status.features >= before.features, "features shrink");
            assert!(status.corpus >= before.corpus, "the corpus shrinks");
            assert!(status.elapsed >= before.elapsed, "time runs backwards");
        }
    }

    fn summary(&self, summary: &Summary, clock: Duration) {
        let is_right = match summary.reason {
            FinishReason::ExecsReached => {
                assert_eq!(Some(self.execs), self.config.execs_max, "exactly the budget");
                true
            }
            FinishReason::TimeReached => self.is_time_up(clock),
            FinishReason::FailFast => self.config.fail_fast && self.has_new_bug,
            FinishReason::Stopped => self.graceful_at.is_some(),
            FinishReason::Killed => self.immediate_at.is_some(),
            FinishReason::WorkersWouldNotStart => self.tests.iter().all(|test| test.is_given_up),
        };
        assert!(is_right, "the reason of the end is wrong: {:?}", summary.reason);
        let is_killed = summary.reason == FinishReason::Killed;
        assert_eq!(is_killed, self.immediate_at.is_some(), "the second signal is the reason");
        for (test, account) in summary.tests.iter().zip(&self.tests) {
            assert_eq!(test.execs, account.execs);
            assert_eq!(test.execs_total, account.execs_before + account.execs);
            assert_eq!(test.bugs_new, account.reported.len());
            assert_eq!(test.bugs_known, account.reported_known.len());
            assert_eq!(test.given_up.is_some(), account.is_given_up);
        }
    }
}

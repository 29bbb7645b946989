//! Whether a run gets on while it runs, and whether its end is one: in time, with nothing lost.

use std::time::Duration;

use fuzzd_core::ids::{Input, TestIndex, WorkerId};
use fuzzd_core::limits::{
    COMMIT_GRACE, COMMIT_GRACE_KILLED, COMMIT_WAIT_MAX, FAILED_STARTS_MAX, RESTART_DELAY_MAX,
};
use fuzzd_core::session::{FinishReason, Pace, Record, Verdict, Work};
use fuzzd_core::signature::Signature;

use crate::bits::Bits;
use crate::disk::Disk;
use crate::oracle::Oracle;
use crate::process::Process;

/// Processes in a row that may be started and ended for nothing in one slot. A test with a pending
/// crash that will not start takes workers from others until it is given up.
const WASTED_MAX: u32 = 5 + 4 * FAILED_STARTS_MAX;
/// How late a tick may be, and what a kill takes.
const SLACK: Duration = Duration::from_millis(150);
/// The longest way down the ladder, with its deadlines.
const LADDER: Duration = Duration::from_millis(2_100);

/// Whether others may wait for the end of this call.
fn is_shared(work: &Work) -> bool {
    matches!(work, Work::MinimizeFailure { search: Some(_), .. })
}

impl Oracle {
    /// The core ends a process.
    pub(crate) fn stopped(&mut self, worker: WorkerId, slots: &[Option<Process>]) {
        let process = slots[worker.0].as_ref().expect("checked by the shell");
        let is_wasted = process.calls == 0 && process.is_ready && !process.is_dead;
        let winds_up = self.graceful_at.is_some() || self.immediate_at.is_some();
        let wasted = &mut self.wasted[worker.0];
        *wasted = if is_wasted && !winds_up { *wasted + 1 } else { 0 };
        assert!(*wasted <= WASTED_MAX, "{worker:?}: processes are started and ended for nothing");
    }

    /// While there is work, no worker waits and no slot stays empty.
    pub(crate) fn check_idle(
        &mut self,
        slots: &[Option<Process>],
        disk: &Disk,
        now: Duration,
        clock: Duration,
    ) {
        let waits_for_disk = self.config.pace == Pace::Executions && disk.has_bug_work();
        let left = self.config.execs_max.map(|max| max - self.execs - self.reserved);
        if !self.is_running(clock) || waits_for_disk || left == Some(0) {
            self.empty_since.fill(None);
            return;
        }
        for (worker, slot) in slots.iter().enumerate() {
            let Some(process) = slot else {
                let since = *self.empty_since[worker].get_or_insert(now);
                let patience = RESTART_DELAY_MAX + SLACK;
                assert!(now <= since + patience, "slot {worker} stays empty since {since:?}");
                continue;
            };
            self.empty_since[worker] = None;
            let waits_for_warmup = !self.tests[process.test.0].is_warm
                && slots.iter().flatten().any(|other| {
                    other.test == process.test
                        && other.in_flight.as_ref().is_some_and(|f| f.call.work == Work::Execute)
                });
            // Workers that share a search wait for the last of a round.
            let waits_for_search = slots.iter().flatten().any(|other| {
                other.test == process.test
                    && other.in_flight.as_ref().is_some_and(|f| is_shared(&f.call.work))
            });
            let is_idle = process.is_idle() && !waits_for_warmup && !waits_for_search;
            assert!(!is_idle, "worker {worker} is idle while there is work");
        }
    }

    /// The session says that it is over.
    pub(crate) fn finish(&mut self, disk: &Disk, now: Duration) {
        let summary = self.summary.clone().expect("Finished is reported before Finish");
        self.ends_in_time(summary.reason, disk, now);
        let mut crashes: Vec<(TestIndex, Input)> = Vec::new();
        let mut entries = 0;
        let mut kept: Vec<Bits> = self.tests.iter().map(|test| test.durable.clone()).collect();
        let mut signatures: Vec<(TestIndex, Signature)> = Vec::new();
        for (token, record) in &disk.pending {
            match record {
                Record::Crash { test, input, signature, .. } => {
                    crashes.push((*test, input.clone()));
                    signatures.push((*test, *signature));
                }
                Record::Entry { test, coverage, .. } => {
                    entries += 1;
                    kept[test.0].add(coverage);
                }
                // Nobody was told of this bug, so the end tells of its crash.
                Record::Bug { test, input, verdict, .. }
                    if verdict.is_new_bug() && disk.was_refused(*token) =>
                {
                    crashes.push((*test, input.clone()));
                }
                Record::Measured { .. } | Record::Bug { .. } | Record::Progress { .. } => {}
            }
        }
        let mut unsaved: Vec<(TestIndex, Input)> =
            summary.unsaved.iter().map(|crash| (crash.test, crash.input.clone())).collect();
        unsaved.sort();
        crashes.sort();
        assert_eq!(unsaved, crashes, "unsaved crashes");
        assert_eq!(summary.unsaved_entries, entries, "unsaved entries");
        let is_well = disk.is_well_for(COMMIT_GRACE + SLACK, now);
        let is_patient = summary.reason != FinishReason::Killed && !self.clock_jumps;
        assert!(!is_well || !is_patient || disk.pending.is_empty(), "given up on a healthy disk");
        for (index, test) in self.tests.iter().enumerate() {
            for signature in test.crashes.keys() {
                let is_kept = test.is_crash_durable(*signature)
                    || signatures.contains(&(TestIndex(index), *signature));
                assert!(is_kept, "a crash is lost: {signature} of test {index}");
            }
            let mut kept = kept[index].clone();
            kept.union(&test.unsteady);
            assert!(test.sure.is_within(&kept), "a find is lost: test {index}");
            for (signature, verdicts) in &test.stored_verdicts {
                self.is_told(index, *signature, verdicts.len());
            }
        }
        if entries == 0 {
            let steady = self.tests.iter().map(|test| test.sure.without(&test.unsteady).features());
            let told = summary.status.features;
            let durable: u64 = steady.sum();
            assert!(told >= durable, "{told} features are told, {durable} are durable");
        }
    }

    /// What is durable was told, unless the session superseded it.
    fn is_told(&self, test: usize, signature: Signature, verdicts: usize) {
        let test = &self.tests[test];
        let is_bug = test.reported.contains(&signature) || test.reported_known.contains(&signature);
        let is_passing = test.passing.contains(&signature);
        let is_unconfirmed = test.stored_verdicts[&signature]
            .iter()
            .any(|(_, verdict)| matches!(verdict, Verdict::Unconfirmed { .. }));
        assert!(
            is_bug || is_passing || is_unconfirmed,
            "{verdicts} verdicts on {signature} were never told",
        );
    }

    fn ends_in_time(&self, reason: FinishReason, disk: &Disk, now: Duration) {
        let patience = match disk.patience() {
            Some(delay) if delay < COMMIT_GRACE => COMMIT_GRACE + delay * 3,
            Some(_) | None => COMMIT_WAIT_MAX,
        };
        if let Some(at) = self.graceful_at {
            let limit = at + LADDER + patience + SLACK;
            assert!(now <= limit, "stopped at {at:?}, and over only now");
        }
        if let Some(at) = self.immediate_at {
            assert_eq!(reason, FinishReason::Killed);
            let limit = at + COMMIT_GRACE_KILLED + SLACK;
            assert!(now <= limit, "killed at {at:?}, and over only now");
        }
    }
}

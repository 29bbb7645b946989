//! Inputs during which a worker broke the protocol.
//!
//! Owns what becomes of them: they are kept under `unconfirmed/`, as the input may have no part in
//! it and no fresh process can tell. Must not blame the worker: `losses` does.

use crate::failure::Failure;
use crate::ids::{Input, TestIndex};
use crate::limits::{BUGS_PER_TEST_MAX, ORIGINALS_PER_BUG_MAX};
use crate::session::Session;
use crate::session::account::SpentJob;
use crate::session::bugs::{Bug, BugState};
use crate::session::commits::Consequence;
use crate::session::event::Outcome;
use crate::session::record::Record;
use crate::signature::FailureKind;

/// The input to keep of an answer that broke the protocol: a new one. Those of other calls are on
/// the disk already.
pub(super) fn suspect(job: &SpentJob, outcome: Outcome) -> Option<Input> {
    match job {
        SpentJob::Fuzz { .. } | SpentJob::MinimizeFind(_) | SpentJob::MinimizeFailure(_) => {}
        SpentJob::Warmup(_) | SpentJob::Confirm(_) | SpentJob::Recheck(_) => return None,
    }
    match outcome {
        Outcome::Misbehaved { input, .. } => input,
        Outcome::Passed { .. }
        | Outcome::Rejected
        | Outcome::Nothing
        | Outcome::Find { .. }
        | Outcome::Failed { .. }
        | Outcome::Minimized { .. }
        | Outcome::Searched { .. } => None,
    }
}

impl Session {
    /// Keeps an input during which a worker broke the protocol.
    pub(super) fn keep_suspect(&mut self, test: TestIndex, input: Input, reason: &str) {
        let failure = Failure::new(FailureKind::Protocol, "", reason, "");
        let signature = failure.signature();
        let ledger = &mut self.tests[test.0].ledger;
        let is_full = ledger.bugs.len() >= BUGS_PER_TEST_MAX;
        let originals = match ledger.get_mut(signature) {
            Some(bug) => {
                let is_kept = bug.input == input || bug.originals >= ORIGINALS_PER_BUG_MAX;
                if is_kept || !bug.is_set_aside() {
                    bug.count = bug.count.saturating_add(1);
                    return;
                }
                bug.originals + 1
            }
            None if is_full => {
                ledger.overflow = ledger.overflow.saturating_add(1);
                return;
            }
            None => 1,
        };
        let mut bug = Bug::new(failure.clone(), input.clone(), BugState::Committing, true);
        bug.originals = originals;
        ledger.insert(signature, bug);
        let record = Record::Crash { test, signature, input, failure, is_doubtful: false };
        self.commit(record, Consequence::CrashKept { test, signature });
    }
}

//! What came of a script: reports and records.

use fuzzd_core::session::{Record, Report, StopRequest, Summary};
use fuzzd_core::signature::Signature;

use crate::script::Stage;

impl Stage {
    /// Names of what was reported, statuses left out.
    pub(crate) fn told(&self) -> Vec<&'static str> {
        let name = |report: &Report| match report {
            Report::Status(_) => None,
            Report::WarmupStarted { .. } => Some("warmup started"),
            Report::WarmupFinished { .. } => Some("warmup finished"),
            Report::Bug(bug) if bug.is_flaky => Some("flaky bug"),
            Report::Bug(_) => Some("bug"),
            Report::BugMinimized(_) => Some("minimized"),
            Report::KnownBug(_) => Some("known"),
            Report::NoLongerFails(_) => Some("no longer fails"),
            Report::Unconfirmed(_) => Some("unconfirmed"),
            Report::WorkerLost { .. } => Some("lost"),
            Report::TestGivenUp { .. } => Some("given up"),
            Report::Stalled { .. } => Some("stalled"),
            Report::StoreFailing { .. } => Some("store failing"),
            Report::StoreRecovered => Some("store recovered"),
            Report::Finished(_) => Some("finished"),
        };
        self.reports.iter().filter_map(name).filter(|name| !name.starts_with("warmup")).collect()
    }

    /// Whether any crash got its verdict.
    pub(crate) fn has_verdict(&self) -> bool {
        self.stored.iter().any(|record| matches!(record, Record::Bug { .. }))
    }

    /// The summary of a session that is over.
    pub(crate) fn summary(&self) -> &Summary {
        assert!(self.is_finished, "it is over");
        let summary = self.reports.iter().find_map(|report| match report {
            Report::Finished(summary) => Some(summary),
            _ => None,
        });
        summary.expect("told before the end")
    }

    /// Asks for the end, and returns the summary.
    pub(crate) fn summary_after_stop(&mut self) -> &Summary {
        self.signal(StopRequest::Graceful);
        self.summary()
    }

    /// Inputs of the entries stored so far.
    pub(crate) fn entries(&self) -> Vec<&[u8]> {
        let entries = self.stored.iter().filter_map(|record| match record {
            Record::Entry { input, .. } => Some(&**input),
            _ => None,
        });
        entries.collect()
    }

    /// Crashes of a signature stored so far.
    pub(crate) fn crashes(&self, wanted: Signature) -> Vec<&[u8]> {
        let crashes = self.stored.iter().filter_map(|record| match record {
            Record::Crash { signature, input, .. } if *signature == wanted => Some(&**input),
            _ => None,
        });
        crashes.collect()
    }
}

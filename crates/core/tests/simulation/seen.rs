//! What a run met: proof that the simulation does not pass because nothing happens in it.

use std::collections::BTreeMap;

use fuzzd_core::schedule::Profile;
use fuzzd_core::session::{Call, FinishReason, Found, FoundParent, Record, Report, Verdict, Work};

/// Everything that ordinary seeds must meet.
pub(crate) const EVERYTHING: &[&str] = &[
    "bug",
    "execute",
    "confirmed 0 of 0",
    "confirmed partly",
    "confirmed wholly",
    "ends by execs",
    "ends by fail-fast",
    "ends by no workers",
    "ends by signal",
    "ends by signals",
    "ends by time",
    "flaky",
    "found hostile",
    "found of a find",
    "found of a plan",
    "found shorter",
    "fuzz",
    "fuzz wildly",
    "fuzz with comparisons",
    "fuzz with structure",
    "given up",
    "go on with a search",
    "known",
    "known bug",
    "minimize by forking",
    "minimize failure",
    "minimize find",
    "minimized",
    "minimized bug",
    "no longer fails",
    "no longer failing bug",
    "share a search",
    "share a search by forking",
    "stalled",
    "store failing",
    "store recovered",
    "unconfirmed",
    "unconfirmed bug",
    "unsaved crash",
    "unsaved entry",
    "worker lost",
];

#[derive(Debug, Default)]
pub(crate) struct Seen(pub(crate) BTreeMap<&'static str, u64>);

impl Seen {
    fn count(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    pub(crate) fn call(&mut self, call: &Call) {
        self.count(match call.work {
            Work::Execute => "execute",
            Work::Fuzz { profile: Profile::Default, .. } => "fuzz",
            Work::Fuzz { profile: Profile::Compare, .. } => "fuzz with comparisons",
            Work::Fuzz { profile: Profile::Structure, .. } => "fuzz with structure",
            Work::Fuzz { profile: Profile::Wild, .. } => "fuzz wildly",
            Work::MinimizeFind { .. } => "minimize find",
            Work::MinimizeFailure { by_fork: true, search: Some(ref part), .. }
                if part.parts > 1 =>
            {
                "share a search by forking"
            }
            Work::MinimizeFailure { search: Some(ref part), .. } if part.parts > 1 => {
                "share a search"
            }
            Work::MinimizeFailure { search: Some(ref part), .. } if part.from > 0 => {
                "go on with a search"
            }
            Work::MinimizeFailure { by_fork: true, .. } => "minimize by forking",
            Work::MinimizeFailure { by_fork: false, .. } => "minimize failure",
        });
    }

    pub(crate) fn found(&mut self, found: &Found, is_sane: bool) {
        self.count(match found.parent {
            _ if !is_sane => "found hostile",
            FoundParent::Plan(_) => "found of a plan",
            FoundParent::Found(_) => "found of a find",
        });
        if found.replaces_parent {
            self.count("found shorter");
        }
    }

    pub(crate) fn record(&mut self, record: &Record) {
        let Record::Bug { verdict, .. } = record else { return };
        self.count(match verdict {
            Verdict::Confirmed { runs: 0, .. } => "confirmed 0 of 0",
            Verdict::Confirmed { reproduced, runs } if reproduced < runs => "confirmed partly",
            Verdict::Confirmed { .. } => "confirmed wholly",
            Verdict::Flaky { .. } => "flaky",
            Verdict::Minimized => "minimized",
            Verdict::Unconfirmed { .. } => "unconfirmed",
            Verdict::Known => "known",
            Verdict::NoLongerFails => "no longer fails",
        });
    }

    pub(crate) fn report(&mut self, report: &Report) {
        let name = match report {
            Report::WarmupStarted { .. } | Report::WarmupFinished { .. } | Report::Status(_) => {
                return;
            }
            Report::Bug(_) => "bug",
            Report::BugMinimized(_) => "minimized bug",
            Report::KnownBug(_) => "known bug",
            Report::NoLongerFails(_) => "no longer failing bug",
            Report::Unconfirmed(_) => "unconfirmed bug",
            Report::WorkerLost { .. } => "worker lost",
            Report::TestGivenUp { .. } => "given up",
            Report::Stalled { .. } => "stalled",
            Report::StoreFailing { .. } => "store failing",
            Report::StoreRecovered => "store recovered",
            Report::Finished(summary) => {
                if !summary.unsaved.is_empty() {
                    self.count("unsaved crash");
                }
                if summary.unsaved_entries > 0 {
                    self.count("unsaved entry");
                }
                match summary.reason {
                    FinishReason::ExecsReached => "ends by execs",
                    FinishReason::TimeReached => "ends by time",
                    FinishReason::FailFast => "ends by fail-fast",
                    FinishReason::Stopped => "ends by signal",
                    FinishReason::Killed => "ends by signals",
                    FinishReason::WorkersWouldNotStart => "ends by no workers",
                }
            }
        };
        self.count(name);
    }
}

//! A fake disk: slow, full, read-only in parts, or silent, by plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use fuzzd_core::ids::CommitToken;
use fuzzd_core::session::{Event, Record};

use crate::dice::Dice;
use crate::plan::DiskPlan;

#[derive(Debug)]
pub(crate) struct Disk {
    plan: DiskPlan,
    pub(crate) in_flight: BTreeSet<CommitToken>,
    /// Asked for, and not on the disk so far.
    pub(crate) pending: BTreeMap<CommitToken, Record>,
    refused: BTreeSet<CommitToken>,
    ever_refused: BTreeSet<CommitToken>,
    refused_at: Option<Duration>,
}

impl Disk {
    pub(crate) fn new(plan: DiskPlan) -> Self {
        Self {
            plan,
            in_flight: BTreeSet::new(),
            pending: BTreeMap::new(),
            refused: BTreeSet::new(),
            ever_refused: BTreeSet::new(),
            refused_at: None,
        }
    }

    /// Takes a commit. Returns after how long it is answered; `None`: never.
    pub(crate) fn begin(
        &mut self,
        now: Duration,
        token: CommitToken,
        record: Record,
        dice: &mut Dice,
    ) -> Option<Duration> {
        assert!(self.in_flight.insert(token), "{token:?} is asked for twice at once");
        let was_pending = self.pending.insert(token, record).is_some();
        assert_eq!(was_pending, self.refused.remove(&token), "{token:?} was not refused");
        if self.plan.silent_from.is_some_and(|from| now >= from) {
            return None;
        }
        Some(Duration::from_micros(dice.below(self.plan.delay_ms_max * 1_000 + 1)))
    }

    /// The answer to a commit, and the record if it is durable now.
    pub(crate) fn answer(&mut self, now: Duration, token: CommitToken) -> (Event, Option<Record>) {
        assert!(self.in_flight.remove(&token), "answered once");
        let is_in = |span: Option<(Duration, Duration)>| {
            span.is_some_and(|(from, until)| now >= from && now < until)
        };
        let is_verdict = matches!(self.pending[&token], Record::Bug { .. });
        if is_in(self.plan.refuses) || (is_verdict && is_in(self.plan.refuses_verdicts)) {
            self.refused.insert(token);
            self.ever_refused.insert(token);
            self.refused_at = Some(now);
            let reason = "no space left on device".into();
            return (Event::StoreFailed { token, reason }, None);
        }
        let record = self.pending.remove(&token);
        let path = is_verdict.then(|| PathBuf::from(format!("testdata/{}", token.0)));
        (Event::Stored { token, path }, record)
    }

    /// Whether a crash or a verdict is not there yet.
    pub(crate) fn has_bug_work(&self) -> bool {
        let is_bug = |record: &Record| matches!(record, Record::Crash { .. } | Record::Bug { .. });
        self.pending.values().any(is_bug)
    }

    /// Whether it refused this commit at some time.
    pub(crate) fn was_refused(&self, token: CommitToken) -> bool {
        self.ever_refused.contains(&token)
    }

    /// Whether it took everything for the last `span`.
    pub(crate) fn is_well_for(&self, span: Duration, now: Duration) -> bool {
        self.plan.silent_from.is_none() && self.refused_at.is_none_or(|at| now > at + span)
    }

    /// How long the longest answer takes; `None` if some is never given.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let silent = self.plan.silent_from.is_some();
        (!silent).then(|| Duration::from_millis(self.plan.delay_ms_max))
    }
}

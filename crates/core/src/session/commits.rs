//! Commits on their way to the disk, and what to do when each is there.
//!
//! ```text
//!   begin ──▶ InFlight ──Stored──▶ (gone; its consequence is carried out)
//!                ▲ │
//!           retry│ │StoreFailed
//!                │ ▼
//!              Waiting
//! ```
//!
//! Owns the rule that nothing is told before it is durable: a consequence leaves this module only
//! with the disk's answer. The disk counts as failing from the first refusal until all that was
//! refused is stored. Must not know what the consequences mean.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::coverage::Gain;
use crate::ids::{CommitToken, TestIndex};
use crate::limits::{COMMIT_RETRY_MAX, COMMIT_RETRY_MIN};
use crate::session::record::{Record, Verdict};
use crate::signature::Signature;

/// What follows when a record is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing.
    None,
    /// Coverage may be counted, and the entry that has it, unless it was one before.
    EntryKept { test: TestIndex, gain: Gain, is_added: bool },
    /// A crash may be worked on.
    CrashKept { test: TestIndex, signature: Signature },
    /// A verdict may be told.
    BugSettled { test: TestIndex, signature: Signature, verdict: Verdict },
    /// The next statistics of this test may be written.
    ProgressKept { test: TestIndex },
}

#[derive(Debug)]
struct Pending {
    record: Record,
    consequence: Consequence,
    was_refused: bool,
    is_waiting: bool,
}

/// All commits that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Commits {
    next: u64,
    pending: BTreeMap<CommitToken, Pending>,
    refused: usize,
    failing_since: Duration,
    retry_at: Duration,
    retry_delay: Duration,
}

impl Commits {
    /// Registers a record and names its commit.
    pub(super) fn begin(&mut self, record: Record, consequence: Consequence) -> CommitToken {
        self.next += 1;
        let token = CommitToken(self.next);
        let pending = Pending { record, consequence, was_refused: false, is_waiting: false };
        self.pending.insert(token, pending);
        token
    }

    /// The disk has it. Returns the consequence, and whether the disk has recovered by this.
    pub(super) fn stored(
        &mut self,
        token: CommitToken,
        now: Duration,
    ) -> Option<(Consequence, bool)> {
        let pending = self.pending.remove(&token)?;
        self.refused -= usize::from(pending.was_refused);
        // It takes some writes at least: no reason to wait longer than the shortest pause.
        self.retry_delay = Duration::ZERO;
        self.retry_at = self.retry_at.min(now + COMMIT_RETRY_MIN);
        Some((pending.consequence, pending.was_refused && self.refused == 0))
    }

    /// The disk refused it; it is kept and tried again. Returns whether this is news.
    pub(super) fn failed(&mut self, token: CommitToken, now: Duration) -> bool {
        let is_failing = self.is_failing();
        let Some(pending) = self.pending.get_mut(&token) else { return false };
        if !pending.was_refused {
            pending.was_refused = true;
            if self.refused == 0 {
                self.failing_since = now;
            }
            self.refused += 1;
        }
        pending.is_waiting = true;
        if self.retry_at <= now {
            let doubled = self.retry_delay * 2;
            self.retry_delay = doubled.clamp(COMMIT_RETRY_MIN, COMMIT_RETRY_MAX);
            self.retry_at = now + self.retry_delay;
        }
        !is_failing
    }

    /// Records to send again now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(CommitToken, Record)> {
        if self.retry_at > now { Vec::new() } else { self.waiting() }
    }

    /// All records that wait to be sent again; they are in flight from now on.
    pub(super) fn waiting(&mut self) -> Vec<(CommitToken, Record)> {
        let waiting = self.pending.iter_mut().filter(|(_, pending)| pending.is_waiting);
        let due = waiting.map(|(token, pending)| {
            pending.is_waiting = false;
            (*token, pending.record.clone())
        });
        due.collect()
    }

    /// Number of commits without an answer.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether a crash or a verdict is on its way.
    pub(super) fn has_bug_work(&self) -> bool {
        self.bug_work().next().is_some()
    }

    /// Whether all crashes and verdicts on their way were refused, and the disk has been failing
    /// for so long.
    pub(super) fn has_refused_bug_work(&self, now: Duration, for_long: Duration) -> bool {
        self.is_failing()
            && now >= self.failing_since + for_long
            && self.has_bug_work()
            && self.bug_work().all(|pending| pending.was_refused)
    }

    fn bug_work(&self) -> impl Iterator<Item = &Pending> {
        self.pending.values().filter(|pending| match pending.consequence {
            Consequence::CrashKept { .. } | Consequence::BugSettled { .. } => true,
            Consequence::None
            | Consequence::EntryKept { .. }
            | Consequence::ProgressKept { .. } => false,
        })
    }

    /// Whether the disk refused something that it did not take since.
    pub(super) fn is_failing(&self) -> bool {
        self.refused > 0
    }

    /// Whether every answer that is missing is one the disk refused at least once.
    pub(super) fn has_only_refused(&self) -> bool {
        self.refused == self.pending.len()
    }

    /// The records that never got to the disk, and whether it refused them.
    pub(super) fn unsaved(&self) -> impl Iterator<Item = (&Record, bool)> {
        self.pending.values().map(|pending| (&pending.record, pending.was_refused))
    }
}

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
//! with the disk's answer. Must not know what the consequences mean.

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
    /// A found entry may be counted.
    EntryKept { test: TestIndex, gain: Gain },
    /// A crash may be worked on.
    CrashKept { test: TestIndex, signature: Signature },
    /// A verdict may be told.
    BugSettled { test: TestIndex, signature: Signature, verdict: Verdict },
}

#[derive(Debug)]
struct Pending {
    record: Record,
    consequence: Consequence,
    is_waiting: bool,
}

/// All commits that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Commits {
    next: u64,
    pending: BTreeMap<CommitToken, Pending>,
    retry_at: Option<Duration>,
    retry_delay: Duration,
}

impl Commits {
    /// Registers a record and names its commit.
    pub(super) fn begin(&mut self, record: Record, consequence: Consequence) -> CommitToken {
        self.next += 1;
        let token = CommitToken(self.next);
        self.pending.insert(token, Pending { record, consequence, is_waiting: false });
        token
    }

    /// The disk has it. Returns the consequence, and whether the disk had been failing before.
    pub(super) fn stored(&mut self, token: CommitToken) -> Option<(Consequence, bool)> {
        let pending = self.pending.remove(&token)?;
        let was_failing = self.retry_at.is_some();
        if was_failing {
            // What waits may go at once now.
            self.retry_at = Some(Duration::ZERO);
        }
        self.retry_delay = Duration::ZERO;
        Some((pending.consequence, was_failing))
    }

    /// The disk refused it; it is kept and tried again. Returns whether this is news.
    pub(super) fn failed(&mut self, token: CommitToken, now: Duration) -> bool {
        let Some(pending) = self.pending.get_mut(&token) else { return false };
        pending.is_waiting = true;
        let is_news = self.retry_at.is_none();
        if self.retry_at.is_none_or(|at| at <= now) {
            let doubled = self.retry_delay * 2;
            self.retry_delay = doubled.clamp(COMMIT_RETRY_MIN, COMMIT_RETRY_MAX);
            self.retry_at = Some(now + self.retry_delay);
        }
        is_news
    }

    /// Records to send again now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(CommitToken, Record)> {
        if self.retry_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let waiting = self.pending.iter_mut().filter(|(_, pending)| pending.is_waiting);
        let due: Vec<_> = waiting
            .map(|(token, pending)| {
                pending.is_waiting = false;
                (*token, pending.record.clone())
            })
            .collect();
        if due.is_empty() {
            self.retry_at = None;
        }
        due
    }

    /// Number of commits without an answer.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether a crash or a verdict is on its way.
    pub(super) fn has_bug_work(&self) -> bool {
        self.pending.values().any(|pending| match pending.consequence {
            Consequence::CrashKept { .. } | Consequence::BugSettled { .. } => true,
            Consequence::None | Consequence::EntryKept { .. } => false,
        })
    }

    /// Whether every answer that is missing is one the disk refused at least once.
    pub(super) fn is_failing(&self) -> bool {
        self.retry_at.is_some()
    }

    /// The records that never got to the disk.
    pub(super) fn unsaved(&self) -> impl Iterator<Item = &Record> {
        self.pending.values().map(|pending| &pending.record)
    }
}

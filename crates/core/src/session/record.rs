//! What a session asks to be kept. Each record is written whole or not at all.

use std::time::Duration;

use crate::coverage::Feature;
use crate::failure::Failure;
use crate::ids::{EntryId, Input, TestIndex};
use crate::signature::Signature;

/// One durable fact.
#[derive(Debug, Clone)]
pub enum Record {
    /// A corpus entry. Writing one that is already there changes nothing but its coverage.
    Entry {
        /// The test it belongs to.
        test: TestIndex,
        /// Its address.
        id: EntryId,
        /// Its bytes, in memory form.
        input: Input,
        /// The entry it was mutated from.
        parent: Option<EntryId>,
        /// Its whole snapshot, valid for the present build.
        coverage: Vec<Feature>,
    },
    /// The coverage of an entry that is already stored or that comes from a file, measured anew.
    Measured {
        /// The test it belongs to.
        test: TestIndex,
        /// Its address.
        id: EntryId,
        /// Its whole snapshot, valid for the present build.
        coverage: Vec<Feature>,
    },
    /// An input that failed, as it was recovered. Comes before everything else about the bug.
    Crash {
        /// The test it belongs to.
        test: TestIndex,
        /// The bug it shows.
        signature: Signature,
        /// The input, byte-exact, in memory form.
        input: Input,
        /// How it failed.
        failure: Failure,
        /// It was only seen while its worker was being ended: it is a bug only if it fails again.
        is_doubtful: bool,
    },
    /// What became of a bug. The crash was stored before.
    Bug {
        /// The test it belongs to.
        test: TestIndex,
        /// The bug.
        signature: Signature,
        /// The input to show for it, in memory form.
        input: Input,
        /// What is known.
        verdict: Verdict,
    },
    /// Statistics of one test; the newest replaces the one before, but for `seen`, which adds up.
    Progress {
        /// The test.
        test: TestIndex,
        /// Executions of newly mutated inputs, earlier sessions included.
        execs: u64,
        /// All other executions of this session.
        execs_other: u64,
        /// Active time of this session.
        elapsed: Duration,
        /// Failures that came since the last such record and have no record of their own: by how
        /// much the count of each bug, whose crash is stored, goes up.
        seen: Vec<(Signature, u64)>,
    },
}

/// What became of a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Reproduced in fresh processes (or not looked at, 0 of 0): write `input` to testdata.
    Confirmed {
        /// Runs that failed with the same signature.
        reproduced: u32,
        /// Runs.
        runs: u32,
    },
    /// Did not reproduce, cause inside the target: a flaky bug. Write `input` to testdata.
    Flaky {
        /// Runs.
        runs: u32,
    },
    /// A smaller input for a bug that was confirmed: replaces the testdata file of this bug.
    Minimized,
    /// A death caused from outside that did not reproduce, or a worker that broke the protocol.
    /// Keep it under `unconfirmed/`.
    Unconfirmed {
        /// Runs; 0 where they could not tell.
        runs: u32,
    },
    /// An input of testdata or state failed in warm-up. Its file stays as it is; if people have
    /// none, write `input` to testdata.
    Known,
    /// The input of a known bug passed in warm-up.
    NoLongerFails,
}

impl Verdict {
    /// Whether it makes a crash a new bug, which people have to be told of.
    #[must_use]
    pub fn is_new_bug(self) -> bool {
        match self {
            Self::Confirmed { .. } | Self::Flaky { .. } => true,
            Self::Minimized | Self::Unconfirmed { .. } | Self::Known | Self::NoLongerFails => false,
        }
    }
}

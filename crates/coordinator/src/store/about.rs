//! `about.json` beside the inputs of a bug: what the database knows of it, for the day on which
//! the database is gone.

use std::path::Path;

use fuzzd_core::failure::Failure;
use fuzzd_core::signature::FailureKind;
use serde::{Deserialize, Serialize};

use super::files::read_regular;
use super::ledger::{BugRow, BugStatus};
use super::names::ABOUT_NAME;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    kind: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reproduced: u32,
    #[serde(default)]
    runs: u32,
}

impl About {
    pub(super) fn of(bug: &BugRow) -> Self {
        Self {
            kind: bug.kind.name(),
            location: bug.location.clone(),
            message: bug.message.clone(),
            details: bug.details.clone(),
            status: bug.status.name().to_owned(),
            reproduced: bug.reproduced,
            runs: bug.runs,
        }
    }

    /// Reads the file of a bug's directory; `None` if there is none that makes sense.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let bytes = read_regular(&dir.join(ABOUT_NAME)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // A struct of strings and numbers always becomes JSON.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// How it failed; `None` if the file names no kind of failure.
    pub(super) fn failure(&self) -> Option<Failure> {
        let kind = FailureKind::from_name(&self.kind)?;
        Some(Failure::new(kind, &self.location, &self.message, &self.details))
    }

    pub(super) fn status(&self) -> BugStatus {
        BugStatus::from_name(&self.status)
    }

    pub(super) fn runs(&self) -> (u32, u32) {
        (self.reproduced, self.runs)
    }
}

//! Why a run could not be carried out. Bugs of a target are no errors.

use std::io;
use std::path::PathBuf;

use fuzzd_core::session::StopRequest;

use crate::options::OptionsError;
use crate::store::StoreError;
use crate::worker::PingError;

/// Why a target could not be asked what it is.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The executable could not be read to take its build id.
    #[error("read {path}: {source}", path = .path.display())]
    BuildId {
        /// The executable.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process or its memory could not be made.
    #[error("the worker of {name} would not start: {reason}")]
    Launch {
        /// The fuzz test.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// It is no worker this fuzzd can work with.
    #[error("{name} cannot be fuzzed: {source}")]
    Ping {
        /// The fuzz test.
        name: String,
        /// What is wrong with its answer.
        source: PingError,
    },
    /// It says of itself that there is nothing to do here and now.
    #[error("{name} was skipped, or is not in this binary")]
    Skipped {
        /// The fuzz test.
        name: String,
    },
    /// It ended, kept silent or broke the protocol before it ran any input.
    #[error("the worker of {name} did not come up: {reason}")]
    Failed {
        /// The fuzz test.
        name: String,
        /// A sentence, with the tail of its stderr.
        reason: String,
    },
}

/// Why a run could not be carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What was asked for cannot be meant: a usage error.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The state directory cannot be used: locked, newer, not writable, full.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A target cannot be used.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A target has no counters, and fuzzing blind was not asked for.
    #[error(
        "{name} has no coverage counters: it was built without instrumentation \
         (Go: go test -c -fuzz=.); --blind fuzzes it nevertheless, without any guidance"
    )]
    NotInstrumented {
        /// The fuzz test.
        name: String,
    },
    /// The memories that all workers of a fuzz test share could not be made.
    #[error("make the memory that the workers of {name} share: {reason}")]
    SharedMemory {
        /// The fuzz test.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// Somebody asked for the end before the session began. Nothing was executed.
    #[error("stopped before the first execution")]
    StoppedEarly(StopRequest),
    /// A bug of fuzzd itself.
    #[error("internal error: {0}")]
    Internal(String),
}

impl RunError {
    /// Whether the person has to ask for something else; otherwise the surroundings are to blame.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Options(_) | Self::NotInstrumented { .. } => true,
            Self::Probe(ProbeError::Ping { source, .. }) => *source == PingError::GoDialect,
            Self::Probe(
                ProbeError::BuildId { .. }
                | ProbeError::Launch { .. }
                | ProbeError::Skipped { .. }
                | ProbeError::Failed { .. },
            )
            | Self::Store(_)
            | Self::SharedMemory { .. }
            | Self::StoppedEarly(_)
            | Self::Internal(_) => false,
        }
    }
}

/// The system's own words, for an error that leaves them to its source.
pub(crate) fn why(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(String::new, |source| format!(": {source}"))
}

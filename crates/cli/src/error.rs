//! What can go wrong with a command, with its exit code and the next step to take.

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;

use fuzzd_coordinator::conformance::ConformanceError;

use crate::build::BuildError;
use crate::discover::DiscoverError;
use crate::exit::Exit;
use crate::go::build::GoBuildError;
use crate::session::SessionError;

/// Why a command ended without doing its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The arguments contradict each other or the file system.
    #[error("{problem}")]
    Usage {
        /// What is wrong with them.
        problem: String,
        /// What to do about it.
        next: String,
    },
    /// The fuzz tests could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The tests of a Go package could not be built.
    #[error(transparent)]
    GoBuild(#[from] GoBuildError),
    /// No fuzz test is what was asked for.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The coordinator could not do its work.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The program to check is none that answers.
    #[error(transparent)]
    Conformance(#[from] ConformanceError),
    /// A file that was named could not be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The system does not say where this program lies.
    #[error("failed to find this program itself")]
    OwnProgram(#[source] std::io::Error),
    /// The threads that print could not be started.
    #[error("failed to start the output")]
    Output(#[source] std::io::Error),
}

impl CliError {
    /// A contradiction in the arguments, and what to do about it.
    pub(crate) fn usage(problem: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Usage { problem: problem.into(), next: next.into() }
    }

    /// The exit code of a program that ends with this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Discover(_) => Exit::Usage,
            Self::Build(error) => error.exit(),
            Self::GoBuild(error) => error.exit(),
            Self::Session(error) => error.exit(),
            Self::Read { .. } | Self::Conformance(ConformanceError::Input { .. }) => Exit::Usage,
            Self::OwnProgram(_) | Self::Conformance(_) | Self::Output(_) => Exit::Infrastructure,
        }
    }

    /// One line that says what to do next, if there is something to say.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Usage { next, .. } => Some(next.clone()),
            Self::Build(error) => error.help(),
            Self::GoBuild(error) => error.help(),
            Self::Discover(error) => error.help(),
            Self::Session(_)
            | Self::Conformance(_)
            | Self::Read { .. }
            | Self::OwnProgram(_)
            | Self::Output(_) => None,
        }
    }
}

/// The error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        // Some errors have their cause in their own words already.
        let words = reason.split(" (os error").next().unwrap_or(&reason).to_lowercase();
        if !text.to_lowercase().contains(&words) {
            // Writing to a string does not fail.
            write!(text, ": {reason}").unwrap_or_default();
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_not_told_twice() {
        let source = || std::io::Error::from_raw_os_error(13);
        let told = |problem: &str| {
            let path = PathBuf::from(problem);
            chain(&CliError::Read { path, source: source() })
        };
        assert_eq!(told("/x"), "failed to read /x: Permission denied (os error 13)");
        assert_eq!(told("/x: permission denied"), "failed to read /x: permission denied");
    }
}

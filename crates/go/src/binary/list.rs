//! Asking a test binary for its fuzz tests.
//!
//! Owns: one short run with `-test.list`, within [`LIST_TIMEOUT`]. The binary runs its own
//! initialisation, and `TestMain` if it has one: prefer what [`super::inspect`] reads from the
//! file.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::limits::{LIST_TIMEOUT, OUTPUT_BYTES_MAX};
use crate::process::{self, Ended, Spawn};

/// Why the fuzz tests of a binary could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It could not be run.
    #[error("run {path}: {source}", path = .path.display())]
    Run {
        /// The binary.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was still running at the deadline, and was killed.
    #[error("{path} did not list its tests within {seconds} s", path = .path.display())]
    TimedOut {
        /// The binary.
        path: PathBuf,
        /// Seconds it had.
        seconds: u64,
    },
    /// It failed, for example in `TestMain`.
    #[error("{path} failed to list its tests: {output}", path = .path.display())]
    Failed {
        /// The binary.
        path: PathBuf,
        /// The end of what it wrote on standard error.
        output: String,
    },
    /// It wrote so much that some of the list may be missing.
    #[error("{path} wrote more than {OUTPUT_BYTES_MAX} bytes for a list", path = .0.display())]
    TooLong(PathBuf),
}

/// The fuzz tests of a binary, asked of the binary itself. `directory` is that of its package.
pub fn list(path: &Path, directory: &Path, spawn: Spawn) -> Result<Vec<String>, ListError> {
    let failed = |source| ListError::Run { path: path.to_owned(), source };
    let mut command = Command::new(std::path::absolute(path).map_err(failed)?);
    command.arg("-test.list=^Fuzz").current_dir(directory);
    let finished = process::run(command, LIST_TIMEOUT, spawn).map_err(failed)?;
    match finished.ended {
        Ended::TimedOut => {
            Err(ListError::TimedOut { path: path.to_owned(), seconds: LIST_TIMEOUT.as_secs() })
        }
        Ended::Exited(status) if !status.success() => {
            Err(ListError::Failed { path: path.to_owned(), output: finished.stderr.excerpt() })
        }
        Ended::Exited(_) if finished.stdout.is_cut() => Err(ListError::TooLong(path.to_owned())),
        Ended::Exited(_) => {
            // `TestMain` may have written lines of its own.
            let output = String::from_utf8_lossy(&finished.stdout.bytes);
            let is_name =
                |line: &&str| line.starts_with("Fuzz") && !line.contains(char::is_whitespace);
            Ok(output.lines().filter(is_name).map(str::to_owned).collect())
        }
    }
}

#[cfg(test)]
mod tests;

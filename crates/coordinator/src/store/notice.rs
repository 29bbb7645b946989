//! What a load has to tell: files left out or set aside, and what was rebuilt.

use std::fmt;
use std::path::{Path, PathBuf};

use super::limits::NOTICES_MAX;

/// One thing to know about what was loaded. None of them stops a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadNotice {
    /// A file or directory was not used; it was left where it is.
    Skipped {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file that belongs to the state was moved out of the way, and not used.
    SetAside {
        /// Where it was.
        path: PathBuf,
        /// Where it is.
        to: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database could not be used; it was moved out of the way and is rebuilt from files.
    DatabaseSetAside {
        /// Where it was.
        path: PathBuf,
        /// Where it is.
        to: PathBuf,
        /// Why.
        reason: String,
    },
    /// Corpus and crash files that the database did not know were taken in.
    TakenIn {
        /// The fuzz test.
        test: String,
        /// Corpus files.
        entries: usize,
        /// Crash files.
        crashes: usize,
    },
    /// The directory lies on a network file system, where locks and the database are less reliable.
    NetworkFilesystem {
        /// The state directory.
        path: PathBuf,
    },
    /// More notices than are told one by one.
    More {
        /// How many were left out.
        count: usize,
    },
}

impl fmt::Display for LoadNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { path, reason } => {
                write!(formatter, "{} is not used: {reason}", path.display())
            }
            Self::SetAside { path, to, reason } => {
                let (path, to) = (path.display(), to.display());
                write!(formatter, "{path} is not used: {reason}; it was moved to {to}")
            }
            Self::DatabaseSetAside { path, to, reason } => {
                let (path, to) = (path.display(), to.display());
                write!(
                    formatter,
                    "session database {path} is damaged ({reason}); it was moved to {to}, \
                     entries and crashes are rebuilt from their files"
                )
            }
            Self::TakenIn { test, entries, crashes } => write!(
                formatter,
                "{test}: took in {entries} corpus files and {crashes} crash files \
                 that the session database did not know"
            ),
            Self::NetworkFilesystem { path } => write!(
                formatter,
                "{} lies on a network file system, which may break its promises; \
                 a local directory is safer (--state)",
                path.display()
            ),
            Self::More { count } => write!(formatter, "{count} more files were not used"),
        }
    }
}

/// The notices of one load, bounded.
#[derive(Debug, Default)]
pub(super) struct Notices {
    list: Vec<LoadNotice>,
    left_out: usize,
}

impl Notices {
    pub(super) fn push(&mut self, notice: LoadNotice) {
        if self.list.len() < NOTICES_MAX {
            self.list.push(notice);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn skipped(&mut self, path: &Path, reason: impl Into<String>) {
        self.push(LoadNotice::Skipped { path: path.to_owned(), reason: reason.into() });
    }

    /// All of them, in order; the last one counts what was left out.
    pub(super) fn finish(mut self) -> Vec<LoadNotice> {
        if self.left_out > 0 {
            self.list.push(LoadNotice::More { count: self.left_out });
        }
        self.list
    }
}

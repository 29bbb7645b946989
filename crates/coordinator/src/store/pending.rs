//! Files that copy what the database has: corpus entries, original crashes, what a bug is about.
//!
//! Owns the list of files still to be written. They are written lazily, between two groups of
//! records: the database is what makes an entry durable, the file is there for people, for other
//! tools, and for the day on which the database is gone. A file that is missing is written at the
//! next start.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fuzzd_core::ids::EntryId;
use fuzzd_core::signature::Signature;
use rusqlite::{Connection, OptionalExtension, params};

use super::about::About;
use super::error::io_reason;
use super::files::{Durability, TempFile, create_dirs, write_new};
use super::ledger::{BugRow, BugStatus, CrashRole};
use super::limits::{FILES_PENDING_MAX, FILES_RETRY_DELAY};
use super::names::{ABOUT_NAME, Layout, file_hash, hash_name};
use super::{KnownTest, Store};

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingFile {
    /// A corpus entry.
    Entry { test: usize, id: EntryId },
    /// An input of a bug.
    Crash { test: usize, signature: Signature, id: EntryId },
    /// What a bug is about.
    About { test: usize, signature: Signature },
}

/// Files to write, oldest first.
#[derive(Debug, Default)]
pub(super) struct PendingFiles {
    queue: VecDeque<PendingFile>,
    /// After a failure: when to try again.
    retry_at: Option<Instant>,
}

impl PendingFiles {
    pub(super) fn push(&mut self, file: PendingFile) {
        if self.queue.len() < FILES_PENDING_MAX {
            self.queue.push_back(file);
        }
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    /// When the next file may be written; `None` if there is none.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.queue.is_empty()).then(|| self.retry_at.unwrap_or(now))
    }
}

impl Store {
    /// Writes up to `files_max` pending files, unless a failure was a moment ago.
    pub(super) fn write_pending_files(&mut self, files_max: usize) {
        let now = Instant::now();
        if self.pending.due(now).is_none_or(|at| at > now) {
            return;
        }
        for _ in 0..files_max {
            let Some(file) = self.pending.queue.pop_front() else { break };
            match self.write_pending(&file) {
                Ok(()) => self.pending.retry_at = None,
                Err(reason) => {
                    tracing::warn!(%reason, "cannot write a file of the state; it is tried again");
                    // At the end: one directory that fails does not hold up the others.
                    self.pending.queue.push_back(file);
                    self.pending.retry_at = Some(now + FILES_RETRY_DELAY);
                    break;
                }
            }
        }
    }

    fn write_pending(&mut self, file: &PendingFile) -> Result<(), String> {
        let Self { layout, database, tests, .. } = self;
        let content = content_of(database.connection()?, layout, tests, file)
            .map_err(|error| database.failed(&error))?;
        // What is no longer in the database needs no file.
        let Some(content) = content else { return Ok(()) };
        let write = || match &content {
            Content::Hashed { dir, bytes } => write_hashed(dir, bytes),
            Content::About { dir, bytes } => {
                create_dirs(dir, 0o777)?;
                TempFile::write(dir, bytes, Durability::Lazy)?.replace(&dir.join(ABOUT_NAME))
            }
        };
        let (Content::Hashed { dir, .. } | Content::About { dir, .. }) = &content;
        write().map_err(|error| format!("{}: {}", dir.display(), io_reason(&error)))
    }
}

fn write_hashed(dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = hash_name(&file_hash(bytes));
    if fs::symlink_metadata(dir.join(&name)).is_ok() {
        return Ok(());
    }
    write_new(dir, &name, bytes, Durability::Lazy).map(|_is_new| ())
}

enum Content {
    Hashed { dir: PathBuf, bytes: Vec<u8> },
    About { dir: PathBuf, bytes: Vec<u8> },
}

fn content_of(
    connection: &Connection,
    layout: &Layout,
    tests: &[KnownTest],
    file: &PendingFile,
) -> rusqlite::Result<Option<Content>> {
    match file {
        PendingFile::Entry { test, id } => {
            let test = &tests[*test];
            let sql = "SELECT input FROM entries WHERE test=?1 AND id=?2";
            let mut statement = connection.prepare_cached(sql)?;
            let memory: Option<Vec<u8>> =
                statement.query_row(params![test.row, id.0], |row| row.get(0)).optional()?;
            Ok(memory.map(|memory| {
                let bytes = test.form.to_file(&test.types, &memory);
                Content::Hashed { dir: layout.corpus_of(&test.dir), bytes }
            }))
        }
        PendingFile::Crash { test, signature, id } => {
            let test = &tests[*test];
            let sql = "SELECT crashes.input, crashes.role FROM crashes
                       JOIN bugs ON bugs.seq=crashes.bug
                       WHERE bugs.test=?1 AND bugs.signature=?2 AND crashes.id=?3";
            let mut statement = connection.prepare_cached(sql)?;
            let values = params![test.row, signature.to_string(), id.0];
            let found: Option<(Vec<u8>, String)> =
                statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok(found.and_then(|(memory, role)| {
                let dir = match CrashRole::from_name(&role) {
                    CrashRole::Original => layout.crashes_of(&test.dir),
                    CrashRole::Unconfirmed => layout.unconfirmed_of(&test.dir),
                    CrashRole::Minimized => return None,
                };
                let dir = dir.join(signature.to_string());
                Some(Content::Hashed { dir, bytes: test.form.to_file(&test.types, &memory) })
            }))
        }
        PendingFile::About { test, signature } => {
            let test = &tests[*test];
            let bug = BugRow::find(connection, test.row, *signature)?;
            Ok(bug.map(|bug| {
                let dir = match bug.status {
                    BugStatus::Unconfirmed => layout.unconfirmed_of(&test.dir),
                    BugStatus::Pending
                    | BugStatus::Doubtful
                    | BugStatus::Confirmed
                    | BugStatus::Flaky
                    | BugStatus::Known
                    | BugStatus::Fixed => layout.crashes_of(&test.dir),
                };
                let bytes = About::of(&bug).to_bytes();
                Content::About { dir: dir.join(signature.to_string()), bytes }
            }))
        }
    }
}

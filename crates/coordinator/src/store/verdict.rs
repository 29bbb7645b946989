//! What became of a bug: its file for people, then its row.
//!
//! ```text
//!   input in the database ──▶ file in testdata ──▶ verdict and path in the database ──▶ answered
//!     (recognises the file        └─ not writable ─▶ file under crashes/ ─┘
//!      as ours from now on)
//! ```
//!
//! A session that ends between two of these steps repeats the ones behind it and changes nothing
//! twice: a file whose content is one of the bug's inputs was written by us. Every other file is
//! its user's and stays as it is.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fuzzd_core::ids::EntryId;
use fuzzd_core::session::Verdict;
use fuzzd_core::signature::Signature;
use rusqlite::{Connection, params};

use super::apply::now_ms;
use super::error::io_reason;
use super::files::{
    Durability, ReadProblem, TempFile, create_dirs, read_regular, sync_dir, write_new,
};
use super::ledger::{BugRow, BugStatus, CrashRole, CrashRow, Placed};
use super::limits::NAME_TRIES_MAX;
use super::names::{ABOUT_NAME, FileHash, Layout, bug_file_name, file_hash, hash_name};
use super::{FileForm, KnownTest, Store};

impl Store {
    /// Carries out a verdict. The input is in the database already. Returns the file for people.
    pub(super) fn settle(
        &mut self,
        test: usize,
        signature: Signature,
        memory: &[u8],
        verdict: Verdict,
    ) -> Result<Option<PathBuf>, String> {
        let Self { layout, database, tests, .. } = self;
        let test = &tests[test];
        let read = |connection: &mut Connection| -> rusqlite::Result<_> {
            let Some(bug) = BugRow::find(connection, test.row, signature)? else {
                return Ok(None);
            };
            let crashes = CrashRow::all(connection, bug.seq)?;
            Ok(Some((bug, crashes)))
        };
        let known = read(database.connection()?).map_err(|error| database.failed(&error))?;
        let Some((bug, crashes)) = known else {
            // Its row was never made (only a passing input may come without): nothing to change.
            return Ok(None);
        };
        let mut work = Work { layout, test, bug, crashes, memory, has_place: false };
        work.has_place = work.bug.placed.as_ref().is_some_and(|placed| work.is_shown_at(placed));
        let placed = work.place(verdict)?;
        let connection = database.connection()?;
        work.write(connection, verdict, placed.as_ref())
            .map_err(|error| database.failed(&error))?;
        if verdict == Verdict::Minimized {
            work.remove_superseded(placed.as_ref());
        }
        let path = placed.map(|placed| work.path(&placed));
        work.tidy(verdict);
        Ok(path)
    }
}

/// Everything one verdict is about.
#[derive(Debug)]
struct Work<'a> {
    layout: &'a Layout,
    test: &'a KnownTest,
    bug: BugRow,
    crashes: Vec<CrashRow>,
    memory: &'a [u8],
    /// People have a file of this bug already.
    has_place: bool,
}

impl Work<'_> {
    fn path(&self, placed: &Placed) -> PathBuf {
        placed.path(self.layout, &self.test.testdata, &self.test.dir, self.bug.signature)
    }

    /// Writes the file that the verdict asks for, durably, and says where it is.
    fn place(&self, verdict: Verdict) -> Result<Option<Placed>, String> {
        match verdict {
            Verdict::Confirmed { .. } | Verdict::Flaky { .. } => self.show("").map(Some),
            Verdict::Minimized => self.show("-min").map(Some),
            Verdict::Unconfirmed { .. } => self.put_aside().map(Some),
            // Its file may never have been written, or somebody may have removed it.
            Verdict::Known => match self.where_it_lies() {
                Some(placed) if self.is_shown_at(&placed) => Ok(Some(placed)),
                Some(_) | None => self.show("").map(Some),
            },
            Verdict::NoLongerFails => Ok(self.where_it_lies()),
        }
    }

    /// Whether a place is one for people, and the file is there.
    fn is_shown_at(&self, placed: &Placed) -> bool {
        match placed {
            Placed::Testdata(_) | Placed::Elsewhere(_) => self.path(placed).exists(),
            Placed::Crashes(_) | Placed::Unconfirmed(_) => false,
        }
    }

    /// Writes the input to testdata; to the state if that is impossible.
    fn show(&self, suffix: &str) -> Result<Placed, String> {
        let content = self.test.form.to_file(&self.test.types, self.memory);
        let base = match &self.bug.placed {
            Some(Placed::Testdata(name)) if self.is_named_by_us(name) => name.clone(),
            _ => self.test.form.bug_name(self.bug.kind, self.bug.signature, &content),
        };
        let dir = &self.test.testdata;
        let refusal = match self.write_beside(dir, &base, suffix, &content) {
            Ok(name) => return Ok(Placed::Testdata(name)),
            Err(error) => format!("{}: {}", dir.display(), io_reason(&error)),
        };
        let dir = self.layout.crashes_of(&self.test.dir).join(self.bug.signature.to_string());
        match write_hashed(&dir, &content) {
            Ok(name) => {
                let kept = dir.join(&name);
                tracing::warn!(
                    kept = %kept.display(),
                    "cannot write to testdata ({refusal}); the crash is kept in the state"
                );
                Ok(Placed::Crashes(name))
            }
            Err(error) => Err(format!("{refusal}; {}: {}", dir.display(), io_reason(&error))),
        }
    }

    /// Whether a file of testdata has a name this module gives, and keeps when its content
    /// changes, and not one a user gave it.
    fn is_named_by_us(&self, name: &OsString) -> bool {
        let ours = match self.test.form {
            FileForm::Native => bug_file_name(self.bug.kind, self.bug.signature),
            FileForm::Go => return false,
        };
        name.as_encoded_bytes().starts_with(ours.as_bytes())
    }

    /// Removes the file that was shown before a smaller one, where that has a name of its own.
    fn remove_superseded(&self, placed: Option<&Placed>) {
        let (FileForm::Go, Some(Placed::Testdata(old)), Some(Placed::Testdata(new))) =
            (self.test.form, &self.bug.placed, placed)
        else {
            return;
        };
        let path = self.test.testdata.join(old);
        let Ok(bytes) = read_regular(&path) else { return };
        let hash = file_hash(&bytes);
        let is_ours = self.crashes.iter().any(|crash| crash.file == hash)
            && self.test.form.bug_name(self.bug.kind, self.bug.signature, &bytes) == *old;
        if old != new && is_ours {
            // One that stays shows the same bug.
            let _removed = fs::remove_file(path);
        }
    }

    /// Writes `content` under `base`, or under a name like it if a user's file has that.
    fn write_beside(
        &self,
        dir: &Path,
        base: &OsString,
        suffix: &str,
        content: &[u8],
    ) -> io::Result<OsString> {
        create_dirs(dir, 0o777)?;
        let ours: HashSet<FileHash> = self.crashes.iter().map(|crash| crash.file).collect();
        let wanted = file_hash(content);
        for number in 1..=NAME_TRIES_MAX {
            let mut name = base.clone();
            match number {
                1 => {}
                2 if !suffix.is_empty() => name.push(suffix),
                _ => name.push(format!("{suffix}-{number}")),
            }
            let target = dir.join(&name);
            match content_of(&target)? {
                Content::Nothing => {
                    let temp = TempFile::write(dir, content, Durability::Synced)?;
                    if !temp.publish(&target)? {
                        // Somebody took the name just now; it is theirs.
                        continue;
                    }
                }
                Content::Hash(hash) if hash == wanted => File::open(&target)?.sync_all()?,
                Content::Hash(hash) if ours.contains(&hash) => {
                    TempFile::write(dir, content, Durability::Synced)?.replace(&target)?;
                }
                Content::Hash(_) | Content::Other => continue,
            }
            sync_dir(dir)?;
            return Ok(name);
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for the bug's file"))
    }

    /// Keeps the input under `unconfirmed/`.
    fn put_aside(&self) -> Result<Placed, String> {
        let content = self.test.form.to_file(&self.test.types, self.memory);
        let dir = self.layout.unconfirmed_of(&self.test.dir).join(self.bug.signature.to_string());
        match write_hashed(&dir, &content) {
            Ok(name) => Ok(Placed::Unconfirmed(name)),
            Err(error) => Err(format!("{}: {}", dir.display(), io_reason(&error))),
        }
    }

    /// The file of an input that came from a file, else the one written for the bug before.
    fn where_it_lies(&self) -> Option<Placed> {
        let loaded = self.test.origins.get(&EntryId::of(self.memory));
        let loaded = loaded.map(|path| Placed::of_loaded(path, &self.test.testdata));
        loaded.or_else(|| self.bug.placed.clone())
    }

    /// Writes the verdict into the bug's row.
    fn write(
        &self,
        connection: &mut Connection,
        verdict: Verdict,
        placed: Option<&Placed>,
    ) -> rusqlite::Result<()> {
        let status = self.bug.status.after(verdict);
        let (reproduced, runs) = match verdict {
            Verdict::Confirmed { reproduced, runs } => (reproduced, runs),
            Verdict::Flaky { runs } => (0, runs),
            Verdict::Unconfirmed { runs } if status == BugStatus::Unconfirmed => (0, runs),
            Verdict::Unconfirmed { .. }
            | Verdict::Minimized
            | Verdict::Known
            | Verdict::NoLongerFails => (self.bug.reproduced, self.bug.runs),
        };
        let keeps_shown = match verdict {
            Verdict::Unconfirmed { .. } => status != BugStatus::Unconfirmed,
            Verdict::NoLongerFails => true,
            // One more file that shows a bug does not take the place of the first.
            Verdict::Known => self.has_place,
            Verdict::Confirmed { .. } | Verdict::Flaky { .. } | Verdict::Minimized => false,
        };
        let id = EntryId::of(self.memory);
        let shown = if keeps_shown { self.bug.shown } else { Some(id) };
        let placed = if keeps_shown { self.bug.placed.as_ref() } else { placed };
        let (place, path) = placed.map(Placed::columns).unzip();
        let transaction = connection.transaction()?;
        let sql = "UPDATE bugs SET status=?2, reproduced=?3, runs=?4, shown=?5, place=?6, path=?7,
                   last_seen_ms=max(last_seen_ms, ?8) WHERE seq=?1";
        let shown = shown.map(|id| id.0);
        let values =
            params![self.bug.seq, status.name(), reproduced, runs, shown, place, path, now_ms()];
        transaction.prepare_cached(sql)?.execute(values)?;
        if let Verdict::Unconfirmed { .. } = verdict {
            let sql = "UPDATE crashes SET role=?3 WHERE bug=?1 AND id=?2";
            let values = params![self.bug.seq, id.0, CrashRole::Unconfirmed.name()];
            transaction.prepare_cached(sql)?.execute(values)?;
        }
        transaction.commit()
    }

    /// Ends the move to `unconfirmed/`: the copy under `crashes/` goes.
    fn tidy(&self, verdict: Verdict) {
        let Verdict::Unconfirmed { .. } = verdict else { return };
        let dir = self.layout.crashes_of(&self.test.dir).join(self.bug.signature.to_string());
        let content = self.test.form.to_file(&self.test.types, self.memory);
        // What stays behind is taken in again at the next start, and harmless.
        let _removed = fs::remove_file(dir.join(hash_name(&file_hash(&content))));
        let id = EntryId::of(self.memory);
        let has_others =
            self.crashes.iter().any(|crash| crash.role == CrashRole::Original && crash.id != id);
        if !has_others {
            let _removed = fs::remove_file(dir.join(ABOUT_NAME));
            let _removed = fs::remove_dir(&dir);
        }
    }
}

/// What has a name already.
enum Content {
    Nothing,
    Hash(FileHash),
    /// Something that is no file of ours in any case.
    Other,
}

fn content_of(path: &Path) -> io::Result<Content> {
    match read_regular(path) {
        Ok(bytes) => Ok(Content::Hash(file_hash(&bytes))),
        Err(ReadProblem::Gone) => Ok(Content::Nothing),
        Err(ReadProblem::Unusable(_)) => Ok(Content::Other),
    }
}

/// Writes a file of the state under the hash of its content, durably.
fn write_hashed(dir: &Path, content: &[u8]) -> io::Result<OsString> {
    let name = hash_name(&file_hash(content));
    if !write_new(dir, &name, content, Durability::Synced)? {
        // It may be there, but not durable, or damaged: its name says what it must be.
        TempFile::write(dir, content, Durability::Synced)?.replace(&dir.join(&name))?;
        sync_dir(dir)?;
    }
    Ok(name.into())
}

//! The entries of one test, from everywhere they may lie.
//!
//! Owns the order of sources (seeds in code, testdata, directories of seeds, corpus), and that no
//! input comes twice. Must not write to testdata or to directories of seeds.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input};
use fuzzd_core::session::{LoadedEntry, Origin};
use fuzzd_protocol::input;
use rusqlite::Connection;

use super::apply::{insert_entry, now_ms};
use super::error::io_reason;
use super::files::{Durability, ReadProblem, read_regular, set_aside, sweep_temp_files, write_new};
use super::names::{FileHash, Layout, file_hash, parse_hash_name};
use super::notice::{LoadNotice, Notices};
use super::pending::{PendingFile, PendingFiles};
use super::scan::{files_of, seed_files_of};
use super::{FileForm, KnownTest, StoreTest};

/// Where inputs come from beside the state.
pub(super) struct Sources<'a> {
    pub(super) tests: &'a [StoreTest],
    pub(super) seeds: &'a [Vec<Vec<u8>>],
    pub(super) seeds_dirs: &'a [PathBuf],
}

/// The load of one test.
pub(super) struct Loader<'a> {
    pub(super) connection: &'a Connection,
    pub(super) layout: &'a Layout,
    pub(super) index: usize,
    pub(super) known: KnownTest,
    pub(super) notices: &'a mut Notices,
    pub(super) pending: &'a mut PendingFiles,
    /// Where each input stands in `entries`.
    pub(super) taken: HashMap<EntryId, usize>,
    pub(super) coverage: HashMap<EntryId, Vec<Feature>>,
    pub(super) entries: Vec<LoadedEntry>,
}

impl Loader<'_> {
    /// Gathers all entries. Returns how many corpus files the database did not know.
    pub(super) fn gather(&mut self, sources: &Sources<'_>) -> rusqlite::Result<usize> {
        for seed in sources.seeds.get(self.index).into_iter().flatten() {
            self.add(seed.clone(), Origin::Seed);
        }
        let testdata = self.known.testdata.clone();
        for file in files_of(&testdata, 0, self.notices) {
            self.add_file(file, Origin::Testdata);
        }
        sweep_temp_files(&testdata, true);
        let own = sources.tests.get(self.index).and_then(|test| test.inputs.as_deref());
        for file in own.map_or_else(Vec::new, |dir| files_of(dir, 0, self.notices)) {
            self.add_file(file, Origin::SeedFile);
        }
        for dir in sources.seeds_dirs {
            let own = dir.join(&self.known.dir);
            let dir = if own.is_dir() { &own } else { dir };
            for file in seed_files_of(dir, self.notices) {
                self.add_file(file, Origin::SeedFile);
            }
        }
        let stored = self.add_stored()?;
        self.add_corpus_files(&stored)
    }

    fn add(&mut self, memory: Vec<u8>, origin: Origin) {
        let id = EntryId::of(&memory);
        match &origin {
            Origin::Testdata(path) | Origin::SeedFile(path) => {
                self.known.origins.entry(id).or_insert_with(|| path.clone());
            }
            Origin::Seed | Origin::Corpus | Origin::Found => {}
        }
        match self.taken.entry(id) {
            Vacant(place) => {
                place.insert(self.entries.len());
                let coverage = self.coverage.remove(&id);
                self.entries.push(LoadedEntry { input: Input::from(memory), origin, coverage });
            }
            // Go's tests tell their testdata as seeds: what fails there is known all the same.
            Occupied(place) if self.known.form == FileForm::Go => {
                let known = &mut self.entries[*place.get()].origin;
                if let (Origin::Seed, Origin::Testdata(_)) = (&*known, &origin) {
                    *known = origin;
                }
            }
            Occupied(_) => {}
        }
    }

    /// An input that was loaded before.
    pub(super) fn loaded_input(&self, id: EntryId) -> Option<Input> {
        self.taken.get(&id).map(|&index| self.entries[index].input.clone())
    }

    fn add_file(&mut self, path: PathBuf, origin: fn(PathBuf) -> Origin) {
        match read_regular(&path) {
            Ok(bytes) => match input::from_file(&self.known.types, &bytes) {
                Ok(memory) => self.add(memory, origin(path)),
                Err(error) => self.notices.skipped(&path, error.to_string()),
            },
            Err(ReadProblem::Gone) => {}
            Err(ReadProblem::Unusable(reason)) => self.notices.skipped(&path, reason),
        }
    }

    /// Adds the entries of the database; returns the hashes of their files.
    fn add_stored(&mut self) -> rusqlite::Result<HashMap<FileHash, EntryId>> {
        let mut files = HashMap::new();
        let mut damaged = Vec::new();
        let sql = "SELECT seq, id, input, file FROM entries WHERE test=?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([self.known.row])?;
        while let Some(row) = rows.next()? {
            let (id, memory) = (EntryId(row.get(1)?), row.get::<_, Vec<u8>>(2)?);
            if EntryId::of(&memory) == id {
                files.insert(row.get(3)?, id);
                self.add(memory, Origin::Corpus);
            } else {
                self.keep_damaged(id, &memory);
                damaged.push(row.get::<_, i64>(0)?);
            }
        }
        for seq in damaged {
            // Its file, if that is whole, brings it back.
            self.connection.execute("DELETE FROM entries WHERE seq=?1", [seq])?;
        }
        Ok(files)
    }

    /// Keeps what the database has in place of an entry.
    fn keep_damaged(&mut self, id: EntryId, bytes: &[u8]) {
        let aside = self.layout.quarantine().join(&self.known.dir);
        let name = format!("{id}.from-database");
        let (path, to) = (self.layout.database(), aside.join(&name));
        let reason = format!("entry {} in it is damaged", id.short());
        match write_new(&aside, &name, bytes, Durability::Synced) {
            Ok(_is_new) => self.notices.push(LoadNotice::SetAside { path, to, reason }),
            Err(error) => self.notices.skipped(&path, format!("{reason}: {}", io_reason(&error))),
        }
    }

    /// Adds what lies in the corpus directory and is not in the database, and remembers what is
    /// in the database and not in the directory.
    fn add_corpus_files(&mut self, stored: &HashMap<FileHash, EntryId>) -> rusqlite::Result<usize> {
        let dir = self.layout.corpus_of(&self.known.dir);
        sweep_temp_files(&dir, self.layout.is_users_corpus);
        let mut present = HashSet::new();
        let mut adopted = 0;
        for path in files_of(&dir, 0, self.notices) {
            let Some((hash, bytes)) = self.read_state_file(&path) else { continue };
            present.insert(hash);
            if stored.contains_key(&hash) {
                continue;
            }
            let memory = match input::from_file(&self.known.types, &bytes) {
                Ok(memory) => memory,
                Err(error) => {
                    self.refuse(&path, &error.to_string());
                    continue;
                }
            };
            let id = EntryId::of(&memory);
            insert_entry(self.connection, &self.known, id, &memory, None, now_ms())?;
            adopted += usize::from(self.connection.changes() > 0);
            self.add(memory, Origin::Corpus);
        }
        let mut missing: Vec<EntryId> =
            stored.iter().filter(|(hash, _)| !present.contains(*hash)).map(|(_, id)| *id).collect();
        missing.sort();
        for id in missing {
            self.pending.push(PendingFile::Entry { test: self.index, id });
        }
        Ok(adopted)
    }

    /// Reads a file of the state. One whose name is a hash must have the content it names; files
    /// with other names were put there by somebody, and claim nothing.
    pub(super) fn read_state_file(&mut self, path: &Path) -> Option<(FileHash, Vec<u8>)> {
        let bytes = match read_regular(path) {
            Ok(bytes) => bytes,
            Err(ReadProblem::Gone) => return None,
            Err(ReadProblem::Unusable(reason)) => {
                self.notices.skipped(path, reason);
                return None;
            }
        };
        let hash = file_hash(&bytes);
        let claimed = parse_hash_name(path.file_name().unwrap_or_default());
        if claimed.is_some_and(|claimed| claimed != hash) {
            self.refuse(path, "its content is not what its name says");
            return None;
        }
        Some((hash, bytes))
    }

    /// Moves a file out of the state, or leaves it where a user put it.
    pub(super) fn refuse(&mut self, path: &Path, reason: &str) {
        let is_ours = parse_hash_name(path.file_name().unwrap_or_default()).is_some();
        if self.layout.is_users_corpus && !is_ours {
            self.notices.skipped(path, reason);
            return;
        }
        match set_aside(path, &self.layout.quarantine().join(&self.known.dir)) {
            Ok(to) => {
                let (path, reason) = (path.to_owned(), reason.to_owned());
                self.notices.push(LoadNotice::SetAside { path, to, reason });
            }
            Err(error) => {
                self.notices.skipped(path, format!("{reason}; it cannot be moved: {error}"));
            }
        }
    }
}

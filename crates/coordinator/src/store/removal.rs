//! Taking entries out of a corpus, or copying them out of it: what `fuzzd cmin` does to the state.
//!
//! ```text
//!   1 files into removed/   2 made durable   3 rows deleted, in one transaction
//! ```
//! Owns that order. What is cut off before 3 has removed nothing: the next load finds the rows, and
//! writes their files again. Must not choose what goes, and touches no testdata and no seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input, TestIndex};
use fuzzd_protocol::input;
use rusqlite::{Connection, TransactionBehavior, params};

use super::apply::write_coverage;
use super::error::StoreError;
use super::files::{
    Durability, create_dirs, read_regular, set_aside, sync_all_files, sync_dir, write_new,
};
use super::limits::NAME_TRIES_MAX;
use super::load::stored_coverage;
use super::names::{FileHash, file_hash, hash_name};
use super::notice::Notices;
use super::scan::files_of;
use super::{KnownTest, Store};

/// An entry of the corpus in the state.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Its address.
    pub id: EntryId,
    /// Its bytes, in memory form.
    pub input: Input,
    /// Size of its file, in bytes.
    pub file_bytes: u64,
    /// Its coverage, if it was measured with this very build: each counter once.
    pub coverage: Option<Vec<Feature>>,
}

impl Store {
    /// The corpus of a test that was loaded with `counters` counters, in the order in which entries
    /// came: neither seeds nor testdata. A test that was not read has none.
    ///
    /// # Errors
    /// The database refuses.
    pub fn corpus(
        &mut self,
        test: TestIndex,
        counters: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let Self { database, tests, layout, .. } = self;
        let Some(known) = read_test(tests, test) else { return Ok(Vec::new()) };
        let read = database.loading().and_then(|connection| stored(connection, known, counters));
        read.map_err(|error| StoreError::database(&layout.database(), error))
    }

    /// Keeps what was measured of entries, in one transaction.
    ///
    /// # Errors
    /// The database refuses; nothing was kept.
    pub fn keep_coverage(
        &mut self,
        test: TestIndex,
        measured: &[(EntryId, Vec<Feature>)],
    ) -> Result<(), StoreError> {
        self.change(test, |transaction, known| {
            measured
                .iter()
                .try_for_each(|(id, coverage)| write_coverage(transaction, known, *id, coverage))
        })
    }

    /// Writes entries as files into `dir`, in the form and under the names they have in the corpus.
    /// Returns when they are durable.
    ///
    /// # Errors
    /// The disk refuses. Some of the files may be there.
    pub fn copy_entries(
        &self,
        test: TestIndex,
        entries: &[&StoredEntry],
        dir: &Path,
    ) -> Result<(), StoreError> {
        let refuse = |error| StoreError::writing(dir, error);
        create_dirs(dir, 0o777).map_err(refuse)?;
        if let Some(known) = read_test(&self.tests, test) {
            entries.iter().try_for_each(|entry| known.write_file(entry, dir)).map_err(refuse)?;
        }
        sync_all_files(dir).map_err(refuse)
    }

    /// Moves entries, with whatever file of the corpus holds one of them, to `removed/`. Returns
    /// the directory when no later load brings them back.
    ///
    /// # Errors
    /// Disk or database refuse. Then all entries are still there.
    pub fn remove_entries(
        &mut self,
        test: TestIndex,
        entries: &[&StoredEntry],
    ) -> Result<PathBuf, StoreError> {
        let Some(known) = read_test(&self.tests, test) else { return Ok(PathBuf::new()) };
        let aside = self.layout.removed_of(&known.dir);
        let refuse = |error| StoreError::writing(&aside, error);
        create_dirs(&aside, 0o700).map_err(refuse)?;
        let corpora = self.layout.corpora_of(&known.dir);
        if let Some(dir) = corpora.iter().find(|dir| is_same_dir(dir, &known.testdata)) {
            return Err(StoreError::CorpusIsTestdata { dir: dir.clone() });
        }
        let mut moved = BTreeSet::new();
        for corpus in &corpora {
            moved.append(&mut known.move_files(corpus, &aside, entries)?);
        }
        let without_file = entries.iter().filter(|entry| !moved.contains(&entry.id));
        without_file
            .into_iter()
            .try_for_each(|entry| known.write_file(entry, &aside))
            .and_then(|()| sync_all_files(&aside))
            .map_err(refuse)?;
        // A file that comes back with a power cut would bring its entry back.
        for corpus in &corpora {
            match sync_dir(corpus) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::writing(corpus, error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        self.change(test, |transaction, known| {
            entries.iter().try_for_each(|entry| {
                for table in ["entries", "coverage"] {
                    let sql = format!("DELETE FROM {table} WHERE test=?1 AND id=?2");
                    let mut statement = transaction.prepare_cached(&sql)?;
                    statement.execute(params![known.row, entry.id.0])?;
                }
                Ok(())
            })
        })?;
        Ok(aside)
    }

    /// One transaction: on stable storage when this returns, or not at all.
    fn change(
        &mut self,
        test: TestIndex,
        work: impl FnOnce(&Connection, &KnownTest) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let Self { database, tests, layout, .. } = self;
        let Some(known) = read_test(tests, test) else { return Ok(()) };
        let write = database.loading().and_then(|connection| {
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            work(&transaction, known)?;
            transaction.commit()
        });
        write.map_err(|error| StoreError::database(&layout.database(), error))
    }
}

impl KnownTest {
    /// Moves the files of `corpus` that hold one of the entries, whatever their names are. Returns
    /// the entries that had one.
    fn move_files(
        &self,
        corpus: &Path,
        aside: &Path,
        entries: &[&StoredEntry],
    ) -> Result<BTreeSet<EntryId>, StoreError> {
        let ids: BTreeSet<EntryId> = entries.iter().map(|entry| entry.id).collect();
        // An input may be written in more ways in memory than in a file.
        let files: BTreeMap<FileHash, EntryId> = entries
            .iter()
            .map(|entry| (file_hash(&self.form.to_file(&self.types, &entry.input)), entry.id))
            .collect();
        let mut moved = BTreeSet::new();
        // The load before has told what cannot be read.
        for path in files_of(corpus, 0, &mut Notices::default()) {
            let Ok(bytes) = read_regular(&path) else { continue };
            let read = input::from_file(&self.types, &bytes);
            let read = read.ok().map(|memory| EntryId::of(&memory)).filter(|id| ids.contains(id));
            let Some(id) = read.or_else(|| files.get(&file_hash(&bytes)).copied()) else {
                continue;
            };
            let same = aside.join(path.file_name().unwrap_or_default());
            let is_there = read_regular(&same).is_ok_and(|there| there == bytes);
            let gone = match is_there {
                true => fs::remove_file(&path),
                false => set_aside(&path, aside).map(drop),
            };
            gone.map_err(|error| StoreError::writing(&path, error))?;
            moved.insert(id);
        }
        Ok(moved)
    }

    fn write_file(&self, entry: &StoredEntry, dir: &Path) -> std::io::Result<()> {
        let bytes = self.form.to_file(&self.types, &entry.input);
        let name = hash_name(&file_hash(&bytes));
        // What has the name may have been cut off by a power cut, before it was durable.
        for number in 0..NAME_TRIES_MAX {
            let name = if number == 0 { name.clone() } else { format!("{name}.{number}") };
            let is_there = read_regular(&dir.join(&name)).is_ok_and(|there| there == bytes);
            if is_there || write_new(dir, &name, &bytes, Durability::Lazy)? {
                return Ok(());
            }
        }
        Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "no free name for an entry"))
    }
}

/// Whether both are there, and are one directory.
fn is_same_dir(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

fn read_test(tests: &[KnownTest], test: TestIndex) -> Option<&KnownTest> {
    tests.get(test.0).filter(|known| !known.types.is_empty())
}

fn stored(
    connection: &Connection,
    known: &KnownTest,
    counters: usize,
) -> rusqlite::Result<Vec<StoredEntry>> {
    let mut coverage = stored_coverage(connection, known, counters)?;
    let sql = "SELECT id, input FROM entries WHERE test=?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([known.row], |row| {
        let (id, memory) = (EntryId(row.get(0)?), row.get::<_, Vec<u8>>(1)?);
        let file_bytes = known.form.to_file(&known.types, &memory).len() as u64;
        let coverage = coverage.remove(&id);
        Ok(StoredEntry { id, input: Input::from(memory), file_bytes, coverage })
    })?;
    rows.collect()
}

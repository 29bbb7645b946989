//! What a session starts from: database, corpus, testdata, seeds, brought together.
//!
//! Owns the order of sources (seeds in code, testdata, directories of seeds, corpus), and that no
//! input comes twice. A load is a function of what is on disk: interrupted and begun again, it
//! gives the same. Must not write to testdata or to directories of seeds.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input};
use fuzzd_core::session::{LoadedEntry, Origin, TestConfig};
use fuzzd_protocol::{input, sparse};
use rusqlite::{Connection, TransactionBehavior, params};

use super::apply::{insert_entry, now_ms};
use super::database::is_damage;
use super::error::{StoreError, io_reason};
use super::files::{Durability, ReadProblem, read_regular, set_aside, sweep_temp_files, write_new};
use super::ledger::absolute;
use super::names::{FileHash, Layout, dir_name, file_hash, parse_hash_name};
use super::notice::{LoadNotice, Notices};
use super::pending::{PendingFile, PendingFiles};
use super::scan::{files_of, seed_files_of};
use super::{FileForm, KnownTest, Store, StoreTest, load_bugs};

impl Store {
    /// Loads all tests, in their order.
    ///
    /// `seeds` are the seeds in code of each test, in memory form. Every directory of `seeds_dirs`
    /// is read for every test, with its subdirectories; if it has a subdirectory with the test's
    /// name (as in `corpus/`), only that one. `corpus_dir` replaces the state's own `corpus/`.
    ///
    /// # Errors
    /// Only what makes the whole state useless; everything that concerns one file is a notice.
    pub fn load(
        &mut self,
        tests: &[StoreTest],
        seeds: Vec<Vec<Vec<u8>>>,
        seeds_dirs: &[PathBuf],
        corpus_dir: Option<&Path>,
        notices: &mut Vec<LoadNotice>,
    ) -> Result<Vec<TestConfig>, StoreError> {
        if let Some(dir) = corpus_dir {
            dir.clone_into(&mut self.layout.corpus);
            self.layout.is_users_corpus = true;
        }
        notices.append(&mut self.early);
        let sources = Sources { tests, seeds: &seeds, seeds_dirs };
        let mut told = Notices::default();
        let configs = match self.load_all(&sources, &mut told) {
            Ok(configs) => configs,
            Err(error) if is_damage(&error) => {
                // What was told so far comes again, or concerned the damaged database.
                told = Notices::default();
                self.rebuild_database(&error.to_string())?;
                notices.append(&mut self.early);
                self.load_all(&sources, &mut told)
                    .map_err(|error| StoreError::database(&self.layout.database(), error))?
            }
            Err(error) => return Err(StoreError::database(&self.layout.database(), error)),
        };
        notices.extend(told.finish());
        Ok(configs)
    }

    fn load_all(
        &mut self,
        sources: &Sources<'_>,
        notices: &mut Notices,
    ) -> rusqlite::Result<Vec<TestConfig>> {
        self.tests.clear();
        self.pending.clear();
        let Self { layout, database, tests, pending, .. } = self;
        let connection = database.loading()?;
        let mut configs = Vec::new();
        for (index, test) in sources.tests.iter().enumerate() {
            if test.types.is_empty() {
                configs.push(empty(test));
                tests.push(KnownTest::unread(test));
                continue;
            }
            // One transaction a test: a load that is cut off has taken in a test wholly or not.
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let known = open_test(&transaction, test)?;
            let coverage = stored_coverage(&transaction, &known, test.counters)?;
            let mut loader = Loader {
                connection: &transaction,
                layout,
                index,
                known,
                notices,
                pending,
                taken: HashMap::new(),
                coverage,
                entries: Vec::new(),
            };
            let adopted = loader.gather(sources)?;
            let (crashes, bugs) = load_bugs::gather_bugs(&mut loader)?;
            let Loader { known, entries, .. } = loader;
            transaction.commit()?;
            if adopted + crashes > 0 {
                let test = test.name.clone();
                notices.push(LoadNotice::TakenIn { test, entries: adopted, crashes });
            }
            let execs_before = u64::try_from(known.execs_before).unwrap_or(0);
            configs.push(TestConfig { entries, bugs, execs_before, ..empty(test) });
            tests.push(known);
        }
        Ok(configs)
    }
}

/// A test of which nothing is known.
fn empty(test: &StoreTest) -> TestConfig {
    TestConfig {
        name: test.name.clone(),
        counters: test.counters,
        functions: Vec::new(),
        entries: Vec::new(),
        bugs: Vec::new(),
        execs_before: 0,
        given_up: None,
        is_skipped: false,
    }
}

/// Where inputs come from beside the state.
struct Sources<'a> {
    tests: &'a [StoreTest],
    seeds: &'a [Vec<Vec<u8>>],
    seeds_dirs: &'a [PathBuf],
}

/// Finds or makes the row of a test. Another set of parameter types is another test: inputs of
/// the one mean nothing to the other.
fn open_test(connection: &Connection, test: &StoreTest) -> rusqlite::Result<KnownTest> {
    let types = test.form.type_names(&test.types);
    let testdata = absolute(&test.testdata);
    let sql = "INSERT INTO tests(name, types, testdata) VALUES(?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET testdata=excluded.testdata
               RETURNING seq, execs, execs_other, elapsed_ms";
    let values = params![test.name, types, testdata.as_os_str().as_bytes()];
    let (row, execs_before, execs_other_before, elapsed_ms_before) =
        connection.query_row(sql, values, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let counters = i64::try_from(test.counters).unwrap_or(i64::MAX);
    let sql = "INSERT INTO builds(build_id, counters) VALUES(?1, ?2)
               ON CONFLICT DO UPDATE SET counters=excluded.counters RETURNING seq";
    let build = connection.query_row(sql, params![test.build_id, counters], |row| row.get(0))?;
    let unread = KnownTest::unread(test);
    Ok(KnownTest { row, build, execs_before, execs_other_before, elapsed_ms_before, ..unread })
}

impl KnownTest {
    /// Keeps the place of a test that has no row, and of which no record may come.
    fn unread(test: &StoreTest) -> Self {
        Self {
            row: NO_ROW,
            build: NO_ROW,
            dir: dir_name(&test.name),
            types: test.types.clone(),
            testdata: test.testdata.clone(),
            form: test.form,
            execs_before: 0,
            execs_other_before: 0,
            elapsed_ms_before: 0,
            origins: HashMap::new(),
        }
    }
}

/// SQLite numbers rows from 1.
const NO_ROW: i64 = 0;

/// Coverage measured with this very build.
pub(super) fn stored_coverage(
    connection: &Connection,
    known: &KnownTest,
    counters: usize,
) -> rusqlite::Result<HashMap<EntryId, Vec<Feature>>> {
    let sql = "SELECT id, features FROM coverage WHERE test=?1 AND build=?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([known.row, known.build])?;
    let mut coverage = HashMap::new();
    while let Some(row) = rows.next()? {
        let features: Vec<u8> = row.get(1)?;
        // What does not decode is measured anew.
        if let Ok(features) = sparse::decode(&features, counters) {
            coverage.insert(EntryId(row.get(0)?), features);
        }
    }
    Ok(coverage)
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
    taken: HashMap<EntryId, usize>,
    coverage: HashMap<EntryId, Vec<Feature>>,
    entries: Vec<LoadedEntry>,
}

impl Loader<'_> {
    /// Gathers all entries. Returns how many corpus files the database did not know.
    fn gather(&mut self, sources: &Sources<'_>) -> rusqlite::Result<usize> {
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

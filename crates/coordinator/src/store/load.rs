//! What a session starts from: database, corpus, testdata, seeds, brought together.
//!
//! Owns the order of tests and what one transaction takes in. A load is a function of what is on
//! disk: interrupted and begun again, it gives the same. Must not look into a directory itself.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::EntryId;
use fuzzd_core::session::TestConfig;
use fuzzd_protocol::sparse;
use rusqlite::{Connection, TransactionBehavior, params};

use super::database::is_damage;
use super::error::StoreError;
use super::gather::{Loader, Sources};
use super::ledger::absolute;
use super::names::dir_name;
use super::notice::{LoadNotice, Notices};
use super::{KnownTest, Store, StoreTest, load_bugs};

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

//! One group of records: one transaction, then the answer to each.
//!
//! Owns the rule that an answer `Stored` is given only for what is on stable storage, and that a
//! crash does not fall with the finds that shared its group.

use std::path::PathBuf;

use fuzzd_core::ids::{CommitToken, TestIndex};
use fuzzd_core::session::{Event, Record};
use rusqlite::TransactionBehavior;

use super::Store;
use super::apply::{apply, now_ms};
use super::pending::PendingFile;

/// A record on its way, with the token its answer carries.
pub(super) type Queued = (CommitToken, Record);

impl Store {
    /// Writes the records and answers each, in order.
    pub(super) fn commit(&mut self, group: &[Queued]) -> Vec<Event> {
        let all: Vec<&Record> = group.iter().map(|(_, record)| record).collect();
        let together = self.transact(&all);
        let mut answers = Vec::with_capacity(group.len());
        for (token, record) in group {
            let written = match &together {
                Ok(()) => Ok(()),
                Err(_) if is_urgent(record) && group.len() > 1 => self.transact(&[record]),
                Err(reason) => Err(reason.clone()),
            };
            answers.push(match written.and_then(|()| self.finish(record)) {
                Ok(path) => Event::Stored { token: *token, path },
                Err(reason) => Event::StoreFailed { token: *token, reason },
            });
        }
        answers
    }

    /// All records in one transaction: on stable storage when this returns, or not at all.
    fn transact(&mut self, records: &[&Record]) -> Result<(), String> {
        let Self { database, tests, .. } = self;
        for record in records {
            let TestIndex(index) = test_of(record);
            if tests.get(index).is_none_or(|test| test.types.is_empty()) {
                return Err(format!("fuzz test number {index} was never loaded"));
            }
        }
        let connection = database.connection()?;
        let mut write = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let now = now_ms();
            for record in records {
                apply(&transaction, &tests[test_of(record).0], record, now)?;
            }
            transaction.commit()
        };
        write().map_err(|error| database.failed(&error))
    }

    /// What follows a record that is in the database: files.
    fn finish(&mut self, record: &Record) -> Result<Option<PathBuf>, String> {
        let TestIndex(test) = test_of(record);
        match record {
            Record::Entry { id, .. } => {
                self.pending.push(PendingFile::Entry { test, id: *id });
                Ok(None)
            }
            Record::Crash { signature, input, .. } => {
                let (signature, id) = (*signature, fuzzd_core::ids::EntryId::of(input));
                self.pending.push(PendingFile::Crash { test, signature, id });
                self.pending.push(PendingFile::About { test, signature });
                Ok(None)
            }
            Record::Bug { signature, input, verdict, .. } => {
                let path = self.settle(test, *signature, input, *verdict)?;
                self.pending.push(PendingFile::About { test, signature: *signature });
                Ok(path)
            }
            Record::Measured { .. } | Record::Progress { .. } => Ok(None),
        }
    }
}

/// Whether a record ends its group at once.
pub(super) fn is_urgent(record: &Record) -> bool {
    match record {
        Record::Crash { .. } | Record::Bug { .. } => true,
        Record::Entry { .. } | Record::Measured { .. } | Record::Progress { .. } => false,
    }
}

fn test_of(record: &Record) -> TestIndex {
    match record {
        Record::Entry { test, .. }
        | Record::Measured { test, .. }
        | Record::Crash { test, .. }
        | Record::Bug { test, .. }
        | Record::Progress { test, .. } => *test,
    }
}

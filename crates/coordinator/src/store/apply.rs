//! Records as statements of one transaction.
//!
//! Owns what each record changes in the database. Must not touch files or decide when to commit.

use std::time::{SystemTime, UNIX_EPOCH};

use fuzzd_core::coverage::Feature;
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::EntryId;
use fuzzd_core::session::{Record, Verdict};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::sparse;
use rusqlite::{Connection, params};

use super::KnownTest;
use super::ledger::{BugStatus, CrashRole};
use super::names::file_hash;

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Writes what `record` says about `test`. Of a bug only its input is written here: its verdict
/// follows when its file is there.
pub(super) fn apply(
    transaction: &Connection,
    test: &KnownTest,
    record: &Record,
    now_ms: i64,
) -> rusqlite::Result<()> {
    match record {
        Record::Entry { id, input, parent, coverage, .. } => {
            insert_entry(transaction, test, *id, input, *parent, now_ms)?;
            write_coverage(transaction, test, *id, coverage)
        }
        Record::Measured { id, coverage, .. } => write_coverage(transaction, test, *id, coverage),
        Record::Crash { signature, input, failure, is_doubtful, .. } => {
            let id = EntryId::of(input);
            let status = if *is_doubtful { BugStatus::Doubtful } else { BugStatus::Pending };
            let bug = count_crash(transaction, test, *signature, id, (failure, status), now_ms)?;
            insert_crash(transaction, test, bug, input, CrashRole::Original, now_ms)
        }
        Record::Bug { signature, input, verdict, .. } => {
            let role = match verdict {
                Verdict::Minimized => CrashRole::Minimized,
                Verdict::Confirmed { .. }
                | Verdict::Flaky { .. }
                | Verdict::Unconfirmed { .. }
                | Verdict::Known => CrashRole::Original,
                Verdict::NoLongerFails => return Ok(()),
            };
            let bug = ensure_bug(transaction, test, *signature, input, now_ms)?;
            insert_crash(transaction, test, bug, input, role, now_ms)
        }
        Record::Progress { execs, execs_other, elapsed, seen, .. } => {
            let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
            let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let sql = "UPDATE tests SET execs=max(execs, ?2), execs_other=?3, elapsed_ms=?4
                       WHERE seq=?1";
            transaction.prepare_cached(sql)?.execute(params![
                test.row,
                number(*execs),
                test.execs_other_before.saturating_add(number(*execs_other)),
                test.elapsed_ms_before.saturating_add(number(elapsed_ms)),
            ])?;
            seen.iter().try_for_each(|(signature, count)| {
                count_seen(transaction, test, *signature, number(*count), now_ms)
            })
        }
    }
}

/// Adds an entry, unless it is there.
pub(super) fn insert_entry(
    transaction: &Connection,
    test: &KnownTest,
    id: EntryId,
    memory: &[u8],
    parent: Option<EntryId>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let file = file_hash(&test.form.to_file(&test.types, memory));
    let sql = "INSERT INTO entries(test, id, input, file, parent, created_ms)
               VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let parent = parent.map(|parent| parent.0);
    let values = params![test.row, id.0, memory, file, parent, now_ms];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Writes the coverage of an entry, in the place of what was measured before.
pub(super) fn write_coverage(
    transaction: &Connection,
    test: &KnownTest,
    id: EntryId,
    coverage: &[Feature],
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO coverage(test, id, build, features) VALUES(?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET build=excluded.build, features=excluded.features";
    let features = sparse::encode(&in_order(coverage));
    transaction.prepare_cached(sql)?.execute(params![test.row, id.0, test.build, features])?;
    Ok(())
}

/// The form that the encoding asks for: ascending, each counter once, no empty byte.
fn in_order(coverage: &[Feature]) -> Vec<Feature> {
    let mut features: Vec<Feature> =
        coverage.iter().copied().filter(|&(_, class)| class != 0).collect();
    features.sort_unstable();
    features.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        if is_same {
            first.1 |= later.1;
        }
        is_same
    });
    features
}

/// Counts one more crash of a bug, new or known; returns its row. A new bug, one that was fixed or
/// unconfirmed and is open again, and one that is in doubt no more, shows the input `id`.
pub(super) fn count_crash(
    transaction: &Connection,
    test: &KnownTest,
    signature: Signature,
    id: EntryId,
    (failure, status): (&Failure, BugStatus),
    now_ms: i64,
) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO bugs(test, signature, kind, location, message, details, status, count,
                                first_seen_ms, last_seen_ms, shown)
               VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8, ?9)
               ON CONFLICT DO UPDATE SET count=count+1, last_seen_ms=excluded.last_seen_ms,
                   shown=iif(status IN ('fixed', 'unconfirmed')
                             OR status='doubtful' AND excluded.status<>'doubtful',
                             excluded.shown, shown),
                   status=iif(status IN ('fixed', 'unconfirmed', 'doubtful'), excluded.status,
                              status)
               RETURNING seq";
    transaction.prepare_cached(sql)?.query_row(
        params![
            test.row,
            signature.to_string(),
            failure.kind.name(),
            failure.location,
            failure.message,
            failure.details,
            status.name(),
            now_ms,
            id.0,
        ],
        |row| row.get(0),
    )
}

/// Counts crashes of a bug of which nothing else is kept.
fn count_seen(
    transaction: &Connection,
    test: &KnownTest,
    signature: Signature,
    count: i64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE bugs SET count=count+min(?3, ?4-count), last_seen_ms=max(last_seen_ms, ?5)
               WHERE test=?1 AND signature=?2";
    let values = params![test.row, signature.to_string(), count, i64::MAX, now_ms];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The row of a bug whose crash was stored before. Should it be missing, it is made: a verdict
/// is worth keeping without it.
fn ensure_bug(
    transaction: &Connection,
    test: &KnownTest,
    signature: Signature,
    memory: &[u8],
    now_ms: i64,
) -> rusqlite::Result<i64> {
    if let Some(bug) = super::ledger::BugRow::find(transaction, test.row, signature)? {
        return Ok(bug.seq);
    }
    let failure = Failure::new(FailureKind::Error, "", "unknown", "");
    count_crash(
        transaction,
        test,
        signature,
        EntryId::of(memory),
        (&failure, BugStatus::Pending),
        now_ms,
    )
}

/// Adds an input to a bug, unless it is there.
pub(super) fn insert_crash(
    transaction: &Connection,
    test: &KnownTest,
    bug: i64,
    memory: &[u8],
    role: CrashRole,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let file = file_hash(&test.form.to_file(&test.types, memory));
    let sql = "INSERT INTO crashes(bug, id, input, file, role, created_ms)
               VALUES(?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT DO UPDATE SET role=excluded.role
               WHERE role='unconfirmed' AND excluded.role='original'";
    let id = EntryId::of(memory).0;
    let values = params![bug, id, memory, file, role.name(), now_ms];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_snapshot_is_brought_into_the_order_the_encoding_asks_for() {
        let hostile = [(9, 1), (3, 2), (9, 4), (3, 2), (5, 0)];
        assert_eq!(in_order(&hostile), [(3, 2), (9, 5)]);
    }
}

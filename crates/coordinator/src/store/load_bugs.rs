//! Bugs of earlier sessions, as a session has to know them.
//!
//! Owns which bugs are looked at again: all but deaths that were never confirmed, and fixed bugs
//! that their user is done with.

use std::collections::HashSet;

use fuzzd_core::ids::{EntryId, Input};
use fuzzd_core::session::LoadedBug;

use super::gather::Loader;
use super::ledger::{BugRow, BugStatus, CrashRole, CrashRow, shown_of};
use super::rebuild;

/// Gathers all bugs. Returns how many crash files the database did not know, and the bugs.
pub(super) fn gather_bugs(loader: &mut Loader<'_>) -> rusqlite::Result<(usize, Vec<LoadedBug>)> {
    let adopted = rebuild::take_in_crashes(loader)?;
    let mut bugs = Vec::new();
    let mut fixed = Vec::new();
    for bug in BugRow::all(loader.connection, loader.known.row)? {
        let mut crashes = CrashRow::all(loader.connection, bug.seq)?;
        rebuild::remember_missing_files(loader, &bug, &crashes);
        // An input of which it is known that it does not fail by itself says nothing.
        crashes.retain(|crash| crash.role != CrashRole::Unconfirmed);
        match bug.status {
            BugStatus::Unconfirmed => {}
            BugStatus::Fixed => fixed.extend(loaded(loader, &bug, &crashes)),
            BugStatus::Pending
            | BugStatus::Doubtful
            | BugStatus::Confirmed
            | BugStatus::Flaky
            | BugStatus::Known => bugs.extend(loaded(loader, &bug, &crashes)),
        }
    }
    // An input that shows another bug now (its code has moved, say) has nothing to tell about
    // the one it showed before.
    let shown: HashSet<EntryId> = bugs.iter().map(|bug| EntryId::of(&bug.input)).collect();
    fixed.retain(|bug| !shown.contains(&EntryId::of(&bug.input)));
    bugs.append(&mut fixed);
    Ok((adopted, bugs))
}

fn loaded(loader: &mut Loader<'_>, bug: &BugRow, crashes: &[CrashRow]) -> Option<LoadedBug> {
    let path = bug.placed.as_ref().map(|placed| {
        placed.path(loader.layout, &loader.known.testdata, &loader.known.dir, bug.signature)
    });
    let is_removed = path.as_ref().is_some_and(|path| !path.exists());
    if is_removed && bug.status == BugStatus::Fixed {
        // It was fixed, and its file removed: its user is done with it.
        return None;
    }
    let Some(shown) = shown_of(bug, crashes) else {
        let database = loader.layout.database();
        loader.notices.skipped(&database, format!("the input of bug {} is damaged", bug.signature));
        return None;
    };
    Some(LoadedBug {
        signature: bug.signature,
        kind: bug.kind,
        message: bug.message.clone(),
        input: Input::from(shown.input.as_slice()),
        path: path.filter(|_| !is_removed),
        reproduced: bug.reproduced,
        runs: bug.runs,
        is_pending: matches!(bug.status, BugStatus::Pending | BugStatus::Doubtful),
        is_doubtful: bug.status == BugStatus::Doubtful,
    })
}

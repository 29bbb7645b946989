//! What a session commits is there at the next start.

use std::fs;
use std::time::Duration;

use crate::support::{CONFIRMED, Place, TEST, bug, crash, entry, hash_name, signature, tree};
use fuzzd_coordinator::store::{BugStatus, limits, list_bugs, read_bug};
use fuzzd_core::ids::{CommitToken, EntryId, TestIndex};
use fuzzd_core::session::{Event, Origin, Record, Verdict};
use fuzzd_core::signature::Signature;
use fuzzd_protocol::value::ValueType;

#[test]
fn entries_come_back_in_order_with_their_coverage() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"one", &[(7, 1), (3, 4)]));
    running.commit(entry(b"", &[]));
    running.commit(entry(b"two", &[(999, 128)]));
    // The same entry again changes only its coverage.
    running.commit(entry(b"one", &[(3, 4)]));
    running.close();

    let loaded = place.load();
    assert_eq!(loaded.inputs(), [&b"one"[..], b"", b"two"]);
    let coverage: Vec<_> =
        loaded.configs[0].entries.iter().map(|entry| entry.coverage.clone()).collect();
    assert_eq!(coverage, [Some(vec![(3, 4)]), Some(vec![]), Some(vec![(999, 128)])]);
    assert!(loaded.configs[0].entries.iter().all(|entry| entry.origin == Origin::Corpus));
    assert_eq!(loaded.notices, []);
}

#[test]
fn coverage_of_another_build_or_another_number_of_counters_is_not_given_out() {
    let mut place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"one", &[(7, 1)]));
    running.close();
    let coverage = |place: &Place| place.load().configs[0].entries[0].coverage.clone();

    place.tests[0].build_id = "build 2".into();
    assert_eq!(coverage(&place), None);
    place.tests[0].build_id = "build 1".into();
    place.tests[0].counters = 999;
    assert_eq!(coverage(&place), None);
    place.tests[0].counters = 1_000;
    assert_eq!(coverage(&place), Some(vec![(7, 1)]));
}

#[test]
fn coverage_of_seeds_is_kept_by_their_content() {
    let mut place = Place::new();
    place.seeds[0].push(b"seed".to_vec());
    let mut running = place.start();
    let id = EntryId::of(b"seed");
    running.commit(Record::Measured { test: TEST, id, coverage: vec![(1, 1)] });
    running.close();
    let loaded = place.load();
    assert_eq!(loaded.configs[0].entries[0].origin, Origin::Seed);
    assert_eq!(loaded.configs[0].entries[0].coverage, Some(vec![(1, 1)]));
}

#[test]
fn an_entry_is_a_file_before_the_next_group_is_answered() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(entry(b"one", &[]));
    running.commit(entry(b"two", &[]));
    assert_eq!(fs::read(place.corpus().join(hash_name(b"one"))).unwrap(), b"one");
    running.close();
    assert_eq!(tree(&place.corpus()).len(), 2);
}

#[test]
fn typed_entries_are_files_of_text_and_come_back_byte_exact() {
    let place = Place::with_types(&[ValueType::String, ValueType::Uint32]);
    let mut running = place.start();
    // Longer than its values need: what is beyond them is kept too.
    let memory = b"\x02\0\0\0hi\x05\0\0\0beyond";
    running.commit(entry(memory, &[]));
    running.close();
    let files = tree(&place.corpus());
    assert!(files[0].1.starts_with(b"go test fuzz v1\n"));
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [memory]);
    assert_eq!(loaded.notices, []);
}

#[test]
fn answers_come_in_order_and_a_full_group_is_one_transaction() {
    let place = Place::new();
    let mut running = place.start();
    for number in 0..2_000u32 {
        running.send(entry(&number.to_le_bytes(), &[(1, 1)]));
    }
    for number in 1..=2_000 {
        let expected = CommitToken(number);
        match running.answer() {
            Event::Stored { token, path: None } => assert_eq!(token, expected),
            other => panic!("{other:?}"),
        }
    }
    running.close();
    assert_eq!(place.load().inputs().len(), 2_000);
}

#[test]
fn progress_goes_on_over_sessions_and_never_falls() {
    let place = Place::new();
    let progress = |execs| Record::Progress {
        test: TEST,
        execs,
        execs_other: 3,
        elapsed: Duration::from_secs(1),
        seen: Vec::new(),
    };
    for (execs, total) in [(100, 100), (90, 100), (150, 150)] {
        let mut running = place.start();
        running.commit(progress(execs));
        running.close();
        assert_eq!(place.load().configs[0].execs_before, total);
    }
}

#[test]
fn failures_without_a_record_of_their_own_raise_the_count_of_their_bug() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(crash(b"boom"));
    let seen = |count| Record::Progress {
        test: TEST,
        execs: 1,
        execs_other: 0,
        elapsed: Duration::ZERO,
        seen: vec![(Signature(1), 5), (signature(), count)],
    };
    running.commit(seen(41));
    assert_eq!(list_bugs(&place.state).unwrap()[0].count, 42);
    running.commit(seen(u64::MAX));
    running.commit(seen(u64::MAX));
    running.close();
    let bugs = list_bugs(&place.state).unwrap();
    assert_eq!((bugs.len(), bugs[0].count), (1, i64::MAX.cast_unsigned()));
}

#[test]
fn a_doubtful_crash_stays_so_until_one_is_seen_that_is_not() {
    let place = Place::new();
    let seen = |is_doubtful: bool| {
        let mut running = place.start();
        running.commit(crash_in_doubt(b"boom", is_doubtful));
        running.close();
        // What is in the files is what is left when the database is gone.
        std::fs::remove_file(place.state.join("session.db")).unwrap();
        let bug = place.load().configs[0].bugs[0].clone();
        assert!(bug.is_pending);
        bug.is_doubtful
    };
    assert!(seen(true));
    assert!(seen(true));
    assert!(!seen(false));
    assert!(!seen(true), "it was seen without doubt before");
}

#[test]
fn what_lifts_a_doubt_is_the_input_that_is_tried() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(crash_in_doubt(b"innocent", true));
    running.commit(crash_in_doubt(b"guilty", false));
    running.commit(crash_in_doubt(b"another", false));
    running.close();
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!((bugs.len(), bugs[0].is_pending, bugs[0].is_doubtful), (1, true, false));
    assert_eq!(&*bugs[0].input, b"guilty");
}

fn crash_in_doubt(input: &[u8], is_doubtful: bool) -> Record {
    match crash(input) {
        Record::Crash { test, signature, input, failure, .. } => {
            Record::Crash { test, signature, input, failure, is_doubtful }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_crash_without_verdict_is_pending_at_the_next_start() {
    let place = Place::new();
    let mut running = place.start();
    running.commit(crash(b"boom"));
    running.close();
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!(bugs.len(), 1);
    assert!(bugs[0].is_pending);
    assert_eq!(&*bugs[0].input, b"boom");
    assert_eq!(bugs[0].signature, signature());
    assert_eq!(bugs[0].message, "index out of range");
    let original = place.state.join("crashes/module.parse").join(signature().to_string());
    assert_eq!(fs::read(original.join(hash_name(b"boom"))).unwrap(), b"boom");
}

#[test]
fn a_confirmed_bug_has_a_file_in_testdata_that_its_minimized_form_replaces() {
    let place = Place::new();
    let mut running = place.start();
    let path = running.commit_bug(b"boom boom", CONFIRMED).unwrap();
    assert_eq!(path, place.testdata().join(format!("panic-{}", signature())));
    assert_eq!(fs::read(&path).unwrap(), b"boom boom");
    assert_eq!(running.commit(bug(b"bo", Verdict::Minimized)), Some(path.clone()));
    assert_eq!(fs::read(&path).unwrap(), b"bo");
    // The answer to the same record is the same.
    assert_eq!(running.commit(bug(b"bo", Verdict::Minimized)), Some(path.clone()));
    running.commit(crash(b"boom again"));
    running.close();

    assert_eq!(tree(place.testdata()).len(), 1, "one file per bug, no temporary files");
    let bugs = place.load().configs.remove(0).bugs;
    assert!(!bugs[0].is_pending);
    assert_eq!(&*bugs[0].input, b"bo");
    assert_eq!(bugs[0].path.as_ref(), Some(&path));
    let listed = list_bugs(&place.state).unwrap().remove(0);
    assert_eq!((listed.status, listed.reproduced, listed.runs), (BugStatus::Confirmed, 3, 3));
    assert_eq!((listed.count, listed.originals, listed.size), (2, 2, 2));
    assert_eq!(listed.path.as_ref(), Some(&path));
    let inputs = read_bug(&place.state, "module::parse", signature()).unwrap();
    assert_eq!(inputs.shown, b"bo");
    assert_eq!(inputs.originals, [&b"boom boom"[..], b"boom again"]);
}

#[test]
fn a_bug_is_loaded_with_the_runs_that_confirmed_it() {
    let place = Place::new();
    let mut running = place.start();
    running.commit_bug(b"boom", Verdict::Confirmed { reproduced: 2, runs: 3 });
    running.close();
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!((bugs[0].reproduced, bugs[0].runs, bugs[0].is_pending), (2, 3, false));
}

#[test]
fn a_file_that_its_user_edited_is_not_overwritten() {
    let place = Place::new();
    let mut running = place.start();
    let path = running.commit_bug(b"boom boom", CONFIRMED).unwrap();
    fs::write(&path, b"my own").unwrap();
    let small = running.commit(bug(b"bo", Verdict::Minimized)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"my own");
    assert_eq!(small, place.testdata().join(format!("panic-{}-min", signature())));
    assert_eq!(fs::read(&small).unwrap(), b"bo");
    // An even smaller one replaces what was ours.
    assert_eq!(running.commit(bug(b"b", Verdict::Minimized)), Some(small.clone()));
    assert_eq!(fs::read(&small).unwrap(), b"b");
    running.close();
}

#[test]
fn a_name_that_a_user_took_is_left_alone_whatever_it_is() {
    let place = Place::new();
    let name = format!("panic-{}", signature());
    fs::create_dir_all(place.testdata().join(&name)).unwrap();
    fs::write(place.testdata().join(format!("{name}-2")), b"mine").unwrap();
    let mut running = place.start();
    let path = running.commit_bug(b"boom", CONFIRMED).unwrap();
    assert_eq!(path, place.testdata().join(format!("{name}-3")));
    assert_eq!(fs::read(path).unwrap(), b"boom");
    running.close();
}

#[test]
fn what_was_never_confirmed_is_kept_aside_and_is_not_a_bug() {
    let place = Place::new();
    let mut running = place.start();
    let path = running.commit_bug(b"killed", Verdict::Unconfirmed { runs: 3 }).unwrap();
    running.close();
    assert!(path.starts_with(place.state.join("unconfirmed/module.parse")));
    assert_eq!(fs::read(&path).unwrap(), b"killed");
    assert!(!place.testdata().exists());
    assert_eq!(tree(&place.state.join("crashes")), []);
    assert!(place.load().configs[0].bugs.is_empty());
    assert_eq!(list_bugs(&place.state).unwrap()[0].status, BugStatus::Unconfirmed);

    // It happens again, and the session is cut off: now it is to be tried again.
    let mut running = place.start();
    running.commit(crash(b"killed"));
    running.close();
    assert!(place.load().configs[0].bugs[0].is_pending);
}

#[test]
fn known_and_fixed_bugs_change_the_ledger_only() {
    let place = Place::new();
    fs::create_dir_all(place.testdata()).unwrap();
    let file = place.testdata().join("from-a-colleague");
    fs::write(&file, b"boom").unwrap();
    let before = tree(place.testdata());
    let mut running = place.start();
    assert_eq!(running.commit_bug(b"boom", Verdict::Known), Some(file.clone()));
    running.close();
    assert_eq!(list_bugs(&place.state).unwrap()[0].status, BugStatus::Known);

    let mut running = place.start();
    running.commit(bug(b"boom", Verdict::NoLongerFails));
    running.close();
    assert_eq!(list_bugs(&place.state).unwrap()[0].status, BugStatus::Fixed);
    assert_eq!(tree(place.testdata()), before);
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!((bugs[0].is_pending, bugs[0].path.as_ref()), (false, Some(&file)));

    // Its file removed, it is over.
    fs::remove_file(&file).unwrap();
    assert!(place.load().configs[0].bugs.is_empty());
}

#[test]
fn a_record_of_a_test_that_was_never_loaded_is_refused() {
    let place = Place::new();
    let mut running = place.start();
    let mut record = entry(b"one", &[]);
    let Record::Entry { test, .. } = &mut record else { unreachable!() };
    *test = TestIndex(7);
    assert!(running.try_commit(record).is_err());
    running.commit(entry(b"one", &[]));
    running.close();
}

#[test]
fn a_full_queue_gives_the_record_back_and_does_not_hold_up_the_end() {
    let place = Place::new();
    let mut running = place.start();
    // Nobody takes an answer: the thread stops at the first for which there is no room.
    let mut taken = 0u32;
    while running.try_send(entry(&taken.to_le_bytes(), &[])).is_ok() {
        taken += 1;
    }
    assert!(taken as usize >= limits::QUEUE_RECORDS_MAX, "{taken}");
    running.close();
    assert_eq!(place.load().inputs().len(), taken as usize, "what was taken is written");
}

//! The database damaged or gone: entries and bugs come back from their files.

use std::fs;

use fuzzd_coordinator::store::{BugStatus, LoadNotice, list_bugs};
use fuzzd_core::session::Verdict;
use fuzzd_protocol::value::ValueType;

use crate::support::{CONFIRMED, Loaded, Place, bug, crash, entry, hash_name, signature, tree};

/// Inputs that are as good for one byte slice as for two strings, and in no shorter form.
const ONE: &[u8] = b"\x03\0\0\0one\0\0\0\0";
const TWO: &[u8] = b"\x03\0\0\0two\0\0\0\0";
const BOOM: &[u8] = b"\x04\0\0\0boom\0\0\0\0";
const B: &[u8] = b"\x01\0\0\0b\0\0\0\0";

/// A state with two entries, and a bug with an original and a minimized form.
fn filled(types: &[ValueType]) -> Place {
    let place = Place::with_types(types);
    let mut running = place.start();
    running.commit(entry(ONE, &[(1, 1)]));
    running.commit(entry(TWO, &[(2, 1)]));
    running.commit_bug(BOOM, CONFIRMED);
    running.commit(bug(B, Verdict::Minimized));
    running.close();
    place
}

fn sorted_inputs(loaded: &Loaded) -> Vec<Vec<u8>> {
    let mut inputs = loaded.inputs();
    inputs.sort();
    inputs
}

fn remove_database(place: &Place) {
    for name in ["session.db", "session.db-wal", "session.db-shm"] {
        match fs::remove_file(place.state.join(name)) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
    }
}

#[test]
fn a_deleted_database_is_rebuilt_from_the_files() {
    for types in [&[ValueType::Bytes][..], &[ValueType::String, ValueType::String]] {
        let place = filled(types);
        let before = place.load();
        let (inputs, bugs) = (sorted_inputs(&before), before.configs[0].bugs.clone());
        drop(before);
        remove_database(&place);

        let loaded = place.load();
        assert_eq!(sorted_inputs(&loaded), inputs);
        let test = "module::parse".to_owned();
        let expected = LoadNotice::TakenIn { test, entries: 2, crashes: 1 };
        assert_eq!(loaded.notices, [expected]);
        let rebuilt = &loaded.configs[0].bugs;
        assert_eq!(format!("{rebuilt:?}"), format!("{bugs:?}"));
        drop(loaded);
        let again = place.load();
        assert_eq!((sorted_inputs(&again), again.notices), (inputs, vec![]));
        let listed = list_bugs(&place.state).unwrap().remove(0);
        assert_eq!(listed.status, BugStatus::Confirmed);
        assert_eq!((listed.reproduced, listed.runs), (3, 3));
        assert_eq!(listed.location, "src/lib.rs:10:5");
    }
}

#[test]
fn a_pending_and_an_unconfirmed_bug_come_back_as_what_they_were() {
    let place = Place::new();
    let mut running = place.start();
    running.commit_bug(b"killed", Verdict::Unconfirmed { runs: 3 });
    running.close();
    remove_database(&place);
    assert!(place.load().configs[0].bugs.is_empty());
    assert_eq!(list_bugs(&place.state).unwrap()[0].status, BugStatus::Unconfirmed);

    let mut running = place.start();
    running.commit(crash(b"again"));
    running.close();
    remove_database(&place);
    let bugs = place.load().configs.remove(0).bugs;
    assert!(bugs[0].is_pending);
    assert_eq!(&*bugs[0].input, b"again");
}

#[test]
fn a_bug_without_its_description_still_comes_back() {
    let place = filled(&[ValueType::Bytes]);
    remove_database(&place);
    let dir = place.state.join("crashes/module.parse").join(signature().to_string());
    fs::write(dir.join("about.json"), b"{\"kind\": 7").unwrap();
    let bugs = place.load().configs.remove(0).bugs;
    assert_eq!(bugs[0].signature, signature());
    assert_eq!(bugs[0].kind, fuzzd_core::signature::FailureKind::Panic);
    assert_eq!(bugs[0].path, Some(place.testdata().join(format!("panic-{}", signature()))));
    assert!(!bugs[0].is_pending, "its file in testdata says that it was confirmed");
}

#[test]
fn a_crash_file_whose_content_is_not_what_its_name_says_is_set_aside() {
    let place = filled(&[ValueType::Bytes]);
    let dir = place.state.join("crashes/module.parse").join(signature().to_string());
    let file = dir.join(hash_name(BOOM));
    fs::write(&file, b"torn").unwrap();
    let loaded = place.load();
    assert!(matches!(&loaded.notices[..], [LoadNotice::SetAside { path, .. }] if *path == file));
    loaded.start().close();
    assert_eq!(fs::read(&file).unwrap(), BOOM);
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_rebuilt() {
    let damage: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |_| {
            b"this is not a database, but it is longer than a hundred bytes, so that it has \
              a header of which nothing is what it should be"
                .to_vec()
        },
        |bytes| bytes[..50].to_vec(),
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |mut bytes| {
            bytes[4_096..].fill(0xaa);
            bytes
        },
    ];
    for (number, damage) in damage.iter().enumerate() {
        let place = filled(&[ValueType::Bytes]);
        let path = place.state.join("session.db");
        let damaged = damage(fs::read(&path).unwrap());
        fs::write(&path, &damaged).unwrap();
        let loaded = place.load();
        let is_told = loaded.notices.iter().any(|notice| match notice {
            LoadNotice::DatabaseSetAside { to, .. } => fs::read(to).unwrap() == damaged,
            _ => false,
        });
        assert!(is_told, "damage {number}: {:?}", loaded.notices);
        let expected = [B, ONE, TWO];
        assert_eq!(sorted_inputs(&loaded), expected, "damage {number}");
        assert_eq!(loaded.configs[0].bugs.len(), 1);
        drop(loaded);
        assert_eq!(place.load().notices, []);
    }
}

#[test]
fn something_else_with_the_name_of_the_database_is_set_aside() {
    let place = Place::new();
    fs::create_dir_all(place.state.join("session.db")).unwrap();
    fs::write(place.state.join("session.db/file"), b"mine").unwrap();
    let loaded = place.load();
    assert!(matches!(&loaded.notices[..], [LoadNotice::DatabaseSetAside { .. }]));
    assert_eq!(tree(&place.state.join("quarantine"))[0].1, b"mine");
}

#[test]
fn a_database_of_another_program_is_set_aside() {
    let place = Place::new();
    fs::create_dir_all(&place.state).unwrap();
    let other = rusqlite::Connection::open(place.state.join("session.db")).unwrap();
    other.execute_batch("CREATE TABLE tests(x)").unwrap();
    drop(other);
    let loaded = place.load();
    assert!(matches!(&loaded.notices[..], [LoadNotice::DatabaseSetAside { .. }]));
    loaded.start().close();
}

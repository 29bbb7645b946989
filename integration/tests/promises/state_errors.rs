//! Damaged, foreign or newer state: named, set aside, never deleted, and the rest goes on.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use fuzzd_integration::Place;

#[test]
fn a_state_that_cannot_be_written_is_refused() {
    let place = Place::new();
    for state in ["/proc/no/such/state", "/dev/null/state"] {
        let outcome = place.zoo("empty").execs(10).state(state).to_end();
        outcome.expect_code(4);
        assert!(outcome.stderr.contains(state), "{}", outcome.all());
    }
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let place = Place::new();
    place.zoo("stairs").execs(20_000).to_end().expect_code(0);
    let database = place.state().join("session.db");
    // Where SQLite keeps the number that an application gives its format.
    let mut file = fs::OpenOptions::new().write(true).open(&database).expect("a database");
    file.seek(SeekFrom::Start(60)).expect("a database has a header");
    file.write_all(&9_999_u32.to_be_bytes()).expect("the format can be changed");
    drop(file);
    let before = fs::read(&database).expect("a database");
    let outcome = place.zoo("stairs").execs(10).to_end();
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("9999"), "{}", outcome.all());
    assert_eq!(fs::read(&database).expect("a database"), before, "it was changed");
}

#[test]
fn a_damaged_corpus_file_is_named_set_aside_and_kept() {
    let place = Place::new();
    place.zoo("stairs").execs(300_000).to_end().expect_code(0);
    let corpus = place.state_files("corpus");
    let (victim, _) = corpus.first().expect("a corpus has files").clone();
    fs::write(&victim, b"something else").expect("a corpus file can be damaged");
    let outcome = place.zoo("stairs").execs(1_000).to_end();
    outcome.expect_code(0);
    let name = victim.file_name().expect("a file has a name").to_string_lossy().into_owned();
    assert!(outcome.all().contains(&name), "{name}: {}", outcome.all());
    let aside = place.state_files("quarantine");
    assert!(aside.iter().any(|(_, bytes)| bytes == b"something else"), "{aside:?}");
    let warmup = outcome.events_named("warmup_finished").remove(0);
    assert!(warmup["corpus"].as_u64() >= Some(corpus.len() as u64), "{}", outcome.all());
}

#[test]
fn a_damaged_database_is_rebuilt_from_the_files() {
    let place = Place::new();
    let first = place.zoo("panics_on_magic").args(["--fail-fast"]).to_end();
    first.expect_code(1);
    let bug = first.only_bug();
    fs::write(place.state().join("session.db"), b"this is no database").expect("a database");
    let second = place.zoo("panics_on_magic").execs(1_000).to_end();
    assert!(matches!(second.code(), Some(0 | 1)), "{}", second.all());
    let known = second.events_named("known_bug");
    assert!(known.iter().any(|b| b["signature"] == bug["signature"]), "{}", second.all());
    assert!(!second.events_named("warning").is_empty(), "it is told: {}", second.all());
}

#[test]
fn a_deleted_database_is_rebuilt_from_the_files() {
    let place = Place::new();
    let first = place.zoo("stairs").execs(300_000).to_end();
    first.expect_code(0);
    fs::remove_file(place.state().join("session.db")).expect("a database can be deleted");
    let second = place.zoo("stairs").execs(1_000).to_end();
    second.expect_code(0);
    let warmup = second.events_named("warmup_finished").remove(0);
    assert!(warmup["corpus"].as_u64() >= first.finished()["corpus"].as_u64(), "{}", second.all());
}

#[test]
fn testdata_that_is_malformed_or_of_other_types_is_named_and_left_alone() {
    let place = Place::new();
    let folder = place.testdata_folder("types");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let files: [(&str, &[u8]); 3] = [
        ("malformed", b"go test fuzz v1\nstring(\"a\nand no end"),
        ("wrong-types", b"go test fuzz v1\nint(1)\n"),
        ("binary", b"\x00\xff\x00"),
    ];
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("a file can be written");
    }
    let outcome = place.zoo("types").execs(200).to_end();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
    for (name, bytes) in files {
        assert!(outcome.all().contains(name), "{name}: {}", outcome.all());
        assert_eq!(fs::read(folder.join(name)).expect("it stays"), bytes);
    }
    assert_eq!(outcome.finished()["execs"], 200, "the rest goes on");
}

#[test]
fn seeds_directories_are_only_read() {
    let place = Place::new();
    let seeds = place.path().join("seeds");
    fs::create_dir(&seeds).expect("a folder can be made");
    fs::write(seeds.join("one"), b"fuzzd!").expect("a seed can be written");
    fs::create_dir(seeds.join("a-folder")).expect("a folder can be made");
    let run = place.zoo("stairs").execs(50_000).args(["--seeds"]).args([seeds.clone()]);
    let outcome = run.to_end();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
    let names: Vec<_> = fs::read_dir(&seeds).expect("seeds").flatten().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(fs::read(seeds.join("one")).expect("a seed"), b"fuzzd!");
}

//! Fuzz tests of Go: `go test` must be able to read what is written, under Go's own names.

use std::fs;
use std::path::Path;

use crate::support::{CONFIRMED, Place, bug, crash, signature};
use fuzzd_coordinator::store::{FileForm, read_bug};
use fuzzd_core::session::{Origin, Verdict};

fn place() -> Place {
    let mut place = Place::new();
    place.tests[0].form = FileForm::Go;
    place
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_bug_lies_under_gos_name_and_its_minimized_form_takes_its_place() {
    let place = place();
    fs::create_dir_all(place.testdata()).unwrap();
    let text = |value: &str| format!("go test fuzz v1\n[]byte(\"{value}\")\n");
    fs::write(place.testdata().join("by-hand"), text("mine")).unwrap();
    let mut running = place.start();
    running.commit(crash(b"100"));
    let first = running.commit(bug(b"100", CONFIRMED)).unwrap();
    assert_eq!(fs::read_to_string(&first).unwrap(), text("100"));
    running.commit(crash(b"0"));
    let small = running.commit(bug(b"0", Verdict::Minimized)).unwrap();
    assert_eq!(small, place.testdata().join("582528ddfad69eb5"));
    assert_eq!(fs::read_to_string(&small).unwrap(), text("0"));
    assert_eq!(names(place.testdata()), ["582528ddfad69eb5", "by-hand"]);
    running.close();
    let inputs = read_bug(&place.state, &place.tests[0].name, signature()).unwrap();
    assert_eq!(inputs.shown, text("0").into_bytes());
}

#[test]
fn what_gos_coordinator_kept_is_taken_and_left_alone() {
    let mut place = place();
    let cache = place.testdata().join("../../../../cache");
    fs::create_dir_all(&cache).unwrap();
    fs::write(cache.join("0123456789abcdef"), "go test fuzz v1\n[]byte(\"kept\")\n").unwrap();
    fs::write(cache.join("of-other-types"), "go test fuzz v1\nint(1)\n").unwrap();
    place.tests[0].inputs = Some(cache.clone());
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [&b"kept"[..]]);
    assert_eq!(loaded.notice_texts().len(), 1, "{:?}", loaded.notice_texts());
    assert_eq!(names(&cache), ["0123456789abcdef", "of-other-types"]);
}

#[test]
fn a_seed_that_lies_in_testdata_is_known_from_there() {
    let mut place = place();
    fs::create_dir_all(place.testdata()).unwrap();
    fs::write(place.testdata().join("kept"), "go test fuzz v1\n[]byte(\"kept\")\n").unwrap();
    place.seeds[0] = vec![b"code".to_vec(), b"kept".to_vec()];
    let loaded = place.load();
    assert_eq!(loaded.inputs(), [&b"code"[..], b"kept"]);
    let entries = &loaded.configs[0].entries;
    assert_eq!(entries[0].origin, Origin::Seed);
    assert_eq!(entries[1].origin, Origin::Testdata(place.testdata().join("kept")));
}

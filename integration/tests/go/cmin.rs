//! `fuzzd cmin` on the corpus of a fuzz test of Go.

use std::fs;

use fuzzd_integration::{Outcome, Place, go};
use serde_json::Value;

use crate::run::run;

fn cmin(place: &Place, more: &[&str]) -> Outcome {
    let target = format!("{}:FuzzMagic", go::targets().unwrap().display());
    let state = place.state();
    let arguments = ["cmin", "--json", "-j", "1", "--state", state.to_str().unwrap(), &target];
    place.run(arguments.iter().chain(more))
}

fn only(outcome: &Outcome) -> Value {
    outcome.expect_code(0).finished()["tests"][0].clone()
}

#[test]
fn a_corpus_in_gos_form_gets_smaller_and_covers_the_same() {
    let place = Place::new();
    let Some(first) = run(&place, "FuzzMagic") else { return };
    first.execs(300).to_end().expect_code(0);
    let corpus = place.state().join("corpus/FuzzMagic");
    fs::create_dir_all(&corpus).unwrap();
    let inputs = ["FU", "FUZ", "FUx", "FUZ?", "F?", "none", "no", "FUZ!"];
    for (number, input) in inputs.iter().enumerate() {
        let text = format!("go test fuzz v1\n[]byte(\"{input}\")\n");
        fs::write(corpus.join(format!("mine-{number}")), text).unwrap();
    }
    let into = place.path().join("testdata/fuzz/FuzzMagic");
    let copied = only(&cmin(&place, &["--into", into.to_str().unwrap()]));
    assert_eq!(copied["failing"], 1, "FUZ! fails, and stays: {copied}");
    let entries = copied["entries"].as_u64().unwrap();
    assert!(entries > 1 && copied["entries_before"].as_u64().unwrap() > entries, "{copied}");
    let files = place.testdata("FuzzMagic");
    assert_eq!(files.len() as u64, entries);
    // Go reads them, and the one that fails does.
    go::copy_targets(place.path());
    let (passed, output) = go::test(go::toolchain().unwrap(), place.path(), &["-run=FuzzMagic/"]);
    assert!(!passed && output.contains("the magic word, and 0 bytes more"), "{output}");
    fs::remove_dir_all(&into).unwrap();
    let moved = only(&cmin(&place, &[]));
    for field in ["entries_before", "features", "edges"] {
        assert_eq!(moved[field], copied[field], "{field}: {moved}");
    }
    let (kept, removed) = (place.state_files("corpus"), place.state_files("removed"));
    assert_eq!(kept.len() as u64, moved["entries"].as_u64().unwrap(), "{moved}");
    assert_eq!((kept.len() + removed.len()) as u64, moved["entries_before"], "{moved}");
    let again = only(&cmin(&place, &[]));
    assert_eq!((&again["to"], &again["features"]), (&Value::Null, &moved["features"]));
    assert_eq!(again["entries"], again["entries_before"], "{again}");
}

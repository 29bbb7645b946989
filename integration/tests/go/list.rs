//! `fuzzd list` and `fuzzd build` know what `fuzzd run` takes of Go.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fuzzd_integration::{Outcome, Place, go, run_to_end};
use serde_json::Value;

use crate::build::module;

/// Runs `fuzzd` in a place, with the toolchain in the search path.
fn fuzzd(place: &Place, toolchain: &Path, arguments: &[&str]) -> Outcome {
    let mut command = place.fuzzd(arguments);
    command.envs(go::environment()).env("PATH", go::search_path(toolchain));
    run_to_end(command)
}

/// The objects of `list --json`, by the name of the fuzz test.
fn objects(outcome: &Outcome) -> BTreeMap<String, Value> {
    let read = |line: &String| {
        let object: Value = serde_json::from_str(line).unwrap();
        (object["test"].as_str().unwrap().to_owned(), object)
    };
    outcome.lines.iter().map(read).collect()
}

#[test]
fn the_fuzz_tests_of_a_binary_are_listed_with_their_types() {
    let place = Place::new();
    let Some(binary) = go::targets() else { return };
    let path = binary.to_str().unwrap();
    let outcome = place.run(["list", path]);
    outcome.expect_code(0);
    let line = outcome.lines.iter().find(|line| line.starts_with("FuzzSum")).unwrap();
    let words: Vec<&str> = line.split("  ").filter(|word| !word.is_empty()).collect();
    let expected = ["FuzzSum(string, int)", "fuzzd.example/gotargets", path];
    assert_eq!(words, expected, "{}", outcome.all());
    let all = objects(&place.run(["list", "--json", path]));
    assert_eq!(all.len(), 11, "{all:?}");
    let sum = &all["FuzzSum"];
    assert_eq!((&sum["test_path"], &sum["executable"]), (&"FuzzSum".into(), &path.into()));
    assert_eq!(sum["types"], serde_json::json!(["string", "int"]));
    assert_eq!(sum["package"], "fuzzd.example/gotargets");
    assert!(sum["testdata"].as_str().unwrap().ends_with("/testdata/fuzz/FuzzSum"), "{sum}");
    assert!(sum.get("line").is_none(), "a binary does not say it: {sum}");
    let one = objects(&place.run(["list", "--json", &format!("{path}:FuzzMagic")]));
    assert_eq!(one.keys().collect::<Vec<_>>(), ["FuzzMagic"]);
    assert!(!place.path().join(".fuzzd").exists(), "nothing was to be built");
}

#[test]
fn a_package_is_built_and_listed_and_so_are_all_below() {
    let Some((place, toolchain)) = module() else { return };
    fs::write(
        place.path().join("root_test.go"),
        "package root\nimport \"testing\"\nfunc FuzzRoot(f *testing.F) {\n\
         \tf.Fuzz(func(t *testing.T, b []byte, n uint16) {})\n}\n",
    )
    .unwrap();
    let state = place.state();
    let state = state.to_str().unwrap();
    let outcome = fuzzd(&place, toolchain, &["list", "--json", "--state", state, "./deep/pkg"]);
    let all = objects(outcome.expect_code(0));
    let magic = &all["deep.pkg.FuzzMagic"];
    assert_eq!((all.len(), &magic["test_path"]), (11, &"FuzzMagic".into()), "{all:?}");
    assert_eq!(magic["types"], serde_json::json!(["[]byte"]));
    let outcome = fuzzd(&place, toolchain, &["list", "--state", state, "./..."]);
    outcome.expect_code(0);
    assert_eq!(outcome.lines.len(), 12, "{}", outcome.all());
    assert!(outcome.lines.iter().any(|line| line.starts_with("FuzzRoot([]byte, uint16)")));
    let twice = fuzzd(&place, toolchain, &["list", "--state", state, "./...", "./deep/pkg"]);
    assert_eq!(twice.expect_code(0).lines, outcome.lines, "each is one, however often it is named");
    let outcome = fuzzd(&place, toolchain, &["build", "--state", state, "./..."]);
    let lines = &outcome.expect_code(0).lines;
    assert_eq!(lines.len(), 2, "{}", outcome.all());
    let listed = magic["executable"].as_str().unwrap();
    assert!(lines.iter().any(|line| line == listed), "{listed}: {}", outcome.all());
    assert!(lines.iter().all(|line| Path::new(line).starts_with(state)), "{}", outcome.all());
}

#[test]
fn what_does_not_build_has_the_words_of_the_compiler() {
    let Some((place, toolchain)) = module() else { return };
    let broken = place.path().join("deep/pkg/broken.go");
    fs::write(&broken, "package gotargets\n\nvar x int = \"no number\"\n").unwrap();
    for command in ["list", "build"] {
        let outcome = fuzzd(&place, toolchain, &[command, "./deep/pkg"]);
        outcome.expect_code(3);
        assert!(outcome.stderr.contains("broken.go:3:13"), "{}", outcome.all());
        assert!(outcome.lines.is_empty(), "{}", outcome.all());
    }
}

#[test]
fn what_cannot_be_listed_is_said() {
    let Some((place, toolchain)) = module() else { return };
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let outcome = fuzzd(&place, toolchain, arguments);
        outcome.expect_code(code);
        assert!(outcome.stderr.contains(words), "{words}: {}", outcome.all());
        assert!(outcome.lines.is_empty(), "{}", outcome.all());
    };
    refused(&["list", "./gone.test"], 2, "./gone.test");
    refused(&["list", "."], 2, "no Go tests");
    refused(&["build", "."], 2, "no Go tests");
    refused(&["list", "./deep/pkg:FuzzMagik"], 2, "FuzzMagic");
    refused(&["list", "/bin/true"], 4, "did not come up");
    refused(&["build", "/bin/true"], 2, "no package to build");
    refused(&["build", "./gone"], 2, "there is no ./gone");
    let plain = go::build(toolchain, "plain.test", &[]);
    let one = format!("{}:FuzzBytes", plain.display());
    refused(&["list", &one], 4, "go test -c -fuzz=.");
    fuzzd(&place, toolchain, &["list", "--blind", &one]).expect_code(0);
    let broken = format!("{}:FuzzBroken", plain.display());
    refused(&["list", "--blind", &broken], 4, "broken on purpose");
    let skipped = format!("{}:FuzzSkipped", plain.display());
    let outcome = fuzzd(&place, toolchain, &["list", "--json", "--blind", &skipped]);
    let all = objects(outcome.expect_code(0));
    assert_eq!(all["FuzzSkipped"]["skipped"], true, "{}", outcome.all());
}

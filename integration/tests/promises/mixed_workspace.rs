//! A workspace with everything that an instrumented build can break: members that do not use
//! fuzzd, a binary, an example, shared libraries, a build script, a procedural macro.

use std::fs;
use std::path::PathBuf;

use fuzzd_integration::{Place, copy_fixture, run_to_end};

fn workspace(place: &Place) -> (PathBuf, String) {
    let manifest = copy_fixture("mixed_workspace", place.path());
    let text = manifest.to_string_lossy().into_owned();
    (manifest, text)
}

#[test]
fn all_its_fuzz_tests_are_found_and_fuzzed() {
    let place = Place::new();
    let (_, manifest) = workspace(&place);
    let listed = place.run(["list", "--manifest-path", &manifest]);
    listed.expect_code(0);
    let text = listed.lines.join("\n");
    assert!(text.contains("tests::beside_the_code") && text.contains("in_tests"), "{text}");
    assert!(!text.contains("behind_a_feature"), "{text}");
    let arguments = ["list", "--json", "--features", "extra", "--manifest-path", &manifest];
    let listed = place.run(arguments);
    listed.expect_code(0);
    assert!(listed.lines.join("\n").contains("behind_a_feature"), "{}", listed.all());

    let arguments = ["run", "--json", "-j", "2", "--execs", "400000", "--manifest-path", &manifest];
    let outcome = place.run(arguments);
    outcome.expect_code(1);
    let bugs = outcome.events_named("bug");
    assert_eq!(bugs.len(), 2, "one in each fuzz test: {}", outcome.all());
    let root = place.path().join("mixed_workspace");
    assert!(root.join(".fuzzd/session.db").is_file(), "the state lies in the workspace root");
    for folder in ["tests.beside_the_code", "in_tests"] {
        let folder = root.join("fuzzed/testdata/fuzz").join(folder);
        assert_eq!(fs::read_dir(&folder).map(Iterator::count).ok(), Some(1), "{folder:?}");
    }
}

#[test]
fn settings_of_the_user_are_respected() {
    let place = Place::new();
    let (_, manifest) = workspace(&place);
    let root = place.path().join("mixed_workspace");
    fs::create_dir(root.join(".cargo")).expect("a folder can be made");
    let wrapper = root.join("wrapper.sh");
    let log = root.join("wrapper.log");
    let script = format!("#!/bin/sh\necho called >> '{}'\nexec \"$@\"\n", log.display());
    fs::write(&wrapper, script).expect("a script can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&wrapper, mode).expect("a script can be made executable");
    let config = "[build]\nrustflags = [\"--cfg\", \"users_own\"]\n";
    fs::write(root.join(".cargo/config.toml"), config).expect("a file can be written");
    let mut command = place.fuzzd(["build", "--manifest-path", &manifest]);
    command.current_dir(&root).env("RUSTC_WRAPPER", &wrapper);
    run_to_end(command).expect_code(0);
    assert!(log.is_file(), "the user's wrapper was not called");
}

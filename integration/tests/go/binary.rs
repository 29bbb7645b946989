//! What the file of a Go test binary says, and what the binary says when asked, is the same.

use std::fs;

use fuzzd_go::binary::{inspect, list};
use fuzzd_go::process::spawn;
use fuzzd_integration::go;

const NAMES: [&str; 10] = [
    "FuzzBytes",
    "FuzzString",
    "FuzzShared",
    "FuzzIntegers",
    "FuzzFloats",
    "FuzzEverything",
    "FuzzNoSeed",
    "FuzzSkipped",
    "FuzzBroken",
    "FuzzHangs",
];

#[test]
fn a_test_binary_is_known_with_its_fuzz_tests_and_counters() {
    let (Some(toolchain), Some(binary)) = (go::toolchain(), go::test_binary()) else { return };
    let found = inspect(binary).unwrap().expect("it is a Go test binary");
    assert_eq!(found.package, "fuzzd.example/gozoo");
    assert_eq!(found.go_version, go::release(toolchain));
    assert_eq!(found.fuzz_tests.unwrap(), NAMES);
    assert!(found.counter_bytes.unwrap() > 1000);
    let mut listed = list(binary, &go::package(), spawn).unwrap();
    listed.sort_by_key(|name| NAMES.iter().position(|known| known == name));
    assert_eq!(listed, NAMES);
}

#[test]
fn a_stripped_binary_without_instrumentation_says_both() {
    let Some(toolchain) = go::toolchain() else { return };
    let stripped = go::build(toolchain, "stripped.test", &["-ldflags=-s -w"]);
    let found = inspect(&stripped).unwrap().expect("it is a Go test binary");
    assert_eq!(found.package, "fuzzd.example/gozoo");
    assert_eq!((found.fuzz_tests, found.counter_bytes), (None, None));
    assert_eq!(list(&stripped, &go::package(), spawn).unwrap().len(), NAMES.len());
}

#[test]
fn a_go_program_that_is_no_test_is_none() {
    let Some(toolchain) = go::toolchain() else { return };
    // The toolchain may be a name to look for, or a script.
    let program = go::root(toolchain).join("bin/go");
    assert!(fs::read(&program).unwrap().starts_with(b"\x7fELF"), "{}", program.display());
    assert_eq!(inspect(&program).unwrap(), None, "the go command itself");
}

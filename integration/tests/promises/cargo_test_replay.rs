//! What was found fails under plain `cargo test`, and every failing file is listed.

use std::fs;
use std::path::Path;

use fuzzd_integration::{Outcome, Place, cargo, copy_fixture, run_to_end};

fn cargo_test(place: &Place, manifest: &Path, tests: &[&str]) -> Outcome {
    let mut command = cargo(place);
    command.args(["test", "--test", "zoo", "--manifest-path"]).arg(manifest);
    command.arg("--").args(tests).env("FUZZD_TIMEOUT", "2s").env("FUZZD_RSS_LIMIT", "256");
    run_to_end(command)
}

fn put(manifest: &Path, test: &str, name: &str, bytes: &[u8]) {
    let package = manifest.parent().expect("a manifest lies in its package");
    let folder = package.join("testdata/fuzz").join(test);
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join(name), bytes).expect("a file can be written");
}

#[test]
fn crashers_fail_and_are_listed_and_all_else_passes() {
    let place = Place::new();
    let manifest = copy_fixture("zoo", place.path());
    let clean = cargo_test(&place, &manifest, &[]);
    clean.expect_code(101);
    assert!(clean.all().contains("1 failed"), "only `fails_always`: {}", clean.all());

    put(&manifest, "panics_on_magic", "first", b"!1");
    put(&manifest, "panics_on_magic", "second", b"!2");
    put(&manifest, "panics_on_magic", "harmless", b"nothing");
    let deaths = [
        "aborts",
        "segfaults",
        "overflows_stack",
        "exits_zero",
        "hangs",
        "eats_memory",
        "kills_itself",
    ];
    for test in deaths {
        put(&manifest, &format!("process.{test}"), &format!("a-{test}-file"), b"!");
        put(&manifest, &format!("process.{test}"), "harmless", b"nothing");
    }
    put(&manifest, "types", "typed", TYPED);
    put(&manifest, "types", "unreadable", b"go test fuzz v1\nint(1)\n");

    let failing = cargo_test(&place, &manifest, &["--skip", "fails_always"]);
    failing.expect_code(101);
    let all = failing.all();
    assert!(all.contains("9 failed"), "{all}");
    for name in ["first", "second", "typed", "unreadable"] {
        assert!(all.contains(name), "{name} is not listed: {all}");
    }
    for test in deaths {
        assert!(all.contains(&format!("a-{test}-file")), "{test} is not listed: {all}");
    }
    let listed = all.lines().any(|line| line.contains("harmless") && line.contains("FAIL"));
    assert!(!listed, "a passing file is listed: {all}");
}

const TYPED: &[u8] = b"go test fuzz v1\nstring(\"a\")\nuint32(3)\nbool(true)\nrune('x')\n\
    float64(1)\n[]byte(\"b\")\nint128(-1)\n";

#[test]
fn what_fuzzd_finds_fails_under_cargo_test() {
    let place = Place::new();
    let manifest = copy_fixture("zoo", place.path());
    let manifest_text = manifest.to_string_lossy().into_owned();
    let test = "panics_on_magic";
    let run = ["run", test, "--json", "-j", "2", "--fail-fast", "--manifest-path", &manifest_text];
    let outcome = place.run(run);
    outcome.expect_code(1);
    let path = outcome.only_bug()["path"].as_str().expect("a bug has a file").to_owned();
    let package = manifest.parent().expect("a manifest lies in its package");
    assert!(Path::new(&path).starts_with(package.join("testdata/fuzz/panics_on_magic")), "{path}");
    assert!(package.join(".fuzzd/session.db").is_file(), "the state lies in the workspace root");
    let ignored = fs::read_to_string(package.join(".fuzzd/.gitignore"));
    assert!(ignored.is_ok_and(|text| text.contains('*')), "git does not see the state");
    let failing = cargo_test(&place, &manifest, &[test]);
    failing.expect_code(101);
    let name = Path::new(&path).file_name().expect("a file has a name").to_string_lossy();
    assert!(failing.all().contains(&*name), "{name}: {}", failing.all());
}

//! Packages of a Go module are built with the user's own `go` before they are fuzzed.

use std::fs;
use std::path::Path;

use fuzzd_integration::{Place, Run, go};

/// A place with a module of two packages, and what runs a target in it.
pub(crate) fn module() -> Option<(Place, &'static Path)> {
    let toolchain = go::toolchain()?;
    let place = Place::new();
    let package = place.path().join("deep/pkg");
    fs::create_dir_all(&package).unwrap();
    go::copy_targets(&package);
    fs::rename(package.join("go.mod"), place.path().join("go.mod")).unwrap();
    fs::write(place.path().join("root.go"), "package root\n").unwrap();
    Some((place, toolchain))
}

fn run<'a>(place: &'a Place, toolchain: &Path, target: &str) -> Run<'a> {
    let run = place.target(target).env("PATH", go::search_path(toolchain));
    go::environment().into_iter().fold(run, |run, (name, value)| run.env(name, value))
}

#[test]
fn a_package_is_built_fuzzed_and_keeps_its_own_testdata() {
    let Some((place, toolchain)) = module() else { return };
    let limits = ["--time", "60s", "--fail-fast"];
    let outcome = run(&place, toolchain, "./deep/pkg:FuzzMagic").args(limits).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["test"], "deep.pkg.FuzzMagic");
    let path = Path::new(bug["path"].as_str().unwrap());
    let testdata = place.path().join("deep/pkg/testdata/fuzz/FuzzMagic");
    assert_eq!(path.parent().unwrap(), testdata);
    let kept = fs::read_dir(&testdata).unwrap().next().unwrap().unwrap().file_name();
    let one = format!("-run=FuzzMagic/{}", kept.to_str().unwrap());
    let (passed, output) = go::test(toolchain, place.path(), &["./deep/pkg", &one]);
    assert!(!passed && output.contains("the magic word"), "{output}");
}

#[test]
fn all_packages_below_are_one_session() {
    let Some((place, toolchain)) = module() else { return };
    fs::write(
        place.path().join("root_test.go"),
        "package root\nimport \"testing\"\nfunc FuzzRoot(f *testing.F) {\n\
         \tf.Fuzz(func(t *testing.T, n int) {})\n}\n",
    )
    .unwrap();
    let outcome = run(&place, toolchain, "./...:FuzzRoot").execs(100).to_end();
    assert_eq!(outcome.expect_code(0).finished()["tests"][0]["test"], "FuzzRoot");
    let limits = ["--time", "2s", "--timeout", "250ms", "--no-minimize"];
    let outcome = run(&place, toolchain, "./...").args(limits).args(["./deep/pkg"]).to_end();
    assert_eq!(outcome.finished()["tests"].as_array().unwrap().len(), 12, "{}", outcome.all());
}

#[test]
fn what_does_not_build_is_said_in_the_words_of_the_compiler() {
    let Some((place, toolchain)) = module() else { return };
    let broken = place.path().join("deep/pkg/broken.go");
    fs::write(&broken, "package gotargets\n\nvar x int = \"no number\"\n").unwrap();
    let outcome = run(&place, toolchain, "./deep/pkg").to_end();
    outcome.expect_code(3);
    assert!(outcome.stderr.contains("broken.go:3:13"), "{}", outcome.all());
    assert!(outcome.lines.is_empty(), "{}", outcome.all());
}

#[test]
fn packages_without_tests_and_unknown_tests_are_named() {
    let Some((place, toolchain)) = module() else { return };
    let outcome = run(&place, toolchain, ".").to_end();
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("no Go tests"), "{}", outcome.all());
    let outcome = run(&place, toolchain, "./deep/pkg:FuzzMagik").to_end();
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("FuzzMagic"), "{}", outcome.all());
}

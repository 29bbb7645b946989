//! `fuzzd run` on unmodified Go test binaries: what is found, kept and counted.

use std::fs;
use std::path::Path;

use fuzzd_integration::{Place, Run, go};

/// A run of one fuzz test of the faults to find, or of all of them. `None`: there is no toolchain.
pub(crate) fn run<'a>(place: &'a Place, test: &str) -> Option<Run<'a>> {
    let mut target = go::targets()?.as_os_str().to_owned();
    if !test.is_empty() {
        target.push(":");
        target.push(test);
    }
    Some(place.target(target))
}

/// The name of the only file in the testdata of a fuzz test, and what it says.
pub(crate) fn only_file(place: &Place, test: &str) -> (String, String) {
    let files = place.testdata(test);
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].0.file_name().unwrap().to_str().unwrap().to_owned();
    (name, String::from_utf8(files[0].1.clone()).unwrap())
}

#[test]
fn a_bug_behind_coverage_is_found_and_go_test_replays_it() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzMagic") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], "error");
    let message = bug["message"].as_str().unwrap();
    assert!(message.starts_with("the magic word"), "{message}");
    assert!(bug["location"].as_str().unwrap().starts_with("targets_test.go:"), "{bug}");
    assert_eq!((&bug["reproduced"], &bug["runs"]), (&3.into(), &3.into()));
    let (name, text) = only_file(&place, "FuzzMagic");
    assert_eq!(text, "go test fuzz v1\n[]byte(\"FUZ!\")\n", "minimized");
    assert_eq!(name.len(), 16, "{name}");
    go::copy_targets(place.path());
    let toolchain = go::toolchain().unwrap();
    let one = format!("-run=FuzzMagic/{name}");
    let (passed, output) = go::test(toolchain, place.path(), &[&one]);
    assert!(!passed && output.contains("the magic word, and 0 bytes more"), "{output}");
}

#[test]
fn words_of_the_code_get_into_inputs() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzWord") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    assert_eq!(outcome.expect_code(1).only_bug()["message"], "the word");
    let (_, text) = only_file(&place, "FuzzWord");
    assert_eq!(text, "go test fuzz v1\nstring(\"transfer-encoding: chunked\")\n");
}

#[test]
fn typed_inputs_are_minimized_value_by_value() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzSum") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!((&bug["kind"], bug["flaky"].as_bool()), (&"panic".into(), Some(false)));
    assert!(bug["location"].as_str().unwrap().ends_with("go_targets/targets.go:37"), "{bug}");
    let (_, text) = only_file(&place, "FuzzSum");
    assert_eq!(text, "go test fuzz v1\nstring(\"\")\nint(0)\n");
}

#[test]
fn every_bug_of_a_test_is_found_in_one_run() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzTwo") else { return };
    let mut session = run.args(["--time", "120s"]).start();
    let mut kinds = [session.wait_for("bug"), session.wait_for("bug")]
        .map(|bug| bug["kind"].as_str().unwrap().to_owned());
    kinds.sort();
    assert_eq!(kinds, ["error", "exit-7"]);
    session.signal(rustix::process::Signal::INT);
    let outcome = session.wait();
    assert_eq!(outcome.events_named("bug").len(), 2, "{}", outcome.all());
    outcome.expect_code(1);
}

#[test]
fn executions_are_counted_exactly() {
    for (workers, execs) in [(1, 1), (1, 777), (2, 1_001)] {
        let place = Place::new();
        let Some(run) = run(&place, "FuzzCount") else { return };
        let log = place.path().join("count");
        let run = run.workers(workers).execs(execs).env("GOTARGETS_COUNT", &log);
        let outcome = run.to_end();
        let finished = outcome.expect_code(0).finished();
        assert_eq!(finished["execs"], execs, "{}", outcome.all());
        assert_eq!(finished["reason"], "execs", "{}", outcome.all());
        let other = finished["execs_other"].as_u64().unwrap();
        assert_eq!(fs::metadata(&log).unwrap().len(), execs + other, "{}", outcome.all());
    }
}

#[test]
fn a_run_with_a_seed_repeats() {
    let mut corpora = Vec::new();
    for _ in 0..2 {
        let place = Place::new();
        let Some(run) = run(&place, "FuzzSum") else { return };
        let outcome = run.execs(2_000).to_end();
        assert_eq!(outcome.finished()["reason"], "execs", "{}", outcome.all());
        let names = place.state_files("corpus").into_iter();
        corpora
            .push(names.map(|(path, _)| path.file_name().unwrap().to_owned()).collect::<Vec<_>>());
    }
    assert!(corpora[0].len() > 1, "{corpora:?}");
    assert_eq!(corpora[0], corpora[1]);
}

#[test]
fn what_go_kept_in_its_cache_is_a_beginning() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzMagic") else { return };
    let kept = place.path().join("cache/fuzz/fuzzd.example/gotargets/FuzzMagic");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("0123456789abcdef"), "go test fuzz v1\n[]byte(\"FUZ?\")\n").unwrap();
    let run = run.env("GOCACHE", place.path().join("cache")).args(["--go-cache"]);
    let run = run.env("PATH", go::search_path(go::toolchain().unwrap()));
    let outcome = run.execs(100).to_end();
    let warmup = &outcome.events_named("warmup_started")[0];
    assert_eq!(warmup["inputs"], 2, "{}", outcome.all());
}

#[test]
fn a_run_goes_on_where_the_last_one_stopped() {
    let place = Place::new();
    let Some(first) = run(&place, "FuzzMagic") else { return };
    let first = first.args(["--time", "60s", "--fail-fast"]).to_end();
    let corpus = first.expect_code(1).finished()["corpus"].as_u64().unwrap();
    assert!(corpus > 1, "{}", first.all());
    let second = run(&place, "FuzzMagic").unwrap().args(["--time", "1s"]).to_end();
    second.expect_code(0);
    assert_eq!(second.events_named("known_bug").len(), 1, "{}", second.all());
    assert!(second.finished()["corpus"].as_u64().unwrap() >= corpus, "{}", second.all());
    for (path, content) in place.state_files("corpus") {
        assert!(content.starts_with(b"go test fuzz v1\n"), "{}", path.display());
    }
}

#[test]
fn all_fuzz_tests_of_a_binary_run_in_one_session() {
    let place = Place::new();
    let Some(run) = run(&place, "") else { return };
    let limits = ["--time", "9s", "--timeout", "250ms", "--rss-limit", "512", "--no-minimize"];
    let outcome = run.args(limits).to_end();
    let tests = outcome.finished()["tests"].as_array().unwrap().clone();
    let names: Vec<&str> = tests.iter().filter_map(|test| test["test"].as_str()).collect();
    assert_eq!(names.len(), 11, "{names:?}");
    let executed = tests.iter().filter(|test| test["execs"].as_u64() > Some(0)).count();
    // Reading the seed of FuzzLarge alone may take the time that one input is given here.
    assert!(executed >= 10, "{}", outcome.all());
    outcome.expect_code(1);
}

#[test]
fn an_input_larger_than_the_memory_gets_a_larger_one() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzLarge") else { return };
    let outcome = run.args(["--time", "3s"]).to_end();
    assert_eq!(outcome.events_named("warning").len(), 0, "{}", outcome.all());
    let finished = outcome.finished();
    assert!(finished["execs"].as_u64() > Some(0), "{}", outcome.all());
    assert!(finished["corpus"].as_u64() > Some(0), "{}", outcome.all());
}

#[test]
fn a_binary_without_instrumentation_is_refused_and_one_without_the_test_named() {
    let place = Place::new();
    let Some(toolchain) = go::toolchain() else { return };
    let plain = go::build(toolchain, "plain.test", &[]);
    let outcome = place.target(format!("{}:FuzzBytes", plain.display())).to_end();
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("go test -c -fuzz=."), "{}", outcome.all());
    let outcome = run(&place, "FuzzMagik").unwrap().to_end();
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("FuzzMagic"), "{}", outcome.all());
}

#[test]
fn a_file_is_replayed_in_the_binary_it_was_found_in() {
    let place = Place::new();
    let Some(binary) = go::targets() else { return };
    let write = |name: &str, value: &str| {
        let text = format!("go test fuzz v1\n[]byte(\"{value}\")\n");
        fs::write(place.path().join(name), text).unwrap();
    };
    write("good", "fine");
    write("bad", "FUZ! and more");
    let target = format!("{}:FuzzMagic", binary.display());
    let replay = |file: &str| place.run(["replay", &target, file]);
    replay("good").expect_code(0);
    let outcome = replay("bad");
    outcome.expect_code(1);
    assert!(outcome.all().contains("the magic word"), "{}", outcome.all());
    assert!(!Path::new("testdata").exists());
}

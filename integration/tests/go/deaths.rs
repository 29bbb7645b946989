//! What ends a Go worker: each is told apart, kept with its input, and made smaller.

use fuzzd_integration::{Outcome, Place};

use crate::run::{only_file, run};

/// Runs a fuzz test until its bug is found and minimized.
fn dies(place: &Place, test: &str, kind: &str, arguments: &[&str]) -> Option<Outcome> {
    let run = run(place, test)?.args(["--time", "120s", "--fail-fast"]);
    let outcome = run.args(arguments.iter().copied()).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], kind, "{}", outcome.all());
    assert_eq!(bug["reproduced"], bug["runs"], "{}", outcome.all());
    Some(outcome)
}

#[test]
fn a_panic_that_ends_the_process_is_minimized_in_processes_of_its_own() {
    let place = Place::new();
    let Some(outcome) = dies(&place, "FuzzGoroutine", "panic", &[]) else { return };
    let bug = outcome.only_bug();
    assert!(bug["message"].as_str().unwrap().contains("index out of range"), "{bug}");
    let (_, text) = only_file(&place, "FuzzGoroutine");
    assert_eq!(text, "go test fuzz v1\n[]byte(\"0000000000000\")\n");
}

#[test]
fn a_hang_is_a_timeout_with_its_goroutines() {
    let place = Place::new();
    let Some(outcome) = dies(&place, "FuzzHang", "timeout", &["--timeout", "1s"]) else { return };
    let (_, text) = only_file(&place, "FuzzHang");
    assert_eq!(text, "go test fuzz v1\n[]byte(\"0000000\")\n", "{}", outcome.all());
    let about =
        place.state_files("crashes").into_iter().find(|(path, _)| path.ends_with("about.json"));
    let about = String::from_utf8(about.unwrap().1).unwrap();
    assert!(about.contains("gotargets.FuzzHang"), "{about}");
}

#[test]
fn memory_without_end_is_noticed_and_its_input_kept() {
    let place = Place::new();
    let limits = ["--rss-limit", "256", "--timeout", "60s", "--no-minimize"];
    let Some(outcome) = dies(&place, "FuzzMemory", "oom", &limits) else { return };
    assert!(outcome.only_bug()["size"].as_u64() > Some(6), "{}", outcome.all());
    only_file(&place, "FuzzMemory");
}

#[test]
fn a_death_from_outside_is_no_bug() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzKilled") else { return };
    let once = place.path().join("once");
    let mut session = run.args(["--time", "120s"]).env("GOTARGETS_ONCE", &once).start();
    session.wait_for("unconfirmed");
    session.signal(rustix::process::Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(0);
    assert_eq!(outcome.events_named("bug").len(), 0, "{}", outcome.all());
    assert_eq!(place.testdata("FuzzKilled"), [], "{}", outcome.all());
}

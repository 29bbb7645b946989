//! Every way in which a fuzz test of Go fails: found, kept with its input, replayed by Go.

use std::collections::BTreeSet;

use fuzzd_integration::Place;
use rustix::process::Signal;

use super::{go_runs, only_file, run};

/// The kind of failure of a fuzz test, and the length of its input in the form of its types, which
/// is as short as it can be.
#[track_caller]
fn is_found_kept_and_replayed(test: &str, kind: &str, size: u64) {
    let place = Place::new();
    let Some(run) = run(&place, test) else { return };
    let before = go_runs(&place, test).unwrap();
    assert!(before.status.success(), "without the file it passes: {before:?}");
    let limits = ["--time", "60s", "--fail-fast", "--timeout", "2s"];
    let outcome = run.args(limits).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], kind, "{}", outcome.all());
    assert_eq!(bug["reproduced"], bug["runs"], "{}", outcome.all());
    let smallest = outcome.events_named("bug_minimized").pop().unwrap_or(bug);
    if kind != "timeout" {
        assert_eq!(smallest["size"], size, "{}", outcome.all());
    }
    let (name, _) = only_file(&place, test);
    assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    assert!(smallest["path"].as_str().unwrap().ends_with(&name), "{smallest}");
    let after = go_runs(&place, &format!("{test}$/^{name}")).unwrap();
    assert!(!after.status.success(), "with the file it fails: {after:?}");
}

macro_rules! found_kept_and_replayed {
    ($($name:ident: $test:literal, $kind:literal, $size:literal;)*) => {$(
        #[test]
        fn $name() {
            is_found_kept_and_replayed($test, $kind, $size);
        }
    )*};
}

found_kept_and_replayed! {
    a_panic: "FuzzPanic", "panic", 1;
    a_panic_with_nil: "FuzzPanicNil", "panic", 1;
    a_goroutine_that_is_left: "FuzzGoexit", "panic", 1;
    a_failure_without_words: "FuzzFail", "error", 1;
    a_failure_with_a_log: "FuzzLogFail", "error", 1;
    an_error: "FuzzErrorf", "error", 1;
    a_fatal_error: "FuzzFatalf", "error", 1;
    an_exit: "FuzzExit", "exit-9", 1;
    a_deadlock: "FuzzDeadlock", "timeout", 1;
    a_panic_in_a_cleanup: "FuzzCleanupPanics", "panic", 1;
    // A tag, the length of the first, and both.
    a_failure_of_two_byte_slices: "FuzzTwoBytes", "error", 10;
    a_failure_of_an_int: "FuzzInt", "error", 8;
    a_failure_of_a_uint: "FuzzUint", "error", 8;
    a_failure_of_a_bool: "FuzzBool", "error", 1;
    a_failure_of_a_float: "FuzzFloat", "error", 8;
    a_failure_of_a_byte: "FuzzByte", "error", 1;
    a_failure_of_a_rune: "FuzzRune", "error", 4;
    a_failure_of_a_string: "FuzzString", "error", 1;
}

#[test]
fn what_belongs_before_fuzz_and_is_called_in_it_is_a_panic_with_words() {
    for misuse in ["Fatal", "Error", "Fail", "Skip", "Skipped"] {
        let place = Place::new();
        let Some(run) = run(&place, "FuzzMisuse") else { return };
        let limits = ["--time", "60s", "--fail-fast", "--no-minimize"];
        let outcome = run.args(limits).env("GOSUITE_MISUSE", misuse).to_end();
        let bug = outcome.expect_code(1).only_bug();
        assert_eq!(bug["kind"], "panic", "{}", outcome.all());
        let message = bug["message"].as_str().unwrap();
        assert!(message.contains(&format!("use t.{misuse} instead")), "{message}");
    }
}

#[test]
fn failures_are_grouped_by_place_whatever_their_numbers_and_the_run_goes_on() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzGroups") else { return };
    let mut session = run.workers(2).start();
    for _ in 0..3 {
        session.wait_for("bug");
    }
    let execs = session.wait_for_executions()["execs"].as_u64();
    session.wait_until("many more executions", |event| {
        event["event"] == "status" && event["execs"].as_u64() > execs.map(|execs| execs + 1_000)
    });
    session.signal(Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(1);
    let bugs = outcome.events_named("bug");
    let places: BTreeSet<String> = bugs.iter().map(|bug| bug["location"].to_string()).collect();
    assert_eq!((bugs.len(), places.len()), (3, 3), "{}", outcome.all());
    assert_eq!(place.testdata("FuzzGroups").len(), 3, "{}", outcome.all());
}

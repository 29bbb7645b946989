//! What fails is made smaller, and safe before that.

use std::fs;

use fuzzd_integration::Place;
use fuzzd_integration::fifo::Fifo;
use fuzzd_integration::limits::STOP_MAX;
use rustix::process::Signal;

use super::{expect_one_bug, go_runs, only_file, run};

#[test]
fn a_crash_becomes_as_short_as_it_can_be_and_go_tells_of_the_short_one() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzFifty") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    expect_one_bug(&outcome);
    let minimized = outcome.events_named("bug_minimized");
    assert_eq!(minimized.len(), 1, "{}", outcome.all());
    assert_eq!(minimized[0]["size"], 50, "{}", outcome.all());
    let (name, values) = only_file(&place, "FuzzFifty");
    assert_eq!(values, format!("[]byte(\"{}\")\n", "0".repeat(50)));
    let again = go_runs(&place, &format!("FuzzFifty$/^{name}")).unwrap();
    let output = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(output.contains("there are 50 of them"), "{output}");
}

#[test]
fn without_minimization_a_crash_stays_as_it_was_found() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzFifty") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast", "--no-minimize"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert!(outcome.events_named("bug_minimized").is_empty(), "{}", outcome.all());
    let length = bug["size"].as_u64().unwrap();
    assert!(length > 50, "the seed is longer: {}", outcome.all());
    let (name, _) = only_file(&place, "FuzzFifty");
    let again = go_runs(&place, &format!("FuzzFifty$/^{name}")).unwrap();
    let output = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(output.contains(&format!("there are {length} of them")), "{output}");
}

#[test]
fn a_crash_that_ends_its_process_becomes_short_too_and_is_told_once() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzShortExits") else { return };
    let outcome = run.args(["--time", "60s", "--fail-fast"]).to_end();
    let bug = outcome.expect_code(1).only_bug();
    assert_eq!(bug["kind"], "exit-4", "{}", outcome.all());
    assert!(outcome.events_named("bug_minimized").len() <= 1, "{}", outcome.all());
    let (_, values) = only_file(&place, "FuzzShortExits");
    assert!(values.len() <= "[]byte(\"\\x00\")\n".len(), "{values}");
}

#[test]
fn one_execution_is_enough_to_keep_a_crash() {
    let place = Place::new();
    let Some(run) = run(&place, "FuzzExit") else { return };
    let outcome = run.execs(1).to_end();
    expect_one_bug(&outcome);
    assert_eq!(outcome.finished()["execs"], 1, "{}", outcome.all());
    only_file(&place, "FuzzExit");
}

#[test]
fn an_interrupted_minimization_leaves_the_crash() {
    let place = Place::new();
    let mut fifo = Fifo::new(&place.path().join("fifo"));
    let Some(run) = run(&place, "FuzzSlow") else { return };
    let mut session = run.env("GOSUITE_LOG", fifo.path()).start();
    // Found once, then three times in fresh processes.
    for _ in 0..4 {
        fifo.wait();
    }
    let bug = session.wait_for("bug");
    let path = bug["path"].as_str().unwrap();
    let crash = fs::read(path).unwrap();
    // The minimizer has begun, and each of its steps takes a while.
    fifo.wait();
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    outcome.expect_code(1);
    assert!(outcome.events_named("bug_minimized").is_empty(), "{}", outcome.all());
    assert_eq!(fs::read(path).unwrap(), crash);
    only_file(&place, "FuzzSlow");
}

//! The stop ladder: the first signal ends a session in good order and soon, the second at once,
//! and nothing is left running, not even after a kill -9 of the coordinator.

use std::time::{Duration, Instant};

use fuzzd_integration::fifo::Fifo;
use fuzzd_integration::limits::{DEADLINE, KILL_MAX, ORPHAN_MAX, STOP_MAX};
use fuzzd_integration::process::Watch;
use fuzzd_integration::{Outcome, Place, TestSession};
use rustix::process::Signal;

/// A session whose only worker ignores SIGINT and runs for ever in one input.
fn stubborn(place: &Place) -> TestSession {
    let mut fifo = Fifo::new(&place.path().join("fifo"));
    let run = place.zoo("ignores_sigint").args(["--timeout", "10m"]);
    let mut session = run.env("ZOO_FIFO", fifo.path()).start();
    session.wait_for("started");
    fifo.wait();
    session
}

/// Sends the signal again and again, with a moment for it to arrive, until the end.
fn insist(session: TestSession, signal: Signal) -> Outcome {
    let watch = Watch::new(session.pid());
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        session.signal(signal);
        if watch.has_ended_within(Duration::from_millis(100)) {
            break;
        }
    }
    session.wait()
}

#[test]
fn ctrl_c_ends_an_idle_hunt_with_0() {
    let place = Place::new();
    let mut session = place.zoo("empty").workers(2).start();
    session.wait_for_executions();
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    outcome.expect_code(0);
    assert_eq!(outcome.finished()["reason"], "stopped");
}

#[test]
fn ctrl_c_after_a_bug_ends_with_1() {
    let place = Place::new();
    let mut session = place.zoo("panics_on_magic").start();
    session.wait_for("bug");
    session.signal(Signal::INT);
    session.wait_at_most(STOP_MAX).expect_code(1);
}

#[test]
fn sigterm_is_as_good_as_ctrl_c() {
    let place = Place::new();
    let mut session = place.zoo("slow").start();
    session.wait_for_executions();
    session.signal(Signal::TERM);
    session.wait_at_most(STOP_MAX).expect_code(0);
}

#[test]
fn a_worker_that_ignores_sigint_does_not_hold_up_the_end() {
    let place = Place::new();
    let session = stubborn(&place);
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "our own stop is nobody's bug");
    assert!(place.testdata("process::ignores_sigint").is_empty());
}

#[test]
fn a_program_that_a_fuzz_test_runs_is_not_interrupted_by_the_end() {
    let place = Place::new();
    let mut session = place.zoo("runs_a_program").start();
    session.wait_for_executions();
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "our own stop is nobody's bug");
    assert!(place.testdata("process::runs_a_program").is_empty());
    let crashes = place.state_files("crashes");
    assert!(crashes.is_empty(), "the program ended well: {crashes:?}\n{}", outcome.all());
}

#[test]
fn a_second_signal_ends_at_once() {
    let place = Place::new();
    let session = stubborn(&place);
    let start = Instant::now();
    let outcome = insist(session, Signal::INT);
    assert!(start.elapsed() < KILL_MAX, "{:?}", start.elapsed());
    outcome.expect_code(130);
    assert_eq!(outcome.finished()["reason"], "killed");
}

#[test]
fn a_second_sigterm_ends_at_once() {
    let place = Place::new();
    insist(stubborn(&place), Signal::TERM).expect_code(143);
}

#[test]
fn a_grandchild_does_not_outlive_the_session() {
    let place = Place::new();
    let mut session = place.zoo("forks_grandchild").start();
    session.wait_for("bug");
    session.signal(Signal::INT);
    // The census at the end counts it.
    session.wait_at_most(STOP_MAX).expect_code(1);
}

#[test]
fn kill_9_of_the_coordinator_takes_the_workers_along() {
    let place = Place::new();
    let mut session = place.zoo("slow").workers(2).start();
    session.wait_for_executions();
    kill_9(session);
}

#[test]
fn kill_9_of_the_coordinator_takes_a_stubborn_worker_along() {
    let place = Place::new();
    kill_9(stubborn(&place));
}

fn kill_9(session: TestSession) {
    let workers: Vec<Watch> = session.workers().iter().map(|found| Watch::new(found.pid)).collect();
    assert!(!workers.is_empty(), "a session has workers");
    session.signal(Signal::KILL);
    let outcome = session.wait_for_orphans(&workers, ORPHAN_MAX);
    assert_eq!(outcome.code(), None, "{}", outcome.all());
}

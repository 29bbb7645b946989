//! A worker that somebody outside kills is replaced, and its input is nobody's bug.

use fuzzd_integration::Place;
use rustix::process::{Signal, kill_process};

/// Kills that may hit a worker between two calls, when it runs no input.
const TRIES: usize = 10;

#[test]
fn a_killed_worker_is_replaced_and_its_input_kept_as_unconfirmed() {
    let place = Place::new();
    let mut session = place.zoo("slow").start();
    let mut unconfirmed = None;
    for _ in 0..TRIES {
        session.wait_for_executions();
        for worker in session.workers() {
            // It may be gone already, with its predecessor's place taken.
            kill_process(worker.pid, Signal::KILL).unwrap_or_default();
        }
        let told = session.wait_until("unconfirmed, or a lost worker", |event| {
            event["event"] == "unconfirmed" || event["kind"] == "worker_lost"
        });
        if told["event"] == "unconfirmed" {
            unconfirmed = Some(told);
            break;
        }
    }
    let unconfirmed = unconfirmed.expect("one of the kills hits a running input");
    assert_eq!(unconfirmed["kind"], "killed-9");
    assert_eq!(unconfirmed["reproduced"], 0);
    let path = unconfirmed["path"].as_str().expect("it is kept in a file");
    assert!(path.contains("/unconfirmed/"), "{path}");
    assert!(std::fs::metadata(path).is_ok(), "{path} is there");
    let execs = session.wait_for_executions()["execs"].as_u64();
    session.wait_until("more executions", |event| {
        event["event"] == "status" && event["execs"].as_u64() > execs
    });
    session.signal(Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(0);
    assert!(outcome.events_named("bug").is_empty(), "{}", outcome.all());
    assert!(place.testdata("slow").is_empty(), "nothing of it is in testdata");
}

//! A crash is safe before it is made smaller: whoever interrupts that keeps the crash.

use fuzzd_integration::Place;
use fuzzd_integration::fifo::Fifo;
use fuzzd_integration::limits::STOP_MAX;
use rustix::process::Signal;

#[test]
fn an_interrupted_minimization_leaves_the_crash() {
    let place = Place::new();
    let mut fifo = Fifo::new(&place.path().join("fifo"));
    let run = place.zoo("minimizes_slowly").env("ZOO_FIFO", fifo.path());
    let mut session = run.start();
    // Found once, then three times in fresh processes.
    for _ in 0..4 {
        fifo.wait();
    }
    let bug = session.wait_for("bug");
    let path = bug["path"].as_str().expect("a bug has a file").to_owned();
    let crash = std::fs::read(&path).expect("the file of a bug can be read");
    assert_eq!(bug["size"], crash.len());
    // The minimizer has begun, and each of its steps takes a while.
    fifo.wait();
    session.signal(Signal::INT);
    let outcome = session.wait_at_most(STOP_MAX);
    outcome.expect_code(1);
    assert!(outcome.events_named("bug_minimized").is_empty(), "{}", outcome.all());
    assert_eq!(std::fs::read(&path).expect("the crash is still there"), crash);
}

//! One state directory, one coordinator.

use std::time::Instant;

use fuzzd_integration::Place;
use fuzzd_integration::limits::STOP_MAX;
use rustix::process::Signal;

#[test]
fn the_second_is_refused_at_once_and_told_by_whom() {
    let place = Place::new();
    let mut first = place.zoo("empty").start();
    first.wait_for_executions();
    let start = Instant::now();
    let second = place.zoo("rejects_all").execs(10).to_end();
    assert!(start.elapsed() < STOP_MAX, "{:?}", start.elapsed());
    second.expect_code(4);
    let holder = format!("process {}", first.pid().as_raw_nonzero());
    assert!(second.stderr.contains(&holder), "{holder}: {}", second.all());
    // The first does not even notice.
    first.wait_for_executions();
    first.signal(Signal::INT);
    first.wait().expect_code(0);
}

#[test]
fn a_dead_coordinator_holds_no_lock() {
    let place = Place::new();
    let mut first = place.zoo("forks_grandchild").start();
    first.wait_for("bug");
    first.signal(Signal::KILL);
    let killed = first.wait_for_orphans(&[], std::time::Duration::ZERO);
    assert_eq!(killed.code(), None);
    place.zoo("empty").execs(10).to_end().expect_code(0);
}

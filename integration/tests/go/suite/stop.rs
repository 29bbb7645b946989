//! Ctrl-C ends a session in good order: exit code 0, nothing lost.

use std::os::unix::process::CommandExt;

use fuzzd_integration::limits::STOP_MAX;
use fuzzd_integration::{Place, TestSession};
use rustix::process::{Signal, kill_process_group};

use super::{expect_no_failure, run};

/// Stops a session that has found something, and begins again where it was.
fn is_stopped_in_order(stop: impl FnOnce(&TestSession)) {
    let place = Place::new();
    let Some(stairs) = run(&place, "FuzzPair") else { return };
    let mut command = stairs.workers(2).command();
    command.process_group(0);
    let mut session = TestSession::start(command);
    session.wait_until("a find", |event| event["new_finds"].as_u64() > Some(0));
    stop(&session);
    let outcome = session.wait_at_most(STOP_MAX);
    expect_no_failure(&place, &outcome);
    let finished = outcome.finished();
    assert_eq!(finished["reason"], "stopped", "{}", outcome.all());
    let again = run(&place, "FuzzPair").unwrap().execs(100).to_end();
    let warmup = again.expect_code(0).events_named("warmup_finished").remove(0);
    assert_eq!(warmup["corpus"], finished["corpus"], "{}", again.all());
}

#[test]
fn an_interrupt_of_the_coordinator_alone() {
    is_stopped_in_order(|session| session.signal(Signal::INT));
}

#[test]
fn an_interrupt_of_everyone_at_once_as_a_terminal_sends_it() {
    is_stopped_in_order(|session| kill_process_group(session.pid(), Signal::INT).unwrap());
}

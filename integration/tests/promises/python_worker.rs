//! The protocol is open: a worker in plain Python, written from proto-spec/ alone, is as good as
//! one of ours.

use std::ffi::OsString;
use std::path::PathBuf;

use fuzzd_integration::limits::STOP_MAX;
use fuzzd_integration::{Place, repository};
use rustix::process::Signal;

fn worker() -> PathBuf {
    repository().join("integration/fixtures/python_worker/worker.py")
}

#[test]
fn it_is_guided_by_coverage_and_its_failures_are_bugs() {
    let place = Place::new();
    let mut session = place.target(worker()).workers(2).start();
    let bug =
        session.wait_until("the word", |event| event["event"] == "bug" && event["kind"] == "error");
    session.signal(Signal::INT);
    session.wait_at_most(STOP_MAX).expect_code(1);
    assert_eq!(bug["message"], "the word was found");
    let path = bug["path"].as_str().expect("a bug has a file");
    let input = std::fs::read(path).expect("the file of a bug can be read");
    assert!(input.starts_with(b"wire"), "{input:?}");
}

#[test]
fn its_executions_are_counted_exactly() {
    let outcome = Place::new().target(worker()).workers(2).execs(20_003).to_end();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.all());
    assert_eq!(outcome.finished()["execs"], 20_003, "{}", outcome.all());
    assert!(outcome.events_named("warning").is_empty(), "{}", outcome.all());
}

#[test]
fn its_death_keeps_the_input() {
    let place = Place::new();
    let seeds = place.path().join("seeds");
    std::fs::create_dir(&seeds).expect("a folder can be made");
    std::fs::write(seeds.join("one"), b"wire!").expect("a seed can be written");
    let run = place.target(worker()).execs(1_000).args([OsString::from("--seeds"), seeds.into()]);
    let outcome = run.to_end();
    outcome.expect_code(1);
    let bugs = outcome.events_named("bug");
    let abort = bugs.iter().find(|bug| bug["kind"] == "abort").expect("the seed aborts");
    let path = abort["path"].as_str().expect("a bug has a file");
    assert_eq!(std::fs::read(path).expect("the file of a bug can be read"), b"wire!");
    let mut replay: Vec<OsString> = vec!["replay".into(), worker().into()];
    replay.push(path.into());
    place.run(replay).expect_code(1);
}

//! A corpus gets smaller, its coverage does not, and no entry is ever lost.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use fuzzd_integration::limits::DEADLINE;
use fuzzd_integration::{Outcome, Place, TestSession, zoo_executable};
use rustix::process::Signal;
use serde_json::Value;

/// `fuzzd cmin` for one fuzz test of the zoo.
fn command(place: &Place, test: &str, more: &[&str]) -> Command {
    let mut target = zoo_executable().as_os_str().to_owned();
    target.push(":");
    target.push(test);
    let arguments = ["cmin", "--json", "-j", "2", "--state"].map(OsString::from);
    let mut command = place.fuzzd(arguments);
    command.arg(place.state()).arg(target).args(more);
    command
}

fn cmin(place: &Place, test: &str, more: &[&str]) -> Outcome {
    TestSession::start(command(place, test, more)).wait()
}

/// What the last event says of the only fuzz test.
fn only(outcome: &Outcome) -> Value {
    let finished = outcome.expect_code(0).finished();
    assert_eq!(finished["tests"].as_array().map(Vec::len), Some(1), "{}", outcome.all());
    finished["tests"][0].clone()
}

fn contents(files: Vec<(PathBuf, Vec<u8>)>) -> BTreeSet<Vec<u8>> {
    files.into_iter().map(|(_, content)| content).collect()
}

/// Puts inputs into the corpus of a fuzz test, as people do.
fn add(place: &Place, test: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let folder = place.state().join("corpus").join(test);
    fs::create_dir_all(&folder).expect("a folder can be made");
    for (number, input) in inputs.into_iter().enumerate() {
        fs::write(folder.join(format!("mine-{number}")), input).expect("a file can be written");
    }
}

/// Inputs that all do the same: none of them takes the first of the stairs.
fn alike(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| format!("~~~{number}").into_bytes())
}

/// Edges that the corpus has before anything is mutated.
fn warm_edges(place: &Place, test: &str) -> (u64, usize) {
    let outcome = place.zoo(test).execs(1).to_end();
    outcome.expect_code(0);
    let warmup = outcome.events_named("warmup_finished").remove(0);
    let number = |name: &str| warmup[name].as_u64().expect("a number");
    (number("edges"), usize::try_from(number("corpus")).expect("a small one"))
}

#[test]
fn the_small_corpus_covers_what_the_whole_one_did() {
    let place = Place::new();
    place.zoo("stairs").execs(200_000).to_end().expect_code(0);
    add(&place, "stairs", alike(40));
    let (edges, entries) = warm_edges(&place, "stairs");
    let before = contents(place.state_files("corpus"));
    let first = only(&cmin(&place, "stairs", &[]));
    assert!(first["entries_before"].as_u64() >= Some(entries as u64), "{first}");
    let left = first["entries"].as_u64().expect("a number");
    assert!(left > 1 && left + 40 <= first["entries_before"].as_u64().unwrap_or(0), "{first}");
    let removed = place.state().join("removed/stairs");
    assert_eq!(first["to"].as_str(), removed.to_str());
    let kept = contents(place.state_files("corpus"));
    assert_eq!(kept.len() as u64, left, "{first}");
    let all: BTreeSet<_> = kept.union(&contents(place.state_files("removed"))).cloned().collect();
    assert_eq!(all, before, "moved, and nothing else");
    let second = only(&cmin(&place, "stairs", &[]));
    assert_eq!(second["entries"], second["entries_before"], "{second}");
    assert_eq!((&second["features"], &second["to"]), (&first["features"], &Value::Null));
    assert_eq!(second["measured"], 0, "this build has measured them");
    assert_eq!(warm_edges(&place, "stairs"), (edges, kept.len()));
    // In a state that has measured nothing it is the same.
    let other = Place::new();
    add(&other, "stairs", kept);
    let anew = only(&cmin(&other, "stairs", &[]));
    assert_eq!((&anew["measured"], &anew["entries"]), (&left.into(), &left.into()), "{anew}");
    assert_eq!((&anew["features"], &anew["edges"]), (&first["features"], &first["edges"]));
}

#[test]
fn a_copy_leaves_the_session_as_it_is_and_a_directory_in_use_is_refused() {
    let place = Place::new();
    add(&place, "stairs", alike(9));
    let before = place.state_files("corpus");
    let into = place.path().join("small");
    let into = into.to_str().expect("a path in UTF-8");
    let copied = only(&cmin(&place, "stairs", &["--into", into]));
    assert_eq!((&copied["entries_before"], &copied["entries"]), (&9.into(), &1.into()));
    assert_eq!(copied["to"], into);
    let files: Vec<_> = fs::read_dir(into).expect("it was made").collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(place.state_files("corpus"), before);
    assert!(place.state_files("removed").is_empty());
    let outcome = cmin(&place, "stairs", &["--into", into]);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("is not empty"), "{}", outcome.all());
    assert!(outcome.lines.is_empty(), "{}", outcome.all());
    assert_eq!(fs::read_dir(into).expect("it is there").count(), 1);
}

#[test]
fn what_fails_stays_and_testdata_is_not_touched() {
    let place = Place::new();
    let folder = place.testdata_folder("panics_on_magic");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("mine"), "fine").expect("a file can be written");
    add(&place, "panics_on_magic", [b"!known".to_vec(), b"a".to_vec(), b"aaaa".to_vec()]);
    let done = only(&cmin(&place, "panics_on_magic", &[]));
    assert_eq!((&done["failing"], &done["entries"]), (&1.into(), &2.into()), "{done}");
    let kept = contents(place.state_files("corpus"));
    assert_eq!(kept, [b"!known".to_vec(), b"a".to_vec()].into());
    assert_eq!(place.testdata("panics_on_magic").len(), 1, "no file for the bug, and none gone");
    let bugs = place.run(["bugs", "--json", "--state", "state"]);
    assert!(bugs.expect_code(0).lines.is_empty(), "{}", bugs.all());
}

#[test]
fn an_empty_corpus_and_no_session_are_told() {
    let place = Place::new();
    let outcome = cmin(&place, "stairs", &[]);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("--state"), "{}", outcome.all());
    assert!(!place.state().exists(), "it begins no session");
    add(&place, "empty", [b"x".to_vec()]);
    let outcome = cmin(&place, "stairs", &[]);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("no entry in the corpus"), "{}", outcome.all());
}

#[test]
fn a_state_in_use_is_refused() {
    let place = Place::new();
    add(&place, "stairs", alike(9));
    let before = place.state_files("corpus/stairs");
    let mut session = place.zoo("empty").start();
    session.wait_for_executions();
    let outcome = cmin(&place, "stairs", &[]);
    outcome.expect_code(4);
    let holder = format!("process {}", session.pid().as_raw_nonzero());
    assert!(outcome.stderr.contains(&holder), "{}", outcome.all());
    session.signal(Signal::INT);
    session.wait().expect_code(0);
    assert_eq!(place.state_files("corpus/stairs"), before);
}

/// Waits until a folder has a file.
fn wait_for_file(folder: &Path) {
    let end = Instant::now() + DEADLINE;
    while fs::read_dir(folder).map_or(true, |mut items| items.next().is_none()) {
        assert!(Instant::now() < end, "nothing comes to lie in {}", folder.display());
        std::thread::yield_now();
    }
}

#[test]
fn kill_9_in_the_middle_loses_no_entry() {
    const COUNT: usize = 3_000;
    let place = Place::new();
    add(&place, "stairs", alike(COUNT));
    let before = contents(place.state_files("corpus"));
    let session = TestSession::start(command(&place, "stairs", &[]));
    wait_for_file(&place.state().join("removed/stairs"));
    session.signal(Signal::KILL);
    let killed = session.wait_for_orphans(&[], std::time::Duration::ZERO);
    let everything = || {
        let mut all = contents(place.state_files("corpus"));
        all.extend(contents(place.state_files("removed")));
        all
    };
    assert_eq!(everything(), before, "{}", killed.all());
    // It goes on where it was, and a later run has what is needed.
    let outcome = cmin(&place, "stairs", &[]);
    let entries = match outcome.code() {
        Some(0) => only(&outcome)["entries"].clone(),
        code => panic!("{code:?}: {}", outcome.all()),
    };
    assert_eq!(entries, 1, "{}", outcome.all());
    assert_eq!(everything(), before);
    assert!(warm_edges(&place, "stairs").0 > 0);
}

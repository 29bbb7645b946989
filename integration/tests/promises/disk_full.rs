//! A full disk: refused at the start, survived in the middle, and no crash is lost over it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use fuzzd_integration::{Place, TestSession, run_to_end};
use rustix::process::Signal;

/// `fuzzd run` with its state on a file system of its own, of this size. `None`: this machine
/// does not let us make one.
fn on_small_disk(place: &Place, size: &str, test: &str) -> Option<Command> {
    let state = place.state();
    fs::create_dir_all(&state).expect("a folder can be made");
    let unshare = ["--user", "--map-root-user", "--mount"];
    let mut trial = Command::new("unshare");
    trial.args(unshare).args(["mount", "-t", "tmpfs", "none"]).arg(&state);
    if !trial.output().is_ok_and(|output| output.status.success()) {
        // Past the capture of test output: scripts/test lists it.
        let reason = "skipped: disk_full, no mount of our own is possible (unshare --user --mount)";
        writeln!(std::io::stderr(), "{reason}").expect("stderr takes a line");
        return None;
    }
    let script = format!("mount -t tmpfs -o size={size} none \"$1\" && shift && exec \"$@\"");
    let fuzzd = place.zoo(test).command();
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", &script, "sh"]).arg(&state);
    command.arg(fuzzd.get_program()).args(fuzzd.get_args()).current_dir(place.path());
    for (name, value) in fuzzd.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

/// The state as the session sees it, behind its mount.
fn inside(place: &Place, session: &TestSession) -> PathBuf {
    let state = place.state();
    let state = state.strip_prefix("/").expect("a place has a whole path");
    PathBuf::from(format!("/proc/{}/root", session.pid().as_raw_nonzero())).join(state)
}

#[test]
fn a_disk_that_is_full_from_the_start_is_told() {
    let place = Place::new();
    let Some(command) = on_small_disk(&place, "8k", "empty") else { return };
    let outcome = run_to_end(command);
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("no space left"), "{}", outcome.all());
}

/// A session with a full disk, whose next input crashes.
fn crash_on_full_disk(place: &Place, command: Command) -> (TestSession, PathBuf) {
    let go = place.path().join("go");
    let mut command = command;
    command.env("ZOO_GO", &go);
    let mut session = TestSession::start(command);
    session.wait_for_executions();
    let filler = inside(place, &session).join("filler");
    let mut file = fs::File::create(&filler).expect("a filler can be made");
    while file.write_all(&[0; 4096]).is_ok() {}
    fs::write(&go, b"").expect("the sign can be given");
    session.wait_until("a warning that the disk fails", |event| event["kind"] == "store_failing");
    (session, filler)
}

#[test]
fn a_crash_that_cannot_be_saved_is_shown_whole() {
    let place = Place::new();
    let Some(command) = on_small_disk(&place, "2m", "panics_on_demand") else { return };
    let (session, _) = crash_on_full_disk(&place, command);
    session.signal(Signal::INT);
    let outcome = session.wait();
    outcome.expect_code(4);
    assert_eq!(outcome.finished()["unsaved"], 1, "{}", outcome.all());
    assert!(outcome.stderr.contains("base64"), "{}", outcome.all());
    assert!(outcome.events_named("bug").is_empty(), "not durable, not a reported bug");
}

#[test]
fn a_crash_is_saved_when_there_is_room_again() {
    let place = Place::new();
    let Some(command) = on_small_disk(&place, "2m", "panics_on_demand") else { return };
    let (mut session, filler) = crash_on_full_disk(&place, command);
    fs::remove_file(filler).expect("the filler can go");
    let bug = session.wait_for("bug");
    session.signal(Signal::INT);
    session.wait().expect_code(1);
    let path = bug["path"].as_str().expect("a bug has a file");
    assert!(fs::read(path).expect("the crash is there").starts_with(b"!"));
}

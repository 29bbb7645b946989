//! `fuzzd bugs`: what a session has found, afterwards.

use fuzzd_integration::Place;
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn bugs_are_listed_and_shown() {
    let place = Place::new();
    let mut session = place.zoo("three_bugs").start();
    let bugs = [(); 3].map(|()| session.wait_for("bug"));
    session.signal(Signal::INT);
    session.wait().expect_code(1);

    let listed = place.run(["bugs", "--state", "state"]);
    listed.expect_code(0);
    let json = place.run(["bugs", "--json", "--state", "state"]);
    json.expect_code(0);
    assert_eq!(json.lines.len(), 3, "{}", json.all());
    for bug in &bugs {
        let signature = bug["signature"].as_str().expect("a signature");
        assert!(listed.lines.iter().any(|line| line.contains(signature)), "{}", listed.all());
        let line = json.lines.iter().find(|line| line.contains(signature)).expect("its line");
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        assert_eq!((&line["kind"], &line["test"]), (&bug["kind"], &bug["test"]));

        let shown = place.run(["bugs", "show", signature, "--state", "state"]);
        shown.expect_code(0);
        let text = shown.lines.join("\n");
        let kind = bug["kind"].as_str().expect("a kind");
        assert!(text.contains(kind) && text.contains("replay"), "{}", shown.all());
        // The beginning of a signature is enough where it is unique.
        place.run(["bugs", "show", &signature[..8], "--state", "state"]).expect_code(0);
    }
}

#[test]
fn an_unknown_bug_and_a_missing_session_are_told() {
    let place = Place::new();
    let outcome = place.run(["bugs", "--state", "nowhere"]);
    assert!(matches!(outcome.code(), Some(0 | 4)), "{}", outcome.all());
    assert!(outcome.all().contains("nowhere"), "{}", outcome.all());
    assert!(!place.path().join("nowhere").exists(), "looking makes no session");
    place.zoo("empty").execs(10).to_end().expect_code(0);
    place.run(["bugs", "--state", "state"]).expect_code(0);
    let unknown = place.run(["bugs", "show", "0123456789abcdef", "--state", "state"]);
    assert!(matches!(unknown.code(), Some(2 | 4)), "{}", unknown.all());
    assert!(unknown.stderr.contains("0123456789abcdef"), "{}", unknown.all());
}

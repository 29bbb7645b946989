//! Stdout belongs to fuzzd: with `--json` it is JSON alone, and a target never writes to it.

use fuzzd_integration::Place;
use fuzzd_integration::{run_to_end, zoo_executable};

#[test]
fn events_have_the_fields_that_scripts_rely_on() {
    let outcome = Place::new().zoo("panics_on_magic").args(["--time", "3s"]).to_end();
    outcome.expect_code(1);
    let events = outcome.events();
    assert_eq!(events.first().map(|event| &event["event"]), Some(&"started".into()));
    assert_eq!(events.last().map(|event| &event["event"]), Some(&"finished".into()));
    let mut before = 0;
    for event in &events {
        let now = event["t_ms"].as_u64().expect("every event has its time");
        assert!(now >= before, "time goes on: {event}");
        before = now;
    }
    let status = outcome.events_named("status");
    assert!(status.len() >= 2, "one a second: {}", outcome.all());
    for field in
        ["execs", "execs_per_sec", "edges", "features", "corpus", "bugs", "workers", "elapsed_ms"]
    {
        assert!(status[0][field].is_number(), "{field}: {}", status[0]);
    }
    let bug = outcome.only_bug();
    for field in ["signature", "kind", "message", "test", "path"] {
        assert!(bug[field].is_string(), "{field}: {bug}");
    }
    assert!(bug["reproduced"].is_number() && bug["size"].is_number(), "{bug}");
}

#[test]
fn a_target_cannot_forge_events() {
    let outcome =
        Place::new().zoo("prints_escapes").execs(2_000_000).args(["--fail-fast"]).to_end();
    outcome.expect_code(1);
    assert!(outcome.events_named("forged").is_empty(), "{}", outcome.all());
    let bug = outcome.only_bug();
    assert!(bug["message"].as_str().is_some_and(|text| text.contains("red")), "{bug}");
}

#[test]
fn a_gigabyte_of_output_does_no_harm() {
    let run = Place::new();
    let run = run.zoo("floods_stdout").execs(2_000_000).args(["--fail-fast", "--no-minimize"]);
    let outcome = run.args(["--timeout", "60s"]).to_end();
    outcome.expect_code(1);
    assert_eq!(outcome.only_bug()["kind"], "panic");
    assert!(outcome.lines.iter().all(|line| line.len() < 1 << 20), "no event has it all");
}

#[test]
fn no_escape_sequence_of_a_target_reaches_the_terminal() {
    let place = Place::new();
    let mut target = zoo_executable().as_os_str().to_owned();
    target.push(":prints_escapes");
    let mut command = place.fuzzd(["run", "--plain", "-j", "1", "--fail-fast", "--state", "state"]);
    command.arg(target);
    let outcome = run_to_end(command);
    outcome.expect_code(1);
    let shown = outcome.lines.join("\n");
    assert!(shown.contains("red"), "{}", outcome.all());
    for text in [&shown, &outcome.stderr] {
        assert!(!text.contains(['\x1b', '\x07']), "{}", outcome.all());
    }
    assert!(!shown.lines().any(|line| line == "{\"event\":\"forged\"}"), "{}", outcome.all());
}

#[test]
fn panics_do_not_spam_the_screen() {
    let place = Place::new();
    let mut target = zoo_executable().as_os_str().to_owned();
    target.push(":panics_on_magic");
    let mut command = place.fuzzd(["run", "--plain", "-j", "2", "--execs", "200000"]);
    command.args(["--state", "state"]).arg(target);
    let outcome = run_to_end(command);
    outcome.expect_code(1);
    let lines = outcome.stderr.lines().count() + outcome.lines.len();
    assert!(lines < 200, "{lines} lines: {}", outcome.all());
}

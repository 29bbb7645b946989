//! `fuzzd conformance`: workers of all languages keep the rules, and each rule can be broken.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Mutex;

use fuzzd_integration::{Outcome, Place, c_worker, go, repository, run_to_end, zoo_executable};
use serde_json::Value;

/// Broken workers that are checked side by side: most of the time they only start or wait.
const AT_ONCE: usize = 4;

/// An input that passes, one that fails, and one that ends the process, as files.
struct Inputs {
    passing: Option<&'static str>,
    failing: &'static str,
    deadly: &'static str,
}

const STEPS: Inputs = Inputs {
    passing: None,
    failing: "wif and more of it that is not needed",
    deadly: "wid and more of it that is not needed",
};

const GO_STEPS: Inputs = Inputs {
    passing: Some("go test fuzz v1\n[]byte(\"base\")\n"),
    failing: "go test fuzz v1\n[]byte(\"wif and more of it\")\n",
    deadly: "go test fuzz v1\n[]byte(\"wid and more of it\")\n",
};

/// Checks a program.
fn conformance(inputs: &Inputs, options: &[&str], command: &[&str]) -> Outcome {
    let place = Place::new();
    let mut arguments: Vec<OsString> = vec!["conformance".into(), "--json".into()];
    let files = [
        ("--input", inputs.passing),
        ("--failing", Some(inputs.failing)),
        ("--deadly", Some(inputs.deadly)),
    ];
    for (flag, text) in files {
        if let Some(text) = text {
            let path = place.path().join(flag.trim_start_matches('-'));
            std::fs::write(&path, text).expect("a file can be written");
            arguments.extend([flag.into(), path.into()]);
        }
    }
    arguments.extend(options.iter().chain(&["--"]).chain(command).map(OsString::from));
    let mut command = place.fuzzd(arguments);
    // Workers in Python start themselves again without it.
    command.env("PYTHONHASHSEED", "0");
    run_to_end(command)
}

/// Verdicts by their rules.
fn verdicts(outcome: &Outcome) -> BTreeMap<String, (String, Value)> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let rules = outcome.events_named("rule").into_iter();
    rules.map(|e| (word(&e, "id"), (word(&e, "verdict"), e["reason"].clone()))).collect()
}

/// No rule is broken, and only those do not apply that cannot: of another dialect, or about a
/// capability that is not announced.
fn conforms(outcome: &Outcome, dialect: &str, kept_min: usize) {
    outcome.expect_code(0);
    let finished = outcome.finished();
    assert_eq!(finished["conforms"], true);
    assert_eq!(finished["dialect"], dialect);
    for (id, (verdict, reason)) in verdicts(outcome) {
        let reason = reason.as_str().unwrap_or_default();
        let is_excused = reason.contains("of the Go dialect") || reason.contains("not announced");
        assert!(verdict == "ok" || is_excused, "{id}: {verdict}, {reason}");
    }
    assert!(finished["ok"].as_u64() >= Some(kept_min as u64), "{}", outcome.all());
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the repository lies at a path that is text")
}

fn broken_worker() -> String {
    text(&repository().join("integration/fixtures/broken_worker/worker.py")).to_owned()
}

#[test]
fn our_own_worker_conforms() {
    let inputs = Inputs { passing: None, failing: "!!", deadly: "# and more of it" };
    let test = ["three_bugs", "--exact", "--nocapture", "--test-threads=1"];
    let command = [&[text(zoo_executable())], &test[..]].concat();
    conforms(&conformance(&inputs, &[], &command), "native", 55);
}

#[test]
fn a_worker_in_python_conforms() {
    conforms(&conformance(&STEPS, &[], &[&broken_worker()]), "native", 50);
}

#[test]
fn a_worker_in_c_conforms() {
    for compiler in ["gcc", "clang"] {
        let is_there = std::process::Command::new(compiler).arg("--version").output().is_ok();
        if is_there || compiler == "gcc" {
            let program = c_worker("fixtures/c_worker/steps.c", compiler);
            conforms(&conformance(&STEPS, &[], &[text(&program)]), "native", 48);
        }
    }
}

#[test]
fn an_unmodified_go_test_binary_conforms() {
    let Some(binary) = go::steps_binary() else { return };
    let command = [
        text(binary),
        "-test.fuzzworker",
        "-test.paniconexit0",
        "-test.fuzzcachedir=/nonexistent",
        "-test.run=^$",
        "-test.fuzz=^FuzzSteps$",
    ];
    conforms(&conformance(&GO_STEPS, &[], &command), "go", 37);
}

#[test]
fn each_rule_can_be_broken() {
    let worker = broken_worker();
    let listed = conformance(&STEPS, &["--search", "1s"], &[&worker]);
    let rules: Vec<String> = verdicts(&listed).into_keys().collect();
    assert!(rules.len() > 50, "{}", listed.all());
    let waiting = Mutex::new(rules);
    let next = || waiting.lock().expect("no check panics with the lock").pop();
    let check = |rule: &str| {
        let outcome = conformance(&STEPS, &["--only", rule], &[&worker, rule]);
        outcome.expect_code(1);
        let verdict = verdicts(&outcome).remove(rule);
        let (verdict, reason) = verdict.expect("the rule that was asked for is judged");
        assert_eq!(verdict, "failed", "{rule}");
        assert!(reason.as_str().is_some_and(|reason| !reason.is_empty()), "{rule}");
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(rule) = next() {
                    check(&rule);
                }
            });
        }
    });
}

#[test]
fn a_program_that_is_no_worker_is_told_from_one_that_breaks_rules() {
    let outcome = conformance(&STEPS, &[], &["/no/such/program"]);
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("/no/such/program"), "{}", outcome.all());
    let outcome = conformance(&STEPS, &[], &["sh", "-c", "echo no library >&2; exit 127"]);
    outcome.expect_code(4);
    assert!(outcome.stderr.contains("status 127"), "{}", outcome.all());
    assert!(outcome.stderr.contains("no library"), "{}", outcome.all());
}

#[test]
fn arguments_that_cannot_be_meant_are_refused() {
    let outcome = conformance(&STEPS, &["--only", "fuzz.limits"], &["true"]);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("did you mean fuzz.limit?"), "{}", outcome.all());
    Place::new().run(["conformance"]).expect_code(2);
    let place = Place::new();
    let gone: [OsString; 5] = [
        "conformance".into(),
        "--failing".into(),
        place.path().join("gone").into(),
        "--".into(),
        broken_worker().into(),
    ];
    let outcome = place.run(gone);
    outcome.expect_code(2);
    assert!(outcome.stderr.contains("gone"), "{}", outcome.all());
}

/// The session of a process that a container was entered with lies outside of it.
#[test]
fn a_container_whose_session_began_outside_is_no_obstacle() {
    const ENTER: [&str; 5] = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    let mut probe = std::process::Command::new("unshare");
    if !probe.args(ENTER).arg("true").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: a container of its own, unshare is missing or not permitted here");
        return;
    }
    let place = Place::new();
    let inside = place.fuzzd(["conformance", "--json", "--only", "start.group", "--"]);
    let mut command = std::process::Command::new("unshare");
    command.args(ENTER).arg(inside.get_program()).args(inside.get_args()).arg(broken_worker());
    let outcome = run_to_end(command);
    assert_eq!(verdicts(outcome.expect_code(0))["start.group"].0, "ok", "{}", outcome.all());
}

#[test]
fn the_table_is_for_people() {
    let place = Place::new();
    let command: [OsString; 5] = [
        "conformance".into(),
        "--only".into(),
        "line.crlf".into(),
        "--".into(),
        broken_worker().into(),
    ];
    let mut process = place.fuzzd(command);
    let output = process.output().expect("fuzzd starts");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}");
    let first = table.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    assert_eq!(words[..3], ["line.crlf", "ok", "reads"], "{table}");
    assert!(table.contains("1 ok, 0 failed, 0 not applicable; it conforms"), "{table}");
}

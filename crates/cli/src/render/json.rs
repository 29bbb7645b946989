//! Events for scripts: one JSON object a line on stdout, each with `event` and `t_ms`.
//!
//! Fields are only ever added. Texts are as the target wrote them: JSON escapes what it must.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{
    Activity, BugReport, FinishReason, Report, Status, Summary, TestSummary,
};
use serde_json::{Value, json};

use super::format::milliseconds;
use super::{Beginning, Line, TestView, summary};

/// Renders for scripts.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) tests: Vec<TestView>,
}

impl Json {
    pub(super) fn started(&self, beginning: &Beginning, elapsed: Duration) -> Vec<Line> {
        let tests: Vec<&str> = self.tests.iter().map(|test| test.name.as_str()).collect();
        vec![event(
            "started",
            elapsed,
            &json!({
                "version": env!("CARGO_PKG_VERSION"),
                "tests": tests,
                "workers": beginning.workers,
                "state": beginning.state.to_string_lossy(),
                "seed": beginning.seed,
                "time_ms": beginning.time.map(milliseconds),
                "execs": beginning.execs,
            }),
        )]
    }

    pub(super) fn report(&self, report: &Report, elapsed: Duration) -> Vec<Line> {
        let line = match report {
            Report::WarmupStarted { test, inputs, measured_before } => event(
                "warmup_started",
                elapsed,
                &json!({
                    "test": self.name(*test), "inputs": inputs, "measured_before": measured_before,
                }),
            ),
            Report::WarmupFinished { test, corpus, edges, failing } => event(
                "warmup_finished",
                elapsed,
                &json!({
                    "test": self.name(*test), "corpus": corpus, "edges": edges, "failing": failing,
                }),
            ),
            Report::Status(now) => event("status", elapsed, &status(now)),
            Report::Bug(bug) => self.new_bug(bug, None, elapsed),
            Report::BugMinimized(bug) => event("bug_minimized", elapsed, &self.bug(bug)),
            Report::KnownBug(bug) => event("known_bug", elapsed, &self.bug(bug)),
            Report::NoLongerFails(bug) => event("no_longer_fails", elapsed, &self.bug(bug)),
            Report::Unconfirmed(bug) => event("unconfirmed", elapsed, &self.bug(bug)),
            Report::WorkerLost { worker, test, reason } => event(
                "warning",
                elapsed,
                &json!({
                    "kind": "worker_lost", "test": self.name(*test), "worker": worker.0,
                    "message": reason,
                }),
            ),
            Report::TestGivenUp { test, reason } => {
                self.warning("test_given_up", Some(*test), reason, elapsed)
            }
            Report::Stalled { reason } => self.warning("stalled", None, reason, elapsed),
            Report::StoreFailing { reason } => self.warning("store_failing", None, reason, elapsed),
            Report::StoreRecovered => {
                self.warning("store_recovered", None, "the disk takes writes again", elapsed)
            }
            // The end is told once, when the coordinator has put everything away.
            Report::Finished(_) => return Vec::new(),
        };
        vec![line]
    }

    pub(super) fn warning(
        &self,
        kind: &str,
        test: Option<TestIndex>,
        message: &str,
        elapsed: Duration,
    ) -> Line {
        let test = test.map(|test| self.name(test));
        event("warning", elapsed, &json!({"kind": kind, "test": test, "message": message}))
    }

    pub(super) fn finished(&self, end: &Summary, elapsed: Duration) -> Vec<Line> {
        let mut lines = summary::unsaved(end, &self.tests);
        let Value::Object(mut fields) = status(&end.status) else {
            unreachable!("a status is written as an object")
        };
        let tests: Vec<Value> = end.tests.iter().map(|test| self.test(test)).collect();
        fields.insert("reason".to_owned(), reason(end.reason).into());
        fields.insert("tests".to_owned(), tests.into());
        fields.insert("unsaved".to_owned(), end.unsaved.len().into());
        fields.insert("unsaved_entries".to_owned(), end.unsaved_entries.into());
        lines.push(event("finished", elapsed, &Value::Object(fields)));
        lines
    }

    pub(super) fn failed(&self, message: &str, elapsed: Duration) -> Vec<Line> {
        vec![event("failed", elapsed, &json!({"message": message}))]
    }

    /// A new bug, with its input as its target prints it.
    pub(super) fn new_bug(&self, bug: &BugReport, shown: Option<&str>, elapsed: Duration) -> Line {
        let mut fields = self.bug(bug);
        fields["shown"] = shown.into();
        event("bug", elapsed, &fields)
    }

    fn bug(&self, bug: &BugReport) -> Value {
        bug_fields(&self.name(bug.test), bug)
    }

    fn test(&self, test: &TestSummary) -> Value {
        json!({
            "test": self.name(test.test),
            "execs": test.execs,
            "execs_total": test.execs_total,
            "edges": test.edges,
            "counters": test.counters,
            "corpus": test.corpus,
            "bugs_new": test.bugs_new,
            "bugs_known": test.bugs_known,
            "given_up": test.given_up,
            "skipped": test.is_skipped,
        })
    }

    fn name(&self, test: TestIndex) -> String {
        self.tests.get(test.0).map_or_else(String::new, |view| view.name.clone())
    }
}

/// A bug as it is told in every event, and by `bugs --json`.
pub(crate) fn bug_fields(test: &str, bug: &BugReport) -> Value {
    json!({
        "signature": bug.signature.to_string(),
        "kind": bug.failure.kind.name(),
        "message": bug.failure.message,
        "location": bug.failure.location,
        "test": test,
        "path": bug.path.as_ref().map(|path| path.to_string_lossy()),
        "reproduced": bug.reproduced,
        "runs": bug.runs,
        "flaky": bug.is_flaky,
        "size": bug.input.len(),
    })
}

/// The stable word for the end of a session.
const fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::ExecsReached => "execs",
        FinishReason::TimeReached => "time",
        FinishReason::FailFast => "fail_fast",
        FinishReason::Stopped => "stopped",
        FinishReason::Killed => "killed",
        FinishReason::WorkersWouldNotStart => "workers_would_not_start",
    }
}

fn status(status: &Status) -> Value {
    let activity = match status.activity {
        Activity::WarmingUp { .. } => "warming_up",
        Activity::Fuzzing => "fuzzing",
        Activity::Draining => "draining",
        Activity::Stopping => "stopping",
    };
    json!({
        "execs": status.execs,
        "execs_other": status.execs_other,
        "execs_per_sec": status.execs_per_sec,
        "edges": status.edges,
        "features": status.features,
        "corpus": status.corpus,
        "new_finds": status.new_finds,
        "bugs": status.bugs,
        "workers": status.workers,
        "restarts": status.restarts,
        "elapsed_ms": milliseconds(status.elapsed),
        "since_last_find_ms": status.since_last_find.map(milliseconds),
        "activity": activity,
    })
}

/// One line: name and time first, so that a person finds them, then the other fields.
fn event(name: &str, elapsed: Duration, fields: &Value) -> Line {
    let time = milliseconds(elapsed);
    let fields = fields.to_string();
    let rest = fields.trim_start_matches('{');
    Line::Out(format!("{{\"event\":\"{name}\",\"t_ms\":{time},{rest}\n"))
}

/// The bytes of an input, for a field that holds them.
pub(crate) fn encoded(input: &[u8]) -> String {
    STANDARD.encode(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use fuzzd_core::ids::WorkerId;

    fn told(lines: &[Line]) -> String {
        let text = lines.iter().map(|line| match line {
            Line::Out(text) => text.as_str(),
            Line::Err(_) | Line::Status(_) => panic!("not an event"),
        });
        text.collect()
    }

    #[test]
    fn every_event_is_one_line_with_its_name_and_time() {
        let json = Json { tests: samples::tests() };
        let test = TestIndex(1);
        let bug = samples::bug();
        let reports = [
            Report::WarmupStarted { test, inputs: 1, measured_before: 3 },
            Report::WarmupFinished { test, corpus: 4, edges: 50, failing: 1 },
            Report::Status(samples::status()),
            Report::Bug(bug.clone()),
            Report::BugMinimized(bug.clone()),
            Report::KnownBug(bug.clone()),
            Report::NoLongerFails(bug.clone()),
            Report::Unconfirmed(bug),
            Report::WorkerLost { worker: WorkerId(1), test, reason: "a\nb".into() },
            Report::TestGivenUp { test, reason: "no".into() },
            Report::Stalled { reason: "why".into() },
            Report::StoreFailing { reason: "full".into() },
            Report::StoreRecovered,
        ];
        let beginning = Beginning {
            workers: 2,
            state: "/w/.fuzzd".into(),
            seed: 7,
            time: Some(Duration::from_secs(60)),
            execs: None,
        };
        let time = Duration::from_millis(1_234);
        let mut lines = json.started(&beginning, time);
        lines.extend(reports.iter().flat_map(|report| json.report(report, time)));
        lines.extend(json.finished(&samples::summary(), time));
        lines.extend(json.failed("the disk is full", time));
        for line in told(&lines).lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert!(event["event"].is_string() && event["t_ms"] == 1_234, "{line}");
        }
        insta::assert_snapshot!(told(&lines));
    }

    #[test]
    fn a_rate_that_is_no_number_is_still_json() {
        let broken = Status { execs_per_sec: f64::NAN, ..samples::status() };
        assert_eq!(status(&broken)["execs_per_sec"], Value::Null);
    }
}

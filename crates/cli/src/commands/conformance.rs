//! `fuzzd conformance`: whether a program is a worker, rule by rule.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fuzzd_coordinator::conformance::{
    self, ConformanceOptions, ConformanceReport, RULES, RuleResult, Verdict,
};
use fuzzd_coordinator::{Dialect, TargetSpec};
use serde_json::json;

use crate::args::ConformanceArgs;
use crate::discover::select;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::print;
use crate::render::escape;
use crate::render::format::milliseconds;

/// Columns of an identifier in the table.
const ID_COLUMNS: usize = 22;

/// Columns of a verdict in the table: `not applicable`.
const VERDICT_COLUMNS: usize = 15;

/// Carries out `fuzzd conformance`.
pub(crate) fn conformance(arguments: &ConformanceArgs) -> Result<Exit, CliError> {
    let is_rule = |id: &&String| RULES.iter().any(|rule| rule.id == **id);
    if let Some(id) = arguments.only.iter().find(|id| !is_rule(id)) {
        let near = select::near(id, RULES.iter().map(|rule| rule.id));
        let next = match near.first() {
            Some(near) => format!("did you mean {near}?"),
            None => "without --only all of them are listed".to_owned(),
        };
        return Err(CliError::usage(format!("--only {id}: there is no such rule"), next));
    }
    let options = options(arguments);
    let begun = Instant::now();
    let report = conformance::run(&options, |result| {
        print(&if arguments.json { event(result, begun.elapsed()) } else { row(result) });
    })?;
    let is_json = arguments.json;
    print(&if is_json { event_of_end(&report, begun.elapsed()) } else { summary(&report) });
    Ok(if report.conforms() { Exit::Fine } else { Exit::Failing })
}

fn options(arguments: &ConformanceArgs) -> ConformanceOptions {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let (program, args) = arguments.command.split_first().expect("the grammar wants a program");
    // Without a slash it is looked for where a shell would.
    let program = match program.as_bytes().contains(&b'/') {
        true => std::path::absolute(program).unwrap_or_else(|_| program.into()),
        false => program.into(),
    };
    let target = TargetSpec {
        name: "conformance".to_owned(),
        program,
        args: args.to_vec(),
        env: Vec::new(),
        testdata: here.join("testdata"),
        cwd: here,
        // Which it is, is seen from its answer to Ping.
        dialect: Dialect::Native,
    };
    ConformanceOptions {
        target,
        only: arguments.only.clone(),
        input: arguments.input.clone(),
        failing: arguments.failing.clone(),
        deadly: arguments.deadly.clone(),
        search_time: arguments.search,
    }
}

/// What came of a rule, in a word and with its reason.
fn parts(verdict: &Verdict) -> (&'static str, Option<&str>) {
    match verdict {
        Verdict::Kept => ("ok", None),
        Verdict::Failed(what) => ("FAILED", Some(what)),
        Verdict::NotApplicable(why) => ("not applicable", Some(why)),
    }
}

fn row(result: &RuleResult) -> String {
    let (word, reason) = parts(&result.verdict);
    let (id, what) = (result.rule.id, result.rule.what);
    let row = format!("{id:<ID_COLUMNS$}  {word:<VERDICT_COLUMNS$} {what}\n");
    match reason {
        None => row,
        Some(reason) => format!("{row}{:ID_COLUMNS$}  {}\n", "", escape::line(reason)),
    }
}

fn event(result: &RuleResult, elapsed: Duration) -> String {
    let (id, what) = (result.rule.id, result.rule.what);
    let (word, reason) = match &result.verdict {
        Verdict::Kept => ("ok", None),
        Verdict::Failed(what) => ("failed", Some(what)),
        Verdict::NotApplicable(why) => ("not_applicable", Some(why)),
    };
    let object = json!({
        "event": "rule", "t_ms": milliseconds(elapsed),
        "id": id, "what": what, "verdict": word, "reason": reason,
    });
    format!("{object}\n")
}

/// How many rules came to what: kept, failed, not applicable.
fn counts(report: &ConformanceReport) -> (usize, usize, usize) {
    let count = |wanted: fn(&Verdict) -> bool| {
        report.results.iter().filter(|result| wanted(&result.verdict)).count()
    };
    (
        count(|verdict| matches!(verdict, Verdict::Kept)),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::NotApplicable(_))),
    )
}

fn event_of_end(report: &ConformanceReport, elapsed: Duration) -> String {
    let (kept, failed, not_applicable) = counts(report);
    let object = json!({
        "event": "finished", "t_ms": milliseconds(elapsed),
        "conforms": report.conforms(), "dialect": report.dialect.name(), "caps": report.caps,
        "ok": kept, "failed": failed, "not_applicable": not_applicable,
    });
    format!("{object}\n")
}

fn summary(report: &ConformanceReport) -> String {
    let (kept, failed, not_applicable) = counts(report);
    let claim = match (report.conforms(), report.caps.is_empty()) {
        (false, _) => "it does not conform".to_owned(),
        (true, true) => "it conforms: the Go dialect".to_owned(),
        (true, false) => {
            let caps: Vec<String> = report.caps.iter().map(|cap| escape::line(cap)).collect();
            format!("it conforms: fuzzd protocol 1: {}", caps.join(", "))
        }
    };
    format!("\n{kept} ok, {failed} failed, {not_applicable} not applicable; {claim}\n")
}

#[cfg(test)]
mod tests {
    use fuzzd_coordinator::conformance::WorkerDialect;

    use super::*;

    fn report(verdicts: Vec<Verdict>) -> ConformanceReport {
        let results = RULES.iter().zip(verdicts);
        ConformanceReport {
            dialect: WorkerDialect::Native,
            caps: vec!["input_in_memory".to_owned(), "control\u{1b}".to_owned()],
            results: results.map(|(rule, verdict)| RuleResult { rule, verdict }).collect(),
        }
    }

    #[test]
    fn a_table_has_a_line_for_each_rule_and_the_reasons_below() {
        let report = report(vec![
            Verdict::Kept,
            Verdict::Failed("bytes \u{1b}[0m".into()),
            Verdict::NotApplicable("no input".into()),
        ]);
        let table: String = report.results.iter().map(row).collect();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        assert!(lines[0].starts_with("start.waits ") && lines[0].contains(" ok "), "{table}");
        assert!(lines[1].contains(" FAILED "), "{table}");
        assert!(lines[2].trim_start().starts_with("bytes \\u{1b}"), "{table}");
        assert!(lines[4].ends_with("no input"), "{table}");
        assert!(summary(&report).contains("1 ok, 1 failed, 1 not applicable"));
        assert!(summary(&report).contains("does not conform"));
    }

    #[test]
    fn a_claim_names_version_and_capabilities() {
        let told = summary(&report(vec![Verdict::Kept]));
        assert!(told.contains("fuzzd protocol 1: input_in_memory, control\\u{1b}"), "{told}");
    }

    #[test]
    fn identifiers_fit_their_column_and_are_told_apart() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert!(ids.iter().all(|id| id.len() <= ID_COLUMNS));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
    }
}

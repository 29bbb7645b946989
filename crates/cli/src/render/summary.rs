//! The end of a session.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fuzzd_core::session::{FinishReason, Summary, TestSummary, UnsavedCrash};

use super::format::{duration, rate};
use super::{Context, Line, TestView, crash, escape, name};

/// Why a session ended, in words.
pub(crate) const fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::ExecsReached => "all executions done",
        FinishReason::TimeReached => "time is up",
        FinishReason::FailFast => "stopped at the first new bug",
        FinishReason::Stopped => "stopped",
        FinishReason::Killed => "stopped at once",
        FinishReason::WorkersWouldNotStart => "no worker would start",
    }
}

/// All of it: unsaved crashes to stderr, the rest to stdout.
pub(crate) fn lines(summary: &Summary, context: &Context) -> Vec<Line> {
    let mut lines = unsaved(summary, &context.tests);
    lines.push(Line::Out(text(summary, context)));
    lines
}

fn text(summary: &Summary, context: &Context) -> String {
    let tests = &context.tests;
    let status = &summary.status;
    let seconds = status.elapsed.as_secs_f64();
    let mut text = format!("\n{} after {}\n", reason(summary.reason), duration(status.elapsed));
    let mut line = |label: &str, value: String| {
        // Writing to a string does not fail.
        writeln!(text, "  {label:<12}{value}").unwrap_or_default();
    };
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let mean = rate(status.execs as f64 / seconds);
    let other = status.execs_other;
    line("executions", format!("{} ({mean}/s), and {other} of the engine's own", status.execs));
    line("edges", format!("{} ({} features)", status.edges, status.features));
    line("corpus", format!("{} ({} new)", status.corpus, status.new_finds));
    line("new bugs", status.bugs.to_string());
    line("restarts", status.restarts.to_string());
    text.push('\n');
    table(&mut text, &summary.tests, tests);
    for test in &summary.tests {
        if let Some(reason) = &test.given_up {
            let is_skipped = test.is_skipped;
            let reason: Vec<String> = escape::lines(reason).collect();
            let test = name(tests, test.test);
            let what = if is_skipped { "not fuzzed" } else { "given up" };
            writeln!(text, "\n{test} was {what}: {}", reason.join("\n    ")).unwrap_or_default();
        }
    }
    text.push_str(&not_reached(summary, tests));
    text.push('\n');
    text.push_str(&next(summary, context));
    text
}

/// Fuzz tests whose turn never came: without a word they would look like fuzzed ones.
fn not_reached(summary: &Summary, tests: &[TestView]) -> String {
    let was_left = |test: &&TestSummary| test.execs == 0 && test.given_up.is_none();
    let left: Vec<String> =
        summary.tests.iter().filter(was_left).map(|test| name(tests, test.test)).collect();
    if left.is_empty() || summary.reason == FinishReason::WorkersWouldNotStart {
        return String::new();
    }
    format!("\nNot fuzzed this time: {}. Give the session a larger budget.\n", left.join(", "))
}

fn table(text: &mut String, summaries: &[TestSummary], tests: &[TestView]) {
    let head = ["fuzz test", "executions", "in all", "edges", "corpus", "new bugs", "known bugs"];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).to_vec()];
    for test in summaries {
        rows.push(vec![
            name(tests, test.test),
            test.execs.to_string(),
            test.execs_total.to_string(),
            format!("{}/{}", test.edges, test.counters),
            test.corpus.to_string(),
            test.bugs_new.to_string(),
            test.bugs_known.to_string(),
        ]);
    }
    text.push_str(&columns(&rows, 1));
}

/// Rows with their columns aligned: those from `first_right` on to the right, the others to the
/// left.
pub(crate) fn columns(rows: &[Vec<String>], first_right: usize) -> String {
    use unicode_width::UnicodeWidthStr;
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|c| c.width()).max())
        .map(|width| width.unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.width());
            line.push(' ');
            let is_right = column >= first_right;
            line.push_str(&if is_right { space + cell } else { cell.clone() + &space });
            line.push(' ');
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What to do next.
fn next(summary: &Summary, context: &Context) -> String {
    let with_bugs = |test: &&TestSummary| test.bugs_new + test.bugs_known > 0;
    let failing = summary.tests.iter().filter(with_bugs).count();
    let replayed = summary
        .tests
        .iter()
        .filter(with_bugs)
        .filter_map(|test| context.tests.get(test.test.0)?.cargo_test.as_ref());
    if failing == 0 {
        return match summary.reason {
            FinishReason::WorkersWouldNotStart => {
                "Nothing was fuzzed: see the reasons above.\n".to_owned()
            }
            FinishReason::ExecsReached
            | FinishReason::TimeReached
            | FinishReason::FailFast
            | FinishReason::Stopped
            | FinishReason::Killed => {
                "No bugs. The same command goes on from here with what was found.\n".to_owned()
            }
        };
    }
    let mut rows = vec![vec![context.list_bugs.clone(), "lists the bugs".to_owned()]];
    rows.extend(
        replayed.map(|command| vec![command.clone(), "fails until its bugs are fixed".into()]),
    );
    format!("Next\n{}\nThe same command goes on from here.\n", columns(&rows, usize::MAX))
}

/// Crashes that only this process still knows: the bytes themselves, so that they are not lost.
pub(crate) fn unsaved(summary: &Summary, tests: &[TestView]) -> Vec<Line> {
    let mut lines: Vec<Line> =
        summary.unsaved.iter().map(|crash| unsaved_crash(crash, tests)).collect();
    if summary.unsaved_entries > 0 {
        let entries = match summary.unsaved_entries {
            1 => "1 corpus entry was".to_owned(),
            count => format!("{count} corpus entries were"),
        };
        lines.push(Line::Err(format!("warning: {entries} not saved, the disk refused\n")));
    }
    lines
}

fn unsaved_crash(unsaved: &UnsavedCrash, tests: &[TestView]) -> Line {
    let test = name(tests, unsaved.test);
    let kind = unsaved.failure.kind.name();
    let message = crash::message(&unsaved.failure);
    let bytes = STANDARD.encode(&unsaved.input);
    Line::Err(format!(
        "error: a crash could not be saved: {kind} in {test}: {message}\n\
         its input in base64 (decode it with base64 -d):\n{bytes}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_end_has_totals_a_line_for_each_test_and_what_to_do() {
        insta::assert_snapshot!(text(&samples::summary(), &samples::context()), @r#"

        time is up after 1m2s
          executions  1204551 (19428/s), and 4123 of the engine's own
          edges       1801 (2450 features)
          corpus      214 (12 new)
          new bugs    2
          restarts    3

          fuzz test          executions   in all      edges  corpus  new bugs  known bugs
          parse_request         1204000  2408000  900/14030     107         2           1
          tests::round_trip         551     1102  900/14030     107         0           1

        tests::round_trip was given up: exit 1
            at once

        Next
          fuzzd bugs                    lists the bugs
          cargo test parse_request      fails until its bugs are fixed
          cargo test tests::round_trip  fails until its bugs are fixed

        The same command goes on from here.
        "#);
    }

    #[test]
    fn a_session_without_bugs_says_so() {
        let mut summary = samples::summary();
        summary.tests.truncate(1);
        (summary.tests[0].bugs_new, summary.tests[0].bugs_known) = (0, 0);
        assert!(text(&summary, &samples::context()).ends_with("with what was found.\n"));
    }

    #[test]
    fn fuzz_tests_whose_turn_never_came_are_named() {
        let mut summary = samples::summary();
        (summary.tests[1].execs, summary.tests[1].given_up) = (0, None);
        let text = text(&summary, &samples::context());
        assert!(text.contains("\nNot fuzzed this time: tests::round_trip. Give"), "{text}");
    }

    #[test]
    fn what_the_disk_refused_is_shown_on_stderr() {
        let mut summary = samples::summary();
        summary.unsaved = vec![samples::unsaved()];
        summary.unsaved_entries = 2;
        let lines = lines(&summary, &samples::context());
        let Line::Err(crash) = &lines[0] else { panic!("not on stderr") };
        assert!(crash.ends_with("\nR0VUIP8=\n"), "{crash}");
        assert_eq!(
            lines[1],
            Line::Err("warning: 2 corpus entries were not saved, the disk refused\n".into())
        );
    }
}

//! Lines for people.
//!
//! Bugs and the end of the session are what was asked for: stdout. Everything on the way there,
//! the status line too, goes to stderr.

use std::collections::BTreeMap;
use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{BugReport, Report, Status};
use fuzzd_core::signature::{FailureKind, Signature};

use super::format::{counted, duration};
use super::status::{self, Pacer};
use super::{Beginning, Context, Line, crash, escape, name};
use crate::limits::STATUS_LINE_INTERVAL;

/// What the lines go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Columns of a terminal in which the status line is rewritten in place; `None`: it is not.
    pub(crate) columns: Option<usize>,
    /// Whether bugs may be shown in color.
    pub(crate) is_colored: bool,
}

/// Renders for people.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) context: Context,
    screen: Screen,
    pacer: Pacer,
    /// The size of the input that each bug was told with. Grows with the bugs told, as the session
    /// itself does.
    sizes: BTreeMap<(TestIndex, Signature), usize>,
}

impl Plain {
    /// A session that is shown on this screen.
    pub(crate) fn new(context: Context, screen: Screen) -> Self {
        Self { context, screen, pacer: Pacer::default(), sizes: BTreeMap::new() }
    }

    /// Another width of the terminal; nothing where there is none.
    pub(super) fn resized(&mut self, columns: Option<usize>) {
        if self.screen.columns.is_some() && columns.is_some() {
            self.screen.columns = columns;
        }
    }

    pub(super) fn started(&self, beginning: &Beginning) -> Vec<Line> {
        let tests = counted(self.context.tests.len(), "fuzz test");
        let workers = counted(beginning.workers, "worker");
        let until = match (beginning.time, beginning.execs) {
            (None, None) => "until Ctrl-C".to_owned(),
            (Some(time), None) => format!("for {}", exact(time)),
            (None, Some(execs)) => format!("for {execs} executions"),
            (Some(time), Some(execs)) => format!("for {} or {execs} executions", exact(time)),
        };
        let state = self.context.path(&beginning.state);
        let mut lines = vec![err(format!(
            "fuzzing {tests} with {workers}, {until}; seed {}, state {state}",
            beginning.seed
        ))];
        for view in &self.context.tests {
            lines.push(err(format!("  {}", escape::line(&view.name))));
        }
        lines
    }

    pub(super) fn report(&mut self, report: &Report, elapsed: Duration) -> Vec<Line> {
        match report {
            Report::WarmupStarted { test, inputs, measured_before } => {
                let known = match measured_before {
                    0 => String::new(),
                    known => format!(" ({known} more are known from before)"),
                };
                let inputs = counted(*inputs, "input");
                vec![err(format!("{}: warming up with {inputs}{known}", self.name(*test)))]
            }
            Report::WarmupFinished { test, corpus, edges, failing } => {
                let failing = match failing {
                    0 => String::new(),
                    failing => format!(", {} failing", counted(*failing, "input")),
                };
                let corpus = format!("corpus {corpus}, edges {edges}{failing}");
                vec![err(format!("{}: warm-up done, {corpus}", self.name(*test)))]
            }
            Report::Status(status) => self.status(status, elapsed),
            Report::Bug(bug) => self.bug(bug, None),
            Report::BugMinimized(bug) => {
                let what = self.minimized(bug);
                vec![Line::Out(crash::one_line(&what, bug, &self.context))]
            }
            Report::KnownBug(bug) => {
                self.remember(bug);
                vec![Line::Out(crash::one_line("known bug", bug, &self.context))]
            }
            Report::NoLongerFails(bug) => {
                vec![Line::Out(crash::one_line("no longer fails, bug", bug, &self.context))]
            }
            Report::Unconfirmed(bug) => {
                let what = match bug.failure.kind {
                    FailureKind::Protocol => "broke the protocol, not a bug:",
                    _ => "killed from outside, not a bug:",
                };
                vec![Line::Out(crash::one_line(what, bug, &self.context))]
            }
            Report::WorkerLost { worker, test, reason } => {
                let test = self.name(*test);
                vec![warning(&format!("worker {} of {test} was lost: {reason}", worker.0))]
            }
            Report::TestGivenUp { test, reason } => {
                let test = self.name(*test);
                vec![warning(&format!("{test} is given up: {reason}"))]
            }
            Report::Stalled { reason } => {
                vec![warning(&format!("nothing is being executed: {reason}"))]
            }
            Report::StoreFailing { reason } => {
                vec![warning(&format!("the disk refuses to write, trying again: {reason}"))]
            }
            Report::StoreRecovered => vec![err("the disk takes writes again".to_owned())],
            // The end is shown once, when the coordinator has put everything away.
            Report::Finished(_) => Vec::new(),
        }
    }

    /// A new bug, with its input as its target prints it.
    pub(super) fn bug(&mut self, bug: &BugReport, shown: Option<&str>) -> Vec<Line> {
        self.remember(bug);
        vec![Line::Out(crash::block(bug, shown, &self.context, self.screen.is_colored))]
    }

    fn remember(&mut self, bug: &BugReport) {
        self.sizes.insert((bug.test, bug.signature), bug.input.len());
    }

    /// What became of the input of `bug`: fewer bytes, or simpler ones.
    fn minimized(&mut self, bug: &BugReport) -> String {
        let before = self.sizes.get(&(bug.test, bug.signature)).copied();
        self.remember(bug);
        let now = bug.input.len();
        let size = counted(now, "byte");
        match before {
            Some(before) if before > now => format!("minimized from {before} to {size}, bug"),
            Some(_) => format!("simplified at {size}, bug"),
            None => format!("minimized to {size}, bug"),
        }
    }

    fn status(&mut self, status: &Status, elapsed: Duration) -> Vec<Line> {
        match self.screen.columns {
            Some(columns) => vec![Line::Status(status::fitted(status, columns))],
            None if self.pacer.is_due(elapsed, STATUS_LINE_INTERVAL) => {
                vec![err(status::line(&self.pacer.over_interval(status)))]
            }
            None => Vec::new(),
        }
    }

    fn name(&self, test: fuzzd_core::ids::TestIndex) -> String {
        name(&self.context.tests, test)
    }
}

/// A budget as it was meant, with fractions of a second.
fn exact(time: Duration) -> String {
    if time.subsec_nanos() == 0 { duration(time) } else { format!("{time:?}") }
}

fn err(mut text: String) -> Line {
    text.push('\n');
    Line::Err(text)
}

/// A warning; further lines of it are indented.
pub(crate) fn warning(message: &str) -> Line {
    let lines: Vec<String> = escape::lines(message.trim_end()).collect();
    err(format!("warning: {}", lines.join("\n    ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use fuzzd_core::ids::WorkerId;

    fn plain(columns: Option<usize>) -> Plain {
        Plain::new(samples::context(), Screen { columns, is_colored: false })
    }

    fn shown(lines: &[Line]) -> String {
        let text = lines.iter().map(|line| match line {
            Line::Out(text) => format!("out {text}"),
            Line::Err(text) => format!("err {text}"),
            Line::Status(text) => format!("status {text}\n"),
        });
        text.collect()
    }

    #[test]
    fn everything_on_the_way_goes_to_stderr() {
        let mut plain = plain(None);
        let test = TestIndex(0);
        let reports = [
            Report::WarmupStarted { test, inputs: 1, measured_before: 3 },
            Report::WarmupFinished { test, corpus: 4, edges: 50, failing: 1 },
            Report::WorkerLost { worker: WorkerId(1), test, reason: "bad\nline \x1b".into() },
            Report::TestGivenUp { test, reason: "no".into() },
            Report::Stalled { reason: "all workers are starting".into() },
            Report::StoreFailing { reason: "no space left on device".into() },
            Report::StoreRecovered,
        ];
        let lines: Vec<Line> =
            reports.iter().flat_map(|report| plain.report(report, Duration::ZERO)).collect();
        insta::assert_snapshot!(shown(&lines), @r#"
        err parse_request: warming up with 1 input (3 more are known from before)
        err parse_request: warm-up done, corpus 4, edges 50, 1 input failing
        err warning: worker 1 of parse_request was lost: bad
            line \u{1b}
        err warning: parse_request is given up: no
        err warning: nothing is being executed: all workers are starting
        err warning: the disk refuses to write, trying again: no space left on device
        err the disk takes writes again
        "#);
    }

    #[test]
    fn what_was_asked_for_goes_to_stdout() {
        let mut plain = plain(Some(80));
        let bug = samples::bug();
        let reports = [
            Report::KnownBug(bug.clone()),
            Report::NoLongerFails(bug.clone()),
            Report::Unconfirmed(bug.clone()),
            Report::BugMinimized(bug),
        ];
        let lines: Vec<Line> =
            reports.iter().flat_map(|report| plain.report(report, Duration::ZERO)).collect();
        insta::assert_snapshot!(shown(&lines));
    }

    #[test]
    fn a_smaller_input_is_told_from_a_simpler_one() {
        let told = |sizes: &[usize]| {
            let mut plain = plain(None);
            let mut bug = samples::bug();
            let mut words = String::new();
            for (position, size) in sizes.iter().enumerate() {
                bug.input = vec![b'0'; *size].into();
                let lines = match position {
                    0 => plain.bug(&bug, None),
                    _ => plain.report(&Report::BugMinimized(bug.clone()), Duration::ZERO),
                };
                words = shown(&lines);
            }
            words.split(", bug").next().unwrap_or_default().to_owned()
        };
        assert_eq!(told(&[40, 5]), "out minimized from 40 to 5 bytes");
        assert_eq!(told(&[5, 5]), "out simplified at 5 bytes");
        assert_eq!(told(&[40, 5, 5]), "out simplified at 5 bytes");
    }

    #[test]
    fn the_status_is_rewritten_on_a_terminal_and_rare_elsewhere() {
        let report = Report::Status(samples::status());
        let mut terminal = plain(Some(40));
        let mut pipe = plain(None);
        let count = |plain: &mut Plain| -> usize {
            (0..6).map(|second| plain.report(&report, Duration::from_secs(second)).len()).sum()
        };
        assert_eq!((count(&mut terminal), count(&mut pipe)), (6, 2));
    }

    #[test]
    fn the_beginning_says_what_is_fuzzed_and_for_how_long() {
        let beginning = Beginning {
            workers: 2,
            state: "/w/.fuzzd".into(),
            seed: 7,
            time: Some(Duration::from_millis(1_500)),
            execs: Some(10),
        };
        insta::assert_snapshot!(shown(&plain(None).started(&beginning)), @r#"
        err fuzzing 2 fuzz tests with 2 workers, for 1.5s or 10 executions; seed 7, state .fuzzd
        err   parse_request
        err   tests::round_trip
        "#);
    }
}

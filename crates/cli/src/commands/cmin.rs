//! `fuzzd cmin`: a corpus made smaller, with all of its coverage.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fuzzd_coordinator::store::StoreError;
use fuzzd_coordinator::{CminNews, MinimizedCorpus};
use serde_json::{Value, json};

use crate::args::cmin::CminArgs;
use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::output::{print, warn};
use crate::places::{here, state_directory};
use crate::plan::plan;
use crate::render::escape;
use crate::render::format::{counted, milliseconds, short_path};
use crate::run::workers_default;
use crate::session::cmin::{CminSettings, minimize_corpora};
use crate::session::{self, SessionError};

/// Carries out `fuzzd cmin`.
pub(crate) fn cmin(arguments: &CminArgs) -> Result<Exit, CliError> {
    let start = Instant::now();
    validate(arguments)?;
    let asked = arguments.state.state.as_deref();
    let plan = plan(&arguments.targets, &arguments.cargo, true, asked)?;
    let state = state_directory(asked, &plan.root);
    // A build of a Go package may have made the directory just now; without its database a session
    // is rebuilt from its files.
    let has_session = ["session.db", "corpus"].iter().any(|part| state.join(part).exists());
    if !has_session && arguments.corpus.is_none() {
        return Err(SessionError::from(StoreError::NoSession { dir: state }).into());
    }
    let settings = CminSettings {
        workers: arguments.workers.unwrap_or_else(workers_default),
        input_timeout: arguments.input.timeout,
        rss_limit_bytes: session::rss_limit_bytes(arguments.input.rss_limit),
        corpus: arguments.corpus.clone(),
        state: state.clone(),
        into: arguments.into.clone(),
    };
    let is_copy = arguments.into.is_some();
    let mut telling = Telling { start, is_json: arguments.json, is_copy, ..Telling::new(here()) };
    let outcome = minimize_corpora(&plan.targets, settings, |news| telling.take(news));
    // The last worker has ended: what was built may go.
    drop(plan.in_use);
    if let Err(error) = outcome {
        telling.event("failed", json!({"message": chain(&error)}));
        return Err(error.into());
    }
    telling.finish();
    if telling.done.iter().all(|done| done.before.entries == 0) && !telling.has_given_up {
        let place = arguments.corpus.as_ref().unwrap_or(&state).display().to_string();
        let problem = format!("there is no entry in the corpus in {place}");
        let next = "fuzz first: fuzzd run; or name the place with --state or --corpus";
        return Err(CliError::usage(problem, next));
    }
    Ok(if telling.has_given_up { Exit::Infrastructure } else { Exit::Fine })
}

/// Refuses what cannot work before anything is built.
fn validate(arguments: &CminArgs) -> Result<(), CliError> {
    let directories = [("--state", &arguments.state.state), ("--corpus", &arguments.corpus)];
    for (flag, path) in directories {
        if let Some(path) = path.as_ref().filter(|path| !path.is_dir()) {
            let problem = format!("{flag} {} is not a directory", path.display());
            return Err(CliError::usage(problem, "name the one that fuzzd run worked with"));
        }
    }
    let Some(into) = &arguments.into else { return Ok(()) };
    let mut items = match std::fs::read_dir(into) {
        Ok(items) => items,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(CliError::Read { path: into.clone(), source }),
    };
    if items.next().is_some() {
        let problem = format!("--into {} is not empty", into.display());
        return Err(CliError::usage(problem, "name a directory that is empty, or a new one"));
    }
    Ok(())
}

/// What was told, and how.
struct Telling {
    start: Instant,
    is_json: bool,
    is_copy: bool,
    /// Paths below it are shown without it.
    here: PathBuf,
    done: Vec<MinimizedCorpus>,
    has_given_up: bool,
}

impl Telling {
    fn new(here: PathBuf) -> Self {
        let (start, done) = (Instant::now(), Vec::new());
        Self { start, is_json: false, is_copy: false, here, done, has_given_up: false }
    }

    fn take(&mut self, news: CminNews) {
        match news {
            CminNews::Loaded(notice) => self.warn(&notice.to_string()),
            CminNews::Measuring { test, inputs } => {
                self.event("measuring", json!({"test": test, "inputs": inputs}));
            }
            CminNews::GivenUp { test, reason, is_skipped } => {
                self.has_given_up |= !is_skipped;
                self.warn(&format!("{test} is left as it is: {reason}"));
            }
            CminNews::Done(done) => {
                match self.is_json {
                    true => self.event("corpus_minimized", fields(&done)),
                    false => print(&lines(&done, self.is_copy, &self.here)),
                }
                self.done.push(done);
            }
        }
    }

    fn warn(&self, message: &str) {
        match self.is_json {
            true => self.event("warning", json!({"message": message})),
            false => warn(message),
        }
    }

    /// The last event.
    fn finish(&self) {
        let tests: Vec<Value> = self.done.iter().map(fields).collect();
        self.event("finished", json!({"tests": tests}));
    }

    fn event(&self, name: &str, fields: Value) {
        if self.is_json {
            print(&event(name, self.start.elapsed(), fields));
        }
    }
}

fn event(name: &str, elapsed: Duration, mut fields: Value) -> String {
    fields["event"] = name.into();
    fields["t_ms"] = milliseconds(elapsed).into();
    format!("{fields}\n")
}

fn fields(done: &MinimizedCorpus) -> Value {
    json!({
        "test": done.test,
        "entries_before": done.before.entries,
        "bytes_before": done.before.bytes,
        "entries": done.after.entries,
        "bytes": done.after.bytes,
        "edges": done.coverage.edges,
        "features": done.coverage.features,
        "measured": done.measured,
        "failing": done.failing,
        "unknown": done.unknown,
        "to": done.to.as_ref().map(|path| path.to_string_lossy()),
    })
}

/// A few lines for people.
fn lines(done: &MinimizedCorpus, is_copy: bool, here: &Path) -> String {
    let MinimizedCorpus { test, before, after, coverage, .. } = done;
    let test = escape::line(test);
    if before.entries == 0 {
        return format!("{test}: its corpus is empty\n");
    }
    let entry = |count: usize| match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    let mut text = format!(
        "{test}: {} of {}, {} of {} bytes needed for all {} edges and {} features\n",
        after.entries,
        entry(before.entries),
        after.bytes,
        before.bytes,
        coverage.edges,
        coverage.features,
    );
    let mut add = |line: String| text.push_str(&format!("  {line}\n"));
    if done.failing > 0 {
        add(format!("{} failed, and stayed", entry(done.failing)));
    }
    if done.unknown > 0 {
        add(format!("{} could not be measured, and stayed", entry(done.unknown)));
    }
    match &done.to {
        Some(to) => {
            let to = escape::line(&short_path(to, here).to_string_lossy());
            add(match is_copy {
                true => format!("{} in {to}", counted(after.entries, "file")),
                false => format!("{} moved to {to}", entry(before.entries - after.entries)),
            });
        }
        None => add("nothing to remove".to_owned()),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use fuzzd_coordinator::Size;
    use fuzzd_core::coverage::Gain;

    fn sample() -> MinimizedCorpus {
        MinimizedCorpus {
            test: "tests::parse".into(),
            before: Size { entries: 12, bytes: 3_400 },
            after: Size { entries: 5, bytes: 210 },
            coverage: Gain { edges: 40, features: 90 },
            measured: 12,
            failing: 1,
            unknown: 2,
            to: Some("/w/.fuzzd/removed/tests.parse".into()),
        }
    }

    #[test]
    fn people_see_what_stayed_and_where_the_rest_is() {
        insta::assert_snapshot!(lines(&sample(), false, Path::new("/w")), @"
        tests::parse: 5 of 12 entries, 210 of 3400 bytes needed for all 40 edges and 90 features
          1 entry failed, and stayed
          2 entries could not be measured, and stayed
          7 entries moved to .fuzzd/removed/tests.parse
        ");
        let small = MinimizedCorpus { failing: 0, unknown: 0, to: None, ..sample() };
        assert!(lines(&small, false, Path::new("/")).ends_with("\n  nothing to remove\n"));
        let copied = MinimizedCorpus { to: Some("/w/small".into()), ..small };
        assert!(lines(&copied, true, Path::new("/w")).ends_with("\n  5 files in small\n"));
        let empty = MinimizedCorpus { before: Size::default(), ..copied };
        assert_eq!(lines(&empty, true, Path::new("/w")), "tests::parse: its corpus is empty\n");
    }

    #[test]
    fn an_event_has_its_name_and_time_and_all_numbers() {
        let line = event("corpus_minimized", Duration::from_millis(7), fields(&sample()));
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&event["event"], &event["t_ms"]), (&"corpus_minimized".into(), &7.into()));
        assert_eq!((&event["entries_before"], &event["entries"]), (&12.into(), &5.into()));
        assert_eq!(event["to"], "/w/.fuzzd/removed/tests.parse");
    }
}

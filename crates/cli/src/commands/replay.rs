//! `fuzzd replay`: runs inputs again, a worker for each, and shows which of them fail.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use fuzzd_coordinator::replay::{ReplayInput, ReplayLimits, ReplayResult, ReplayVerdict};

use crate::args::ReplayArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::limits::REPLAY_FILE_BYTES_MAX;
use crate::output::print;
use crate::plan::plan;
use crate::planned::Planned;
use crate::render::format::{counted, short_path};
use crate::render::{crash, escape};
use crate::session;

/// Carries out `fuzzd replay`.
pub(crate) fn replay(arguments: &ReplayArgs) -> Result<Exit, CliError> {
    let given = files(&arguments.paths)?;
    let tests = std::slice::from_ref(&arguments.test);
    let plan = plan(tests, &arguments.cargo, !arguments.blind, None)?;
    let [target] = &plan.targets[..] else {
        let names: Vec<&str> = plan.targets.iter().map(|t| t.view.name.as_str()).collect();
        let problem = format!("inputs belong to one fuzz test, not to {}", names.join(", "));
        return Err(CliError::usage(problem, "write the whole name of one of them"));
    };
    let is_testdata = arguments.paths.is_empty();
    let files = if is_testdata { testdata(target)? } else { given };
    if files.is_empty() {
        let place =
            if is_testdata { vec![target.testdata.clone()] } else { arguments.paths.clone() };
        let places: Vec<String> = place.iter().map(|path| path.display().to_string()).collect();
        let problem = format!("there is no input in {}", places.join(", "));
        return Err(CliError::usage(problem, "name a file, or fuzz first: fuzzd run"));
    }
    let limits = ReplayLimits {
        input_timeout: arguments.input.timeout,
        rss_limit_bytes: session::rss_limit_bytes(arguments.input.rss_limit),
    };
    let here = std::env::current_dir().unwrap_or_default();
    let mut tally = Tally { here, ..Tally::default() };
    session::replay(target, read(files)?, limits, |result| print(&tally.row(&result)))?;
    print(&tally.summary(&target.view.name));
    Ok(tally.exit())
}

/// The files named, and those of the directories named, in order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_of(path)?);
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            let problem = format!("{} does not exist", path.display());
            return Err(CliError::usage(problem, "name a file, or a directory of files"));
        }
    }
    Ok(files)
}

fn testdata(target: &Planned) -> Result<Vec<PathBuf>, CliError> {
    if target.testdata.is_dir() { files_of(&target.testdata) } else { Ok(Vec::new()) }
}

/// The files of one directory, by name.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |source| CliError::Read { path: directory.to_owned(), source };
    let mut files = Vec::new();
    for item in std::fs::read_dir(directory).map_err(failed)? {
        let path = item.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !is_hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(files: Vec<PathBuf>) -> Result<Vec<ReplayInput>, CliError> {
    let read = |path: PathBuf| {
        let failed = |source| CliError::Read { path: path.clone(), source };
        if std::fs::metadata(&path).map_err(failed)?.len() > REPLAY_FILE_BYTES_MAX {
            let problem =
                format!("{} is larger than {REPLAY_FILE_BYTES_MAX} bytes", path.display());
            return Err(CliError::usage(problem, "name a smaller file"));
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        Ok(ReplayInput { path, bytes })
    };
    files.into_iter().map(read).collect()
}

/// How many inputs did what.
#[derive(Debug, Default)]
struct Tally {
    /// Paths below it are shown without it.
    here: PathBuf,
    passed: usize,
    rejected: usize,
    failed: usize,
    unreadable: usize,
    not_run: usize,
}

impl Tally {
    /// The line of one result, with message and place where it failed.
    fn row(&mut self, result: &ReplayResult) -> String {
        let path = escape::line(&short_path(&result.path, &self.here).to_string_lossy());
        match &result.verdict {
            ReplayVerdict::Passed => {
                self.passed += 1;
                format!("pass        {path}\n")
            }
            ReplayVerdict::Rejected => {
                self.rejected += 1;
                format!("rejected    {path}\n")
            }
            ReplayVerdict::Failed(failure) => {
                self.failed += 1;
                let mut row = format!("FAIL        {path}\n");
                let mut detail = String::new();
                crash::failure_fields(&mut detail, failure, &self.here);
                for line in [format!("  kind        {}", failure.kind.name())]
                    .iter()
                    .map(String::as_str)
                    .chain(detail.lines())
                {
                    // Writing to a string does not fail.
                    writeln!(row, "          {line}").unwrap_or_default();
                }
                row
            }
            ReplayVerdict::Unreadable(reason) => {
                self.unreadable += 1;
                format!("UNREADABLE  {path}: {}\n", escape::line(reason))
            }
            ReplayVerdict::NotRun(reason) => {
                self.not_run += 1;
                format!("NOT RUN     {path}: {}\n", escape::line(reason))
            }
        }
    }

    /// Inputs that could not be run say nothing about the fuzz test.
    fn exit(&self) -> Exit {
        if self.not_run > 0 {
            Exit::Infrastructure
        } else if self.failed + self.unreadable > 0 {
            Exit::Failing
        } else {
            Exit::Fine
        }
    }

    fn summary(&self, test: &str) -> String {
        let all = self.passed + self.rejected + self.failed + self.unreadable + self.not_run;
        let mut text = format!("\n{}: {}", escape::line(test), counted(all, "input"));
        for (count, word) in [
            (self.passed, "passed"),
            (self.rejected, "rejected"),
            (self.failed, "failed"),
            (self.unreadable, "unreadable"),
            (self.not_run, "not run"),
        ] {
            if count > 0 {
                // Writing to a string does not fail.
                write!(text, ", {count} {word}").unwrap_or_default();
            }
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn every_input_has_its_line_and_failures_their_reason() {
        let mut tally = Tally::default();
        let verdicts = [
            ReplayVerdict::Passed,
            ReplayVerdict::Rejected,
            ReplayVerdict::Failed(samples::failure()),
            ReplayVerdict::Unreadable("string and uint32 expected, []byte found".into()),
        ];
        let mut text = String::new();
        for (position, verdict) in verdicts.into_iter().enumerate() {
            let path = PathBuf::from(format!("testdata/fuzz/parse/{position}"));
            text.push_str(&tally.row(&ReplayResult { path, verdict }));
        }
        text.push_str(&tally.summary("parse"));
        insta::assert_snapshot!(text, @r#"
        pass        testdata/fuzz/parse/0
        rejected    testdata/fuzz/parse/1
        FAIL        testdata/fuzz/parse/2
                    kind        panic
                    message     index out of bounds: the len is 3 but the index is 7
                    location    src/lib.rs:10:5
        UNREADABLE  testdata/fuzz/parse/3: string and uint32 expected, []byte found

        parse: 4 inputs, 1 passed, 1 rejected, 1 failed, 1 unreadable
        "#);
    }

    #[test]
    fn directories_are_read_in_order_without_hidden_files() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".gitignore"] {
            std::fs::write(directory.path().join(name), name).unwrap();
        }
        let found = files(&[directory.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(files(&[directory.path().join("gone")]).is_err());
    }
}

//! The list of inputs on which a fuzz test failed.
//!
//! Owns: its words, and the command to run one file. Must not: print it; a test fails with it.

use std::path::{Path, PathBuf};

use crate::fuzz_test::FuzzTest;
use crate::replay::outcome::Outcome;
use crate::settings::REPLAY_ENV;

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The seed of this index in code.
    Seed(usize),
    /// A file of testdata.
    File(PathBuf),
}

/// One input that failed.
struct Failure {
    source: Source,
    outcome: Outcome,
    /// Its readable form, where known.
    shown: Option<String>,
}

/// All inputs of one fuzz test.
pub(crate) struct Report<'a> {
    test: &'a FuzzTest,
    /// Inputs that were run.
    count: usize,
    failures: Vec<Failure>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(test: &'a FuzzTest) -> Self {
        Self { test, count: 0, failures: Vec::new() }
    }

    pub(crate) fn add(&mut self, source: Source, outcome: Outcome, shown: Option<String>) {
        self.count += 1;
        if outcome.is_failure() {
            self.failures.push(Failure { source, outcome, shown });
        }
    }

    /// The list, if anything failed.
    pub(crate) fn finish(&self) -> Result<(), String> {
        if self.failures.is_empty() {
            return Ok(());
        }
        let (failed, all) = (self.failures.len(), self.count);
        let plural = if all == 1 { "" } else { "s" };
        let mut text =
            format!("fuzz test `{}` fails on {failed} of {all} input{plural}\n", self.test.path());
        for failure in &self.failures {
            text.push('\n');
            text.push_str(&self.failure_text(failure));
        }
        Err(harmless(&text))
    }

    fn failure_text(&self, failure: &Failure) -> String {
        let root = self.test.package_root();
        let name = match &failure.source {
            Source::Seed(index) => format!("seed {} in the code", index + 1),
            Source::File(file) => relative(root.as_deref(), file).display().to_string(),
        };
        let mut text = format!("  {name}\n{}\n", indented(&failure.outcome.text()));
        if let Some(shown) = &failure.shown {
            text.push_str(&indented(&format!("input {shown}")));
            text.push('\n');
        }
        match (&failure.source, &failure.outcome) {
            (Source::Seed(_), _) | (Source::File(_), Outcome::Unreadable(_)) => {}
            (Source::File(file), _) => {
                let command = self.command(relative(root.as_deref(), file));
                text.push_str(&indented(&format!("run it: {command}")));
                text.push('\n');
            }
        }
        text
    }

    /// What a person types to run one file; works in every directory of the workspace.
    fn command(&self, file: &Path) -> String {
        let file = shell_word(&file.to_string_lossy());
        let package = match self.test.build.package {
            Some(package) => format!(" -p {package}"),
            None => String::new(),
        };
        let (target, path) = (self.test.target_option(), self.test.path());
        format!(
            "{REPLAY_ENV}={file} cargo test{package} {target} -- {path} --exact --nocapture \
             --include-ignored"
        )
    }
}

/// Line ends and tabs stay; other control characters of the fuzz test's are shown as escapes.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn relative<'a>(root: Option<&Path>, file: &'a Path) -> &'a Path {
    root.and_then(|root| file.strip_prefix(root).ok()).unwrap_or(file)
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// The text as one word of a POSIX shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

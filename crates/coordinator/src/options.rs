//! What a run is asked to do, and the checks that do not need the disk to be touched.
//!
//! Must not read arguments or the environment: that is the command line's work.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{
    INPUT_BYTES_LIMIT, INPUT_TIMEOUT_MAX, INPUT_TIMEOUT_MIN, RSS_LIMIT_BYTES_MIN, WORKERS_MAX,
};

/// What the workers of a target speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// The protocol of `proto-spec/`.
    Native,
    /// Go's own: the target is an unmodified Go test binary.
    Go(GoTarget),
}

/// What a fuzz test of a Go test binary needs beside its worker's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoTarget {
    /// The name of the fuzz test in the binary.
    pub test: String,
    /// The executable that serves as worker of a harvest, see [`fuzzd_go::harvest::shim`].
    pub shim: PathBuf,
    /// Import path of the package under test.
    pub package: String,
    /// Directory of inputs that Go's own coordinator kept, to begin with; only ever read.
    pub cache: Option<PathBuf>,
    /// Coverage counters there are at most; 0: not instrumented.
    pub counters_max: usize,
}

/// How to start a worker of one fuzz test, and where its files lie.
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// Name of the fuzz test, unique within a run, shown to people.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<OsString>,
    /// Variables added to the coordinator's own environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory of the worker: the package root.
    pub cwd: PathBuf,
    /// Directory of the inputs that belong to the source: `<package>/testdata/fuzz/<test>`.
    pub testdata: PathBuf,
    /// What its workers speak.
    pub dialect: Dialect,
}

/// Everything a run is asked to do. Checked by [`RunOptions::validate`].
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The fuzz tests, at least one, with distinct names.
    pub targets: Vec<TargetSpec>,
    /// `--workers`: worker slots, 1 to [`WORKERS_MAX`].
    pub workers: usize,
    /// `--time`: from the first execution; `None` is no limit.
    pub time: Option<Duration>,
    /// `--execs`: executions of newly mutated inputs; `None` is no limit.
    pub execs: Option<u64>,
    /// `--fail-fast`: stop at the first new bug.
    pub fail_fast: bool,
    /// `--seed`: of all random decisions; `None` takes one from the system.
    pub seed: Option<u64>,
    /// `--timeout`: one input.
    pub input_timeout: Duration,
    /// `--rss-limit`: resident memory of one worker in bytes; 0 is no limit.
    pub rss_limit_bytes: u64,
    /// `--max-len`: largest mutated input, in bytes of memory form.
    pub input_bytes_max: usize,
    /// `--seeds`: directories of inputs that are read and never written.
    pub seeds: Vec<PathBuf>,
    /// `--dict`: tokens to put into inputs, of all fuzz tests.
    pub dictionary: Vec<Vec<u8>>,
    /// `--corpus`: directory for corpus entries instead of the one in the state.
    pub corpus: Option<PathBuf>,
    /// `--state`: the state directory; created if it does not exist.
    pub state: PathBuf,
    /// Minimize finds and failures (`--no-minimize` clears it).
    pub minimize: bool,
    /// Fuzz targets that have no coverage counters.
    pub blind: bool,
}

/// A value that cannot be meant. Names the flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Nothing to run.
    #[error("there is no fuzz test to run")]
    NoTargets,
    /// Two fuzz tests would share their state.
    #[error("two fuzz tests have the name {0}")]
    DuplicateName(String),
    /// The name cannot be part of a path in the state.
    #[error("{0:?} cannot be the name of a fuzz test")]
    BadName(String),
    /// The executable is not there.
    #[error("{path} of the fuzz test {name} is not a file", path = .path.display())]
    NoProgram {
        /// The fuzz test.
        name: String,
        /// Its executable.
        path: PathBuf,
    },
    /// Outside what makes sense.
    #[error("--{flag} {value}: {reason}")]
    Value {
        /// The flag without its dashes.
        flag: &'static str,
        /// The value given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two values exclude each other.
    #[error("--{first} and --{second} are the same directory, {path}", path = .path.display())]
    SameDirectory {
        /// A flag without its dashes.
        first: &'static str,
        /// The other one.
        second: &'static str,
        /// What both name.
        path: PathBuf,
    },
}

impl RunOptions {
    /// Checks everything that can be known before the state directory is touched.
    ///
    /// # Errors
    /// The first value that cannot be meant.
    pub fn validate(&self) -> Result<(), OptionsError> {
        self.validate_targets()?;
        self.validate_numbers()?;
        self.validate_directories()
    }

    fn validate_targets(&self) -> Result<(), OptionsError> {
        if self.targets.is_empty() {
            return Err(OptionsError::NoTargets);
        }
        let mut names = BTreeSet::new();
        for target in &self.targets {
            let name = &target.name;
            let has_odd_bytes = name.contains(['/', '\\']) || name.contains(char::is_control);
            if name.is_empty() || name.starts_with('.') || has_odd_bytes {
                return Err(OptionsError::BadName(name.clone()));
            }
            if !names.insert(name) {
                return Err(OptionsError::DuplicateName(name.clone()));
            }
            if !target.program.is_file() {
                let path = target.program.clone();
                return Err(OptionsError::NoProgram { name: name.clone(), path });
            }
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<(), OptionsError> {
        let workers = self.workers.to_string();
        check("workers", &workers, self.workers > 0, || "at least one worker is needed".into())?;
        check("workers", &workers, self.workers <= WORKERS_MAX, || {
            format!("at most {WORKERS_MAX} workers are possible")
        })?;
        check("time", "0s", self.time != Some(Duration::ZERO), || "no time to fuzz in".into())?;
        check("execs", "0", self.execs != Some(0), || "nothing to execute".into())?;
        let timeout = format!("{:?}", self.input_timeout);
        check("timeout", &timeout, self.input_timeout >= INPUT_TIMEOUT_MIN, || {
            format!("at least {INPUT_TIMEOUT_MIN:?} is needed to tell a hang")
        })?;
        check("timeout", &timeout, self.input_timeout <= INPUT_TIMEOUT_MAX, || {
            "at most 24 hours are possible".into()
        })?;
        let rss = format!("{} bytes", self.rss_limit_bytes);
        let rss_fits = self.rss_limit_bytes == 0 || self.rss_limit_bytes >= RSS_LIMIT_BYTES_MIN;
        check("rss-limit", &rss, rss_fits, || {
            format!("no target fits below {} MB; 0 is no limit", RSS_LIMIT_BYTES_MIN >> 20)
        })?;
        let len = self.input_bytes_max.to_string();
        check("max-len", &len, self.input_bytes_max > 0, || "only the empty input is left".into())?;
        check("max-len", &len, self.input_bytes_max <= INPUT_BYTES_LIMIT, || {
            format!("at most {INPUT_BYTES_LIMIT} bytes are possible")
        })?;
        let is_larger = self.rss_limit_bytes > 0
            && u64::try_from(self.input_bytes_max).unwrap_or(u64::MAX) >= self.rss_limit_bytes;
        check("max-len", &len, !is_larger, || {
            format!("an input of that size does not fit into --rss-limit {rss}")
        })
    }

    fn validate_directories(&self) -> Result<(), OptionsError> {
        for seeds in &self.seeds {
            let shown = seeds.display().to_string();
            check("seeds", &shown, seeds.is_dir(), || "not a directory".into())?;
            for (flag, other) in [("corpus", self.corpus.as_ref()), ("state", Some(&self.state))] {
                // Seeds are never written to.
                if other.is_some_and(|other| is_same(seeds, other)) {
                    let path = seeds.clone();
                    return Err(OptionsError::SameDirectory { first: "seeds", second: flag, path });
                }
            }
        }
        if let Some(corpus) = &self.corpus
            && is_same(corpus, &self.state)
        {
            let path = corpus.clone();
            return Err(OptionsError::SameDirectory { first: "corpus", second: "state", path });
        }
        Ok(())
    }
}

fn check(
    flag: &'static str,
    value: &str,
    holds: bool,
    reason: impl FnOnce() -> String,
) -> Result<(), OptionsError> {
    if holds {
        return Ok(());
    }
    Err(OptionsError::Value { flag, value: value.to_owned(), reason: reason() })
}

/// Whether both name one directory; one that does not exist is compared by its text.
fn is_same(one: &std::path::Path, other: &std::path::Path) -> bool {
    let real = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> RunOptions {
        RunOptions {
            targets: vec![TargetSpec {
                name: "parse".into(),
                program: std::env::current_exe().unwrap(),
                args: Vec::new(),
                env: Vec::new(),
                cwd: "/".into(),
                testdata: "/nonexistent/testdata/fuzz/parse".into(),
                dialect: Dialect::Native,
            }],
            workers: 1,
            time: None,
            execs: None,
            fail_fast: false,
            seed: None,
            input_timeout: Duration::from_secs(10),
            rss_limit_bytes: 2 << 30,
            input_bytes_max: 1 << 20,
            seeds: Vec::new(),
            dictionary: Vec::new(),
            corpus: None,
            state: "/nonexistent/.fuzzd".into(),
            minimize: true,
            blind: false,
        }
    }

    #[test]
    fn sensible_options_pass() {
        assert_eq!(options().validate(), Ok(()));
        assert_eq!(RunOptions { rss_limit_bytes: 0, ..options() }.validate(), Ok(()));
    }

    #[test]
    fn absurd_numbers_name_their_flag() {
        let cases = [
            ("--workers", RunOptions { workers: 0, ..options() }),
            ("--workers", RunOptions { workers: WORKERS_MAX + 1, ..options() }),
            ("--time", RunOptions { time: Some(Duration::ZERO), ..options() }),
            ("--execs", RunOptions { execs: Some(0), ..options() }),
            ("--timeout", RunOptions { input_timeout: Duration::ZERO, ..options() }),
            ("--timeout", RunOptions { input_timeout: Duration::MAX, ..options() }),
            ("--rss-limit", RunOptions { rss_limit_bytes: 1, ..options() }),
            ("--max-len", RunOptions { input_bytes_max: 0, ..options() }),
            ("--max-len", RunOptions { input_bytes_max: usize::MAX, ..options() }),
            (
                "--max-len",
                RunOptions { rss_limit_bytes: 16 << 20, input_bytes_max: 17 << 20, ..options() },
            ),
            ("--seeds", RunOptions { seeds: vec!["/nonexistent".into()], ..options() }),
        ];
        for (flag, options) in cases {
            let error = options.validate().unwrap_err().to_string();
            assert!(error.starts_with(flag), "{error}");
        }
    }

    #[test]
    fn one_directory_cannot_be_two_things() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_path_buf();
        let seeds =
            RunOptions { seeds: vec![path.clone()], corpus: Some(path.join(".")), ..options() };
        assert!(matches!(
            seeds.validate(),
            Err(OptionsError::SameDirectory { second: "corpus", .. })
        ));
        let state = RunOptions { seeds: vec![path.clone()], state: path, ..options() };
        assert!(matches!(
            state.validate(),
            Err(OptionsError::SameDirectory { second: "state", .. })
        ));
    }

    #[test]
    fn names_are_distinct_and_safe_in_a_path() {
        assert_eq!(
            RunOptions { targets: Vec::new(), ..options() }.validate(),
            Err(OptionsError::NoTargets)
        );
        let mut twice = options();
        twice.targets.push(twice.targets[0].clone());
        assert_eq!(twice.validate(), Err(OptionsError::DuplicateName("parse".into())));
        for name in ["", "..", "a/b", "a\nb"] {
            let mut bad = options();
            bad.targets[0].name = name.into();
            assert_eq!(bad.validate(), Err(OptionsError::BadName(name.into())));
        }
        let mut gone = options();
        gone.targets[0].program = "/nonexistent/program".into();
        assert!(matches!(gone.validate(), Err(OptionsError::NoProgram { .. })));
    }
}

//! What can be typed. Owns the grammar and the help; says nothing about what it leads to.

// One grammar for `--timeout` here and `FUZZD_TIMEOUT` under `cargo test`: neither crate may depend
// on the other, so they share the text.
pub(crate) mod cmin;
#[path = "../../../fuzzd/src/duration.rs"]
pub(crate) mod duration;
mod help;
pub(crate) mod libfuzzer;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Args, Parser, Subcommand};

use fuzzd_coordinator::limits::{INPUT_BYTES_LIMIT, RSS_LIMIT_BYTES_MIN, WORKERS_MAX};

use crate::limits::INPUT_BYTES_DEFAULT;

/// How long one input may run, unless `--timeout` says otherwise.
pub(crate) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Memory one worker may use, in MB, unless `--rss-limit` says otherwise.
pub(crate) const RSS_LIMIT_MB_DEFAULT: u64 = 2_048;

/// The arguments of `cargo fuzzd run …` without the word that cargo puts in front.
pub(crate) fn without_cargo_word(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let program = arguments.first().map(Path::new).and_then(Path::file_stem);
    let is_cargo_command = program.is_some_and(|stem| stem == "cargo-fuzzd");
    if is_cargo_command && arguments.get(1).is_some_and(|word| word == "fuzzd") {
        arguments.remove(1);
    }
    arguments
}

/// Coverage-guided fuzzing of Rust code, on stable Rust.
#[derive(Debug, Parser)]
#[command(name = "fuzzd", version, after_help = help::HELP, max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands there are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build the fuzz tests with instrumentation and fuzz them
    #[command(visible_alias = "r", after_help = help::RUN_HELP)]
    Run(RunArgs),
    /// List the fuzz tests of this workspace, of executables, or of Go packages
    #[command(visible_alias = "ls", after_help = help::LIST_HELP)]
    List(ListArgs),
    /// Build the fuzz tests with instrumentation and show the executables
    #[command(visible_alias = "b", after_help = help::BUILD_HELP)]
    Build(BuildArgs),
    /// Run inputs again and show which fail
    #[command(after_help = help::REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Make a corpus smaller without losing coverage
    #[command(after_help = help::CMIN_HELP)]
    Cmin(cmin::CminArgs),
    /// Show the bugs that were found
    #[command(after_help = help::BUGS_HELP)]
    Bugs(BugsArgs),
    /// Check a worker program against the protocol
    #[command(after_help = help::CONFORMANCE_HELP)]
    Conformance(ConformanceArgs),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Fuzz tests by name, end of a name or glob [default: all]; or a path to an executable,
    /// optionally followed by :NAME
    pub(crate) targets: Vec<OsString>,
    /// Worker processes [default: one for each core]
    #[arg(short = 'j', long, visible_alias = "jobs", value_name = "N", value_parser = workers)]
    #[arg(env = "FUZZD_WORKERS", hide_env = true)]
    pub(crate) workers: Option<usize>,
    /// Stop after this time, counted from the first execution (30s, 5m, 1h30m)
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    #[arg(env = "FUZZD_TIME", hide_env = true)]
    pub(crate) time: Option<Duration>,
    /// Stop after exactly this many executions of new inputs, over all workers and fuzz tests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(env = "FUZZD_EXECS", hide_env = true)]
    pub(crate) execs: Option<u64>,
    /// Stop at the first new bug
    #[arg(long, value_parser = FalseyValueParser::new())]
    #[arg(env = "FUZZD_FAIL_FAST", hide_env = true)]
    pub(crate) fail_fast: bool,
    /// Seed of all random decisions; with -j 1 and --execs the run repeats exactly
    #[arg(long, value_name = "N", env = "FUZZD_SEED", hide_env = true)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Longest input, in bytes
    #[arg(long, value_name = "N", default_value_t = INPUT_BYTES_DEFAULT, value_parser = max_len)]
    #[arg(env = "FUZZD_MAX_LEN", hide_env = true)]
    pub(crate) max_len: usize,
    /// Dictionary of tokens to put into inputs, as libFuzzer and AFL have them; may be given
    /// several times
    #[arg(long, value_name = "FILE", env = "FUZZD_DICT", hide_env = true)]
    pub(crate) dict: Vec<PathBuf>,
    /// Directory of seeds, only ever read; may be given several times
    #[arg(long, value_name = "DIR", env = "FUZZD_SEEDS", hide_env = true)]
    pub(crate) seeds: Vec<PathBuf>,
    /// Begin with what `go test -fuzz` kept in its cache, too (Go fuzz tests only)
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_GO_CACHE", hide_env = true)]
    pub(crate) go_cache: bool,
    /// Directory of the corpus [default: corpus/ in the state directory]. Entries of a fuzz test
    /// lie in DIR/<test>/ ('::' as '.'); files in DIR itself are not read: --seeds takes those
    #[arg(long, value_name = "DIR", env = "FUZZD_CORPUS", hide_env = true)]
    pub(crate) corpus: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// Print events on stdout, one JSON object a line
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_JSON", hide_env = true)]
    pub(crate) json: bool,
    /// Print lines only, also on a terminal: nothing is rewritten in place
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_PLAIN", hide_env = true)]
    pub(crate) plain: bool,
    /// Keep finds and crashes as they were found
    #[arg(long, value_parser = FalseyValueParser::new())]
    #[arg(env = "FUZZD_NO_MINIMIZE", hide_env = true)]
    pub(crate) no_minimize: bool,
    /// Fuzz without instrumentation: nothing guides the search
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_BLIND", hide_env = true)]
    pub(crate) blind: bool,
    #[command(flatten)]
    pub(crate) cargo: CargoArgs,
}

/// Limits of one input.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Longest time one input may run
    #[arg(long, value_name = "DURATION")]
    #[arg(default_value = "10s", value_parser = duration::input_timeout)]
    #[arg(env = "FUZZD_TIMEOUT", hide_env = true)]
    pub(crate) timeout: Duration,
    /// Memory one worker may use, in MB; 0 is no limit
    #[arg(long, value_name = "MB", value_parser = rss_limit)]
    #[arg(default_value_t = RSS_LIMIT_MB_DEFAULT)]
    #[arg(env = "FUZZD_RSS_LIMIT", hide_env = true)]
    pub(crate) rss_limit: u64,
}

/// Where the state lies.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// State directory [default: .fuzzd in the workspace root, else in this directory]
    #[arg(long, value_name = "DIR", env = "FUZZD_STATE", hide_env = true)]
    pub(crate) state: Option<PathBuf>,
}

/// Arguments that are cargo's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cargo")]
pub(crate) struct CargoArgs {
    /// Only the fuzz tests of this package; may be given several times
    #[arg(short, long, value_name = "PACKAGE", env = "FUZZD_PACKAGE", hide_env = true)]
    pub(crate) package: Vec<String>,
    /// Path of the Cargo.toml
    #[arg(long, value_name = "PATH", env = "FUZZD_MANIFEST_PATH", hide_env = true)]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Features to activate, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES", env = "FUZZD_FEATURES", hide_env = true)]
    pub(crate) features: Vec<String>,
    /// Activate all features
    #[arg(long, value_parser = FalseyValueParser::new())]
    #[arg(env = "FUZZD_ALL_FEATURES", hide_env = true)]
    pub(crate) all_features: bool,
    /// Leave the default feature out
    #[arg(long, value_parser = FalseyValueParser::new())]
    #[arg(env = "FUZZD_NO_DEFAULT_FEATURES", hide_env = true)]
    pub(crate) no_default_features: bool,
    /// Profile to start from; overflow checks and debug assertions are on in any case
    #[arg(long, value_name = "NAME", default_value = "release")]
    #[arg(env = "FUZZD_PROFILE", hide_env = true)]
    pub(crate) profile: String,
    /// Cargo.lock must not change
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_LOCKED", hide_env = true)]
    pub(crate) locked: bool,
    /// Stay off the network
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_OFFLINE", hide_env = true)]
    pub(crate) offline: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What `run` takes: names of fuzz tests, executables, packages of Go [default: all of this
    /// workspace]
    pub(crate) targets: Vec<OsString>,
    /// Print one JSON object a line
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_JSON", hide_env = true)]
    pub(crate) json: bool,
    /// Build without instrumentation, and list what was built without
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_BLIND", hide_env = true)]
    pub(crate) blind: bool,
    #[command(flatten)]
    pub(crate) state: StateArgs,
    #[command(flatten)]
    pub(crate) cargo: CargoArgs,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Fuzz tests by name, and packages of Go, as `run` takes them [default: all of this workspace]
    pub(crate) targets: Vec<OsString>,
    /// Build without instrumentation
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_BLIND", hide_env = true)]
    pub(crate) blind: bool,
    #[command(flatten)]
    pub(crate) state: StateArgs,
    #[command(flatten)]
    pub(crate) cargo: CargoArgs,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The fuzz test (or the path to an executable)
    pub(crate) test: OsString,
    /// Files, or directories of files [default: its testdata directory]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Build without instrumentation
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_BLIND", hide_env = true)]
    pub(crate) blind: bool,
    #[command(flatten)]
    pub(crate) cargo: CargoArgs,
}

/// Arguments of `bugs`.
#[derive(Debug, Args)]
pub(crate) struct BugsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<BugsAction>,
    /// Print one JSON object a line
    #[arg(long, global = true, value_parser = FalseyValueParser::new())]
    #[arg(env = "FUZZD_JSON", hide_env = true)]
    pub(crate) json: bool,
    /// State directory [default: .fuzzd in the workspace root, else in this directory]
    #[arg(long, global = true, value_name = "DIR", env = "FUZZD_STATE", hide_env = true)]
    pub(crate) state: Option<PathBuf>,
    /// Path of the Cargo.toml
    #[arg(long, global = true, value_name = "PATH")]
    #[arg(env = "FUZZD_MANIFEST_PATH", hide_env = true)]
    pub(crate) manifest_path: Option<PathBuf>,
}

/// Arguments of `conformance`.
#[derive(Debug, Args)]
pub(crate) struct ConformanceArgs {
    /// The program and its arguments, as a coordinator is to start it
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
    /// Only this rule; may be given several times
    #[arg(long, value_name = "RULE", env = "FUZZD_ONLY", hide_env = true)]
    pub(crate) only: Vec<String>,
    /// File of an input that passes [default: one is made up]
    #[arg(long, value_name = "FILE", env = "FUZZD_INPUT", hide_env = true)]
    pub(crate) input: Option<PathBuf>,
    /// File of an input that fails and leaves the worker alive [default: one is looked for]
    #[arg(long, value_name = "FILE", env = "FUZZD_FAILING", hide_env = true)]
    pub(crate) failing: Option<PathBuf>,
    /// File of an input that ends the worker [default: one is looked for]
    #[arg(long, value_name = "FILE", env = "FUZZD_DEADLY", hide_env = true)]
    pub(crate) deadly: Option<PathBuf>,
    /// How long inputs are looked for that were not given
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    #[arg(env = "FUZZD_SEARCH", hide_env = true)]
    pub(crate) search: Duration,
    /// Print one JSON object a line
    #[arg(long, value_parser = FalseyValueParser::new(), env = "FUZZD_JSON", hide_env = true)]
    pub(crate) json: bool,
}

/// What to do with the bugs.
#[derive(Debug, Subcommand)]
pub(crate) enum BugsAction {
    /// List them, a line each (what `bugs` alone does)
    List,
    /// Show one with its message, its input and the commands to replay it
    Show {
        /// Its signature, or the beginning of it
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        signature: String,
    },
}

fn workers(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "it is not a number of workers".to_owned())?;
    match number {
        0 => Err("nothing runs without a worker; leave it out to use all cores".to_owned()),
        1..=WORKERS_MAX => Ok(number),
        _ => Err(format!("at most {WORKERS_MAX} workers make sense")),
    }
}

fn rss_limit(text: &str) -> Result<u64, String> {
    let megabytes: u64 = text.parse().map_err(|_| "it is not a number of MB".to_owned())?;
    let minimum = RSS_LIMIT_BYTES_MIN >> 20;
    match megabytes {
        0 => Ok(0),
        some if some < minimum => Err(format!("no target fits below {minimum} MB; 0 is no limit")),
        some => Ok(some),
    }
}

fn max_len(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "it is not a number of bytes".to_owned())?;
    match number {
        0 => Err("an input needs room for at least one byte".to_owned()),
        1..=INPUT_BYTES_LIMIT => Ok(number),
        _ => Err(format!("at most {INPUT_BYTES_LIMIT} bytes are possible")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_fuzzd_is_fuzzd() {
        let fuzzd = words("/bin/cargo-fuzzd run x");
        assert_eq!(without_cargo_word(words("/bin/cargo-fuzzd fuzzd run x")), fuzzd);
        assert_eq!(without_cargo_word(fuzzd.clone()), fuzzd);
        let plain = words("fuzzd fuzzd");
        assert_eq!(without_cargo_word(plain.clone()), plain);
    }

    #[test]
    fn all_flags_of_run_are_understood() {
        let line = "fuzzd r a tests::b -j 3 --time 1h30m --execs 5 --fail-fast --seed 9 \
                    --timeout 100ms --rss-limit 512 --max-len 99 --seeds s --seeds t --dict d \
                    --corpus c \
                    --state d --json --no-minimize --blind -p x -p y --manifest-path m \
                    --features f --all-features --no-default-features --profile dev --locked \
                    --offline";
        let words = line.split_whitespace();
        let Command::Run(run) = Cli::try_parse_from(words).unwrap().command else {
            panic!("not a run");
        };
        assert_eq!((run.targets.len(), run.workers, run.execs), (2, Some(3), Some(5)));
        assert_eq!(run.time, Some(Duration::from_secs(5_400)));
        assert_eq!((run.input.timeout, run.input.rss_limit), (Duration::from_millis(100), 512));
        assert_eq!((run.seeds.len(), run.cargo.package.len()), (2, 2));
        assert!(run.fail_fast && run.json && run.no_minimize && run.blind && run.cargo.offline);
        assert_eq!((run.seed, run.max_len, run.cargo.profile.as_str()), (Some(9), 99, "dev"));
    }

    #[test]
    fn every_timeout_that_is_understood_is_possible() {
        use fuzzd_coordinator::limits::{INPUT_TIMEOUT_MAX, INPUT_TIMEOUT_MIN};
        let own = (duration::INPUT_TIMEOUT_MIN, duration::INPUT_TIMEOUT_MAX);
        assert_eq!(own, (INPUT_TIMEOUT_MIN, INPUT_TIMEOUT_MAX));
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for line in ["-j 0", "-j x", "-j 99999", "--max-len 0", "--execs 0", "--time 5"] {
            let line = format!("fuzzd run {line}");
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
        // It would be the beginning of every signature.
        assert!(Cli::try_parse_from(["fuzzd", "bugs", "show", ""]).is_err());
    }
}

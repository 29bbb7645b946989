//! `fuzzd run`: builds, starts a session, shows it, and turns its end into an exit code.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fuzzd_coordinator::signals::StopSignal;
use fuzzd_coordinator::store::dir_name;
use fuzzd_core::session::{FinishReason, Report, Summary};

use crate::args::RunArgs;
use crate::dictionary::{self, DICTIONARY_TOKENS_MAX};
use crate::error::{CliError, chain};
use crate::exit::Exit;
use crate::go;
use crate::invocation;
use crate::output::{Output, complain};
use crate::places::state_directory;
use crate::plan::{Plan, plan};
use crate::render::json::Json;
use crate::render::plain::{Plain, Screen};
use crate::render::{Beginning, Context, Renderer, TestView};
use crate::session::{self, News, Settings};

/// Carries out `fuzzd run`.
pub(crate) fn run(arguments: &RunArgs) -> Result<Exit, CliError> {
    let start = Instant::now();
    validate(arguments)?;
    let dictionary = dictionary(&arguments.dict)?;
    let state = arguments.state.state.as_deref();
    let mut plan = plan(&arguments.targets, &arguments.cargo, !arguments.blind, state)?;
    if arguments.go_cache {
        go::add_cache(&mut plan.targets)?;
    }
    let settings = settings(arguments, dictionary, &plan);
    let mut renderer = renderer(arguments, &plan);
    let mut output =
        Output::start(std::io::stdout(), std::io::stderr()).map_err(CliError::Output)?;
    if let Some(warning) = arguments.corpus.as_deref().and_then(|corpus| unused(corpus, &plan)) {
        output.send(renderer.warning(&warning, start.elapsed()));
    }
    let outcome = session::run(&plan.targets, settings, |news| {
        let elapsed = start.elapsed();
        output.send(match news {
            News::Started(started) => {
                let beginning = Beginning {
                    workers: started.workers,
                    state: started.state,
                    seed: started.seed,
                    time: arguments.time,
                    execs: arguments.execs,
                };
                renderer.types_known(started.tests.into_iter().map(|test| test.types));
                renderer.started(&beginning, elapsed)
            }
            News::Report(report) => {
                if matches!(report, Report::Status(_)) {
                    renderer.resized(columns());
                }
                renderer.report(&report, elapsed)
            }
            News::Bug(bug, shown) => renderer.bug(&bug, shown.as_deref(), elapsed),
            News::Warning(message) => renderer.warning(&message, elapsed),
        });
    });
    output.send(match &outcome {
        Ok(end) => renderer.finished(&end.summary, start.elapsed()),
        Err(error) => renderer.failed(&chain(error), start.elapsed()),
    });
    let dropped = output.finish();
    if dropped > 0 {
        complain(&format!("{dropped} lines were not shown: nobody read them"), None);
    }
    // The last worker has ended: what was built may go.
    drop(plan.in_use);
    let end = outcome?;
    Ok(exit(&end.summary, end.signal))
}

/// Refuses what cannot work before anything is built.
fn validate(arguments: &RunArgs) -> Result<(), CliError> {
    if arguments.json && arguments.plain {
        let next = "choose one: --json for scripts, --plain for people";
        return Err(CliError::usage("--json and --plain contradict each other", next));
    }
    for seeds in &arguments.seeds {
        if !seeds.is_dir() {
            let problem = format!("--seeds {} is not a directory", seeds.display());
            return Err(CliError::usage(problem, "give a directory with one input a file"));
        }
    }
    let directories = [("--state", &arguments.state.state), ("--corpus", &arguments.corpus)];
    for (flag, path) in directories {
        if let Some(path) = path.as_ref().filter(|path| path.exists() && !path.is_dir()) {
            let problem = format!("{flag} {} is not a directory", path.display());
            return Err(CliError::usage(problem, "give a directory; it is created if need be"));
        }
    }
    if arguments.corpus.is_some()
        && arguments.seeds.iter().any(|s| Some(s) == arguments.corpus.as_ref())
    {
        let problem = "--seeds and --corpus name the same directory";
        let next = "seeds are only ever read; leave --seeds out to go on with this corpus";
        return Err(CliError::usage(problem, next));
    }
    Ok(())
}

/// A sentence about a corpus directory that holds files, but none where they are looked for.
fn unused(corpus: &Path, plan: &Plan) -> Option<String> {
    let mut names = plan.targets.iter().map(|target| dir_name(&target.view.name));
    if names.any(|name| corpus.join(name).is_dir()) {
        return None;
    }
    let items = std::fs::read_dir(corpus).ok()?;
    let files = items.flatten().filter(|item| item.path().is_file()).count();
    let first = dir_name(&plan.targets.first()?.view.name);
    (files > 0).then(|| {
        format!(
            "--corpus {}: {} not read: entries are looked for in a directory for each fuzz \
             test, as in {}; --seeds reads all files",
            corpus.display(),
            if files == 1 { "1 file is".to_owned() } else { format!("{files} files are") },
            corpus.join(first).display(),
        )
    })
}

/// The tokens of all dictionaries.
fn dictionary(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CliError> {
    let mut tokens = Vec::new();
    for path in paths {
        let read = std::fs::read(path);
        let file = read.map_err(|source| CliError::Read { path: path.clone(), source })?;
        tokens.extend(dictionary::parse(&file).map_err(|error| {
            let problem = format!("--dict {}: {error}", path.display());
            CliError::usage(problem, "one token a line: name=\"value\", with \\xNN for any byte")
        })?);
    }
    if tokens.len() > DICTIONARY_TOKENS_MAX {
        let problem = format!("the dictionaries have {} tokens together", tokens.len());
        let next =
            format!("give at most {DICTIONARY_TOKENS_MAX}: each gets less use, the more there are");
        return Err(CliError::usage(problem, next));
    }
    Ok(tokens)
}

fn settings(arguments: &RunArgs, dictionary: Vec<Vec<u8>>, plan: &Plan) -> Settings {
    Settings {
        workers: arguments.workers.unwrap_or_else(workers_default),
        time: arguments.time,
        execs: arguments.execs,
        fail_fast: arguments.fail_fast,
        seed: arguments.seed,
        input_timeout: arguments.input.timeout,
        rss_limit_bytes: session::rss_limit_bytes(arguments.input.rss_limit),
        input_bytes_max: arguments.max_len,
        seeds: arguments.seeds.clone(),
        dictionary,
        corpus: arguments.corpus.clone(),
        state: state_directory(arguments.state.state.as_deref(), &plan.root),
        minimize: !arguments.no_minimize,
        blind: arguments.blind,
    }
}

/// As many workers as cores that this process may use.
pub(crate) fn workers_default() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn renderer(arguments: &RunArgs, plan: &Plan) -> Renderer {
    let views = plan.targets.iter().map(|target| target.view.clone());
    let tests: Vec<TestView> =
        views.map(|view| invocation::limited(view, &arguments.input)).collect();
    if arguments.json {
        return Renderer::Json(Json { tests });
    }
    let wants_color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let may_rewrite = std::io::stderr().is_terminal() && !arguments.plain;
    let context = Context {
        tests,
        list_bugs: invocation::list_bugs(&arguments.cargo, arguments.state.state.as_deref()),
        here: std::env::current_dir().unwrap_or_default(),
    };
    Renderer::Plain(Plain::new(
        context,
        Screen {
            columns: may_rewrite.then(columns).flatten(),
            is_colored: wants_color && !arguments.plain && std::io::stdout().is_terminal(),
        },
    ))
}

/// Columns of the terminal; `None` if it does not say.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// What the end of a session means to a script. What went wrong with the machinery wins over bugs.
fn exit(summary: &Summary, signal: Option<StopSignal>) -> Exit {
    let is_lost = !summary.unsaved.is_empty() || summary.unsaved_entries > 0;
    let is_given_up = summary.tests.iter().any(|test| test.given_up.is_some() && !test.is_skipped);
    match summary.reason {
        FinishReason::Killed => Exit::Signal(signal.unwrap_or(StopSignal::Interrupt)),
        FinishReason::WorkersWouldNotStart => Exit::Infrastructure,
        FinishReason::ExecsReached
        | FinishReason::TimeReached
        | FinishReason::FailFast
        | FinishReason::Stopped => {
            if is_lost || is_given_up {
                Exit::Infrastructure
            } else if summary.status.bugs > 0 {
                Exit::Failing
            } else {
                Exit::Fine
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_corpus_of_files_that_nobody_looks_for_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let (path, plan) = (directory.path(), samples::plan());
        assert_eq!(unused(path, &plan), None, "an empty one is a new one");
        std::fs::write(path.join("seed"), "x").unwrap();
        let told = unused(path, &plan).unwrap();
        assert!(told.contains("1 file is not read"), "{told}");
        assert!(told.contains("/parse_request; --seeds"), "{told}");
        std::fs::create_dir(path.join("tests.round_trip")).unwrap();
        assert_eq!(unused(path, &plan), None, "it is the corpus of one of the tests");
        assert_eq!(unused(Path::new("/gone"), &plan), None);
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let mut summary = samples::summary();
        assert_eq!(exit(&summary, None), Exit::Infrastructure, "a test was given up");
        summary.tests[1].is_skipped = true;
        assert_eq!(exit(&summary, None), Exit::Failing, "one that skips itself is no failure");
        summary.tests.truncate(1);
        assert_eq!(exit(&summary, None), Exit::Failing);
        summary.status.bugs = 0;
        assert_eq!(exit(&summary, None), Exit::Fine);
        summary.reason = FinishReason::Stopped;
        assert_eq!(exit(&summary, None), Exit::Fine);
        summary.unsaved_entries = 1;
        assert_eq!(exit(&summary, None), Exit::Infrastructure);
        summary.reason = FinishReason::Killed;
        assert_eq!(exit(&summary, Some(StopSignal::Terminate)).code(), 143);
    }
}

//! Whole runs with the scripted worker: the loop, the store, the core and processes together.

use std::path::Path;
use std::time::{Duration, Instant};

use fuzzd_core::session::{FinishReason, Report};
use fuzzd_core::signature::FailureKind;

use tokio::task::JoinSet;

use super::*;
use crate::scripted_worker::{MUTATED, stubborn, target};
use crate::store::StoreError;

/// Far beyond what any run here takes, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn options(directory: &Path, spec: TargetSpec) -> RunOptions {
    let testdata = directory.join("testdata");
    RunOptions {
        targets: vec![TargetSpec { testdata, ..spec }],
        workers: 2,
        time: None,
        execs: None,
        fail_fast: false,
        seed: Some(7),
        input_timeout: Duration::from_secs(60),
        rss_limit_bytes: 0,
        input_bytes_max: 4096,
        seeds: Vec::new(),
        dictionary: Vec::new(),
        corpus: None,
        state: directory.join("state"),
        minimize: true,
        blind: false,
    }
}

struct Running {
    stops: mpsc::Sender<StopRequest>,
    notices: mpsc::Receiver<Notice>,
    tasks: JoinSet<Result<Summary, RunError>>,
}

impl Running {
    fn start(options: RunOptions) -> Self {
        let (notice_sender, notices) = mpsc::channel(64);
        let (stops, requests) = mpsc::channel(4);
        let mut tasks = JoinSet::new();
        tasks.spawn(run(options, notice_sender, requests));
        Self { stops, notices, tasks }
    }

    /// Waits for a report that `wanted` accepts.
    async fn wait_for(&mut self, wanted: impl Fn(&Report) -> bool) {
        let found = async {
            while let Some(notice) = self.notices.recv().await {
                if matches!(&notice, Notice::Report(report) if wanted(report)) {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(PATIENCE, found).await.expect("in time");
        assert!(found, "the run ended without the report: {:?}", self.tasks.join_next().await);
    }

    /// Waits for the end. Returns what was told on the way.
    async fn end(mut self) -> (Result<Summary, RunError>, Vec<Notice>) {
        let mut told = Vec::new();
        let all = async {
            while let Some(notice) = self.notices.recv().await {
                told.push(notice);
            }
            self.tasks.join_next().await
        };
        let ended = tokio::time::timeout(PATIENCE, all).await.expect("in time");
        (ended.expect("one task").expect("no panic"), told)
    }
}

#[tokio::test]
async fn a_run_ends_exactly_at_its_budget_and_says_so_last() {
    let directory = tempfile::tempdir().unwrap();
    let options = RunOptions { execs: Some(25), ..options(directory.path(), target("good")) };
    let (summary, told) = Running::start(options).end().await;
    let summary = summary.unwrap();
    assert_eq!((summary.reason, summary.status.execs), (FinishReason::ExecsReached, 25));
    let Some(Notice::Started(started)) = told.first() else { panic!("{told:?}") };
    assert_eq!((started.seed, started.workers, started.tests[0].counters), (7, 2, 16));
    assert_eq!(started.tests[0].entries, 2, "the seeds of the worker");
    assert!(matches!(told.last(), Some(Notice::Report(Report::Finished(_)))), "{told:?}");
}

#[tokio::test]
async fn finds_told_during_calls_are_in_the_corpus_and_in_the_memories_of_all_workers() {
    for workers in [1, 2] {
        let directory = tempfile::tempdir().unwrap();
        let spec = target("plan_session");
        let dictionary = vec![b"token".to_vec()];
        let options = RunOptions { workers, dictionary, ..options(directory.path(), spec) };
        let options = RunOptions { execs: Some(40), ..options };
        let (summary, told) = Running::start(options).end().await;
        let summary = summary.unwrap();
        assert_eq!((summary.reason, summary.status.execs), (FinishReason::ExecsReached, 40));
        // The seeds, and one find for each of the counters 3 to 7, each made from the one before.
        assert_eq!(summary.status.corpus, 2 + 5, "{told:?}");
        assert_eq!(summary.tests[0].edges, 1 + 5);
    }
}

#[tokio::test]
async fn nobody_has_to_read_notices_for_a_run_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let options = RunOptions { execs: Some(25), ..options(directory.path(), target("good")) };
    let (notices, _never_read) = mpsc::channel(1);
    let (_stops, requests) = mpsc::channel(4);
    let summary = tokio::time::timeout(PATIENCE, run(options, notices, requests)).await;
    assert_eq!(summary.expect("in time").unwrap().reason, FinishReason::ExecsReached);
}

#[tokio::test]
async fn a_death_becomes_a_bug_whose_file_holds_its_input() {
    let directory = tempfile::tempdir().unwrap();
    let fail_fast =
        |script| RunOptions { fail_fast: true, ..options(directory.path(), target(script)) };
    let (summary, told) = Running::start(fail_fast("abort_if_mutated")).end().await;
    let summary = summary.unwrap();
    assert_eq!(summary.reason, FinishReason::FailFast, "{summary:?}");
    let bugs = told.iter().filter_map(|notice| match notice {
        Notice::Report(Report::Bug(bug)) => Some(bug),
        _ => None,
    });
    let bugs: Vec<_> = bugs.collect();
    assert_eq!(bugs.len(), 1, "{told:?}");
    assert_eq!(bugs[0].failure.kind, FailureKind::Abort);
    assert!(bugs[0].reproduced > 0 && bugs[0].reproduced == bugs[0].runs, "{:?}", bugs[0]);
    let path = bugs[0].path.as_ref().expect("it lies in testdata");
    assert!(path.starts_with(directory.path().join("testdata")));
    assert_eq!(std::fs::read(path).unwrap(), MUTATED);
    // The next run knows it.
    let options = RunOptions { execs: Some(1), ..fail_fast("abort_if_mutated") };
    let (summary, told) = Running::start(options).end().await;
    assert_eq!(summary.unwrap().tests[0].bugs_new, 0);
    let is_known = |notice: &Notice| matches!(notice, Notice::Report(Report::KnownBug(_)));
    assert!(told.iter().any(is_known), "{told:?}");
}

#[tokio::test]
async fn a_graceful_stop_ends_hung_stubborn_workers_and_is_no_bug() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), stubborn("hang_if_mutated"));
    let mut running = Running::start(options);
    running.wait_for(|report| matches!(report, Report::WarmupFinished { .. })).await;
    running.stops.send(StopRequest::Graceful).await.unwrap();
    let (summary, told) = running.end().await;
    let summary = summary.unwrap();
    assert_eq!((summary.reason, summary.tests[0].bugs_new), (FinishReason::Stopped, 0));
    assert!(!told.iter().any(|notice| matches!(notice, Notice::Report(Report::Bug(_)))));
}

#[tokio::test]
async fn a_second_request_does_not_wait_for_the_ladder() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), stubborn("hang_if_mutated"));
    let mut running = Running::start(options);
    running.wait_for(|report| matches!(report, Report::WarmupFinished { .. })).await;
    running.stops.send(StopRequest::Graceful).await.unwrap();
    let started = Instant::now();
    running.stops.send(StopRequest::Immediate).await.unwrap();
    let (summary, _) = running.end().await;
    assert_eq!(summary.unwrap().reason, FinishReason::Killed);
    // The promise is half a second and a commit; this machine may be busy.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_stop_before_the_session_ends_the_run_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(options(directory.path(), target("silent")));
    running.stops.send(StopRequest::Graceful).await.unwrap();
    let (result, _) = running.end().await;
    assert!(matches!(result, Err(RunError::StoppedEarly(StopRequest::Graceful))), "{result:?}");
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let error = async |options| Running::start(options).end().await.0.unwrap_err();
    let held = Store::open(&directory.path().join("state")).unwrap();
    let options_of = |script| options(directory.path(), target(script));
    let locked = error(options_of("good")).await;
    assert!(matches!(locked, RunError::Store(StoreError::Locked { .. })), "{locked:?}");
    drop(held);
    let blind = error(options_of("blind")).await;
    assert!(matches!(blind, RunError::NotInstrumented { .. }) && blind.is_usage(), "{blind:?}");
    let dead = error(options_of("dies_before_ping")).await;
    assert!(dead.to_string().contains("libmissing.so") && !dead.is_usage(), "{dead}");
    let go = error(options_of("go")).await;
    assert!(go.to_string().contains("not supported yet") && go.is_usage(), "{go}");
    let absurd = error(RunOptions { workers: 0, ..options_of("good") }).await;
    assert!(absurd.to_string().starts_with("--workers") && absurd.is_usage(), "{absurd}");
    let blind = RunOptions { blind: true, execs: Some(3), ..options_of("blind") };
    assert_eq!(Running::start(blind).end().await.0.unwrap().status.execs, 3);
}

#[tokio::test]
async fn a_test_that_does_not_come_up_is_given_up_and_the_others_are_fuzzed() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = RunOptions { execs: Some(25), ..options(directory.path(), target("good")) };
    options.targets.insert(0, target("dies_before_ping"));
    let (summary, told) = Running::start(options).end().await;
    let summary = summary.unwrap();
    assert_eq!((summary.reason, summary.tests[1].execs), (FinishReason::ExecsReached, 25));
    let given_up = summary.tests[0].given_up.as_deref().expect("it is in the summary");
    assert!(given_up.contains("libmissing.so"), "{given_up}");
    assert!(summary.tests[1].given_up.is_none());
    let is_told = |notice: &Notice| matches!(notice, Notice::Report(Report::TestGivenUp { .. }));
    assert_eq!(told.iter().filter(|notice| is_told(notice)).count(), 1, "{told:?}");
    let Some(Notice::Started(started)) = told.first() else { panic!("{told:?}") };
    assert_eq!((started.tests[0].counters, started.tests[1].counters), (0, 16));
}

#[tokio::test]
async fn a_probe_brings_types_counters_and_seeds() {
    let info = crate::probe(&target("good"), 1).await.unwrap();
    assert_eq!(info.types, [fuzzd_protocol::value::ValueType::Bytes]);
    assert_eq!((info.counters, info.build_id.len()), (16, 64));
    assert_eq!(info.seeds, [b"seed 0".to_vec(), b"seed 1".to_vec()]);
    assert!(info.skipped_seeds.is_empty());
}

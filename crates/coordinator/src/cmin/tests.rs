//! Minimizations with the scripted worker.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::error::ProbeError;
use crate::scripted_worker::{MUTATED, target};

/// A state whose corpus has these inputs, as files of somebody.
fn place(script: &str, inputs: &[&[u8]]) -> (TempDir, RunOptions) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let corpus = state.join("corpus").join(script);
    fs::create_dir_all(&corpus).unwrap();
    for (index, bytes) in inputs.iter().enumerate() {
        fs::write(corpus.join(format!("input-{index}")), bytes).unwrap();
    }
    let options = RunOptions {
        targets: vec![target(script)],
        workers: 2,
        time: None,
        execs: None,
        fail_fast: false,
        seed: None,
        input_timeout: Duration::from_millis(500),
        rss_limit_bytes: 0,
        input_bytes_max: 1 << 20,
        seeds: Vec::new(),
        dictionary: Vec::new(),
        corpus: None,
        state,
        minimize: false,
        blind: false,
    };
    (dir, options)
}

/// What a minimization ended with, and what it told.
async fn minimized(
    options: &RunOptions,
    into: Option<PathBuf>,
) -> (Result<(), RunError>, Vec<CminNews>) {
    let (sender, mut news) = mpsc::channel(1);
    let (_stop, stops) = mpsc::channel(1);
    let collected = async {
        let mut told = Vec::new();
        while let Some(one) = news.recv().await {
            told.push(one);
        }
        told
    };
    let work = minimize_corpora(options.clone(), into, sender, stops);
    let both = async { tokio::join!(work, collected) };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("in time")
}

async fn done(options: &RunOptions, into: Option<PathBuf>) -> MinimizedCorpus {
    let (ended, told) = minimized(options, into).await;
    ended.unwrap();
    match told.last() {
        Some(CminNews::Done(done)) => done.clone(),
        other => panic!("{other:?}"),
    }
}

fn contents(dir: &Path) -> BTreeSet<Vec<u8>> {
    let Ok(files) = fs::read_dir(dir) else { return BTreeSet::new() };
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test]
async fn one_entry_of_those_that_cover_the_same_stays_and_the_next_finds_nothing_to_do() {
    // Which one depends on their times too, and these on the machine.
    let (_dir, options) = place("good", &[b"one", b"two", b"three"]);
    let first = done(&options, None).await;
    assert_eq!((first.before, first.after.entries), (Size { entries: 3, bytes: 11 }, 1));
    assert_eq!(first.measured, 3);
    assert_eq!(first.coverage, Gain { edges: 1, features: 1 });
    let kept = contents(&options.state.join("corpus/good"));
    let removed = contents(first.to.as_deref().unwrap());
    assert_eq!((kept.len(), removed.len()), (1, 2));
    let all: BTreeSet<Vec<u8>> = kept.union(&removed).cloned().collect();
    assert_eq!(all, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()].into());
    let second = done(&options, None).await;
    assert_eq!((second.before, second.after), (first.after, first.after));
    assert_eq!((second.measured, second.to), (0, None), "what is known is not run again");
    assert_eq!(second.coverage, first.coverage);
}

#[tokio::test]
async fn what_fails_stays_and_is_no_bug() {
    let (_dir, options) = place("abort_if_mutated", &[b"a", MUTATED]);
    let done = done(&options, None).await;
    assert_eq!((done.after.entries, done.failing, done.unknown), (2, 1, 0));
    let kept = contents(&options.state.join("corpus/abort_if_mutated"));
    assert_eq!(kept, [b"a".to_vec(), MUTATED.to_vec()].into());
    assert!(!options.state.join("crashes").exists());
}

#[tokio::test]
async fn what_is_rejected_stays() {
    let (_dir, options) = place("rejects", &[b"a", b"b"]);
    let done = done(&options, None).await;
    assert_eq!((done.after.entries, done.unknown, done.to), (2, 2, None));
}

#[tokio::test]
async fn copies_leave_the_state_as_it_is() {
    let (dir, options) = place("good", &[b"a", b"bb"]);
    let into = dir.path().join("into");
    let done = done(&options, Some(into.clone())).await;
    assert_eq!((done.after.entries, done.to.as_ref()), (1, Some(&into)));
    let (copied, all) = (contents(&into), contents(&options.state.join("corpus/good")));
    assert_eq!((copied.len(), all.len(), copied.is_subset(&all)), (1, 2, true));
    assert!(!options.state.join("removed").exists());
}

#[tokio::test]
async fn copies_of_several_lie_in_a_directory_each_and_one_that_is_down_stops_no_other() {
    let (dir, one) = place("good", &[b"a", b"bb"]);
    let other = one.state.join("corpus/rejects");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("mine"), "c").unwrap();
    let targets = ["good", "dies_before_ping", "rejects"].map(target).into();
    let options = RunOptions { targets, ..one };
    let into = dir.path().join("into");
    let (ended, told) = minimized(&options, Some(into.clone())).await;
    ended.unwrap();
    let down = |news: &CminNews| matches!(news, CminNews::GivenUp { is_skipped: false, .. });
    assert_eq!(told.iter().filter(|news| down(news)).count(), 1, "{told:?}");
    assert_eq!(contents(&into.join("good")).len(), 1);
    assert_eq!(contents(&into.join("rejects")), [b"c".to_vec()].into());
}

#[tokio::test]
async fn an_empty_corpus_is_told() {
    let (_dir, options) = place("good", &[]);
    let done = done(&options, None).await;
    assert_eq!((done.before, done.to), (Size::default(), None));
}

#[tokio::test]
async fn workers_that_get_nothing_done_end_it_and_nothing_goes() {
    let inputs: Vec<Vec<u8>> = (0..20).map(|number| vec![number]).collect();
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let (_dir, options) = place("garbage", &inputs);
    let (ended, _) = minimized(&options, None).await;
    let error = ended.unwrap_err();
    assert!(matches!(error, RunError::Probe(ProbeError::Failed { .. })), "{error}");
    assert_eq!(contents(&options.state.join("corpus/garbage")).len(), 20);
}

#[tokio::test]
async fn without_coverage_nothing_is_chosen() {
    let (_dir, options) = place("blind", &[b"a", b"b"]);
    let (ended, _) = minimized(&options, None).await;
    assert!(matches!(ended.unwrap_err(), RunError::NotInstrumented { .. }));
}

#[tokio::test]
async fn a_state_in_use_is_refused_and_a_stop_ends_it_at_once() {
    let (_dir, options) = place("hang_if_mutated", &[MUTATED, b"a", b"b"]);
    let held = Store::open(&options.state).unwrap();
    let (ended, _) = minimized(&options, None).await;
    assert!(matches!(ended.unwrap_err(), RunError::Store(StoreError::Locked { .. })));
    drop(held);
    let slow = RunOptions { input_timeout: Duration::from_secs(600), ..options.clone() };
    let (news, mut told) = mpsc::channel(8);
    let (stop, stops) = mpsc::channel(1);
    let work = minimize_corpora(slow, None, news, stops);
    let stopping = async {
        while !matches!(told.recv().await, Some(CminNews::Measuring { .. })) {}
        stop.send(StopRequest::Graceful).await.unwrap();
    };
    let both = async { tokio::join!(work, stopping) };
    let (ended, ()) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("in time");
    assert!(matches!(ended.unwrap_err(), RunError::StoppedEarly(StopRequest::Graceful)));
    assert_eq!(contents(&options.state.join("corpus/hang_if_mutated")).len(), 3);
}

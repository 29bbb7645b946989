//! Replays with the scripted worker.

use super::*;
use crate::scripted_worker::{MUTATED, target};
use fuzzd_core::signature::FailureKind;

const LIMITS: ReplayLimits =
    ReplayLimits { input_timeout: Duration::from_millis(500), rss_limit_bytes: 0 };

async fn verdicts(script: &str, inputs: &[&[u8]]) -> Vec<ReplayVerdict> {
    let inputs = inputs.iter().enumerate().map(|(index, bytes)| ReplayInput {
        path: index.to_string().into(),
        bytes: bytes.to_vec(),
    });
    let (results, mut receiver) = mpsc::channel(1);
    let target = target(script);
    let replayed = replay(&target, inputs.collect(), LIMITS, results);
    let collected = async {
        let mut verdicts = Vec::new();
        while let Some(result) = receiver.recv().await {
            assert_eq!(result.path, PathBuf::from(verdicts.len().to_string()));
            verdicts.push(result.verdict);
        }
        verdicts
    };
    let both = async { tokio::join!(replayed, collected) };
    let both = tokio::time::timeout(Duration::from_secs(60), both).await;
    let (replayed, verdicts) = both.expect("in time");
    replayed.unwrap();
    verdicts
}

fn kind(verdict: &ReplayVerdict) -> Option<FailureKind> {
    match verdict {
        ReplayVerdict::Failed(failure) => Some(failure.kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_death_does_not_keep_the_next_input_from_its_verdict() {
    let verdicts = verdicts("abort_if_mutated", &[b"a", MUTATED, b"", MUTATED]).await;
    assert_eq!((&verdicts[0], &verdicts[2]), (&ReplayVerdict::Passed, &ReplayVerdict::Passed));
    assert_eq!(kind(&verdicts[1]), Some(FailureKind::Abort));
    assert_eq!(kind(&verdicts[3]), Some(FailureKind::Abort));
}

#[tokio::test]
async fn hangs_errors_and_rejections_are_told_apart() {
    let hung = verdicts("hang_if_mutated", &[MUTATED, b"a"]).await;
    assert_eq!((kind(&hung[0]), &hung[1]), (Some(FailureKind::Timeout), &ReplayVerdict::Passed));
    let stopped = verdicts("sigstop", &[b"a"]).await;
    assert_eq!(kind(&stopped[0]), Some(FailureKind::ForeignSignal(19)), "somebody else's doing");
    let failed = verdicts("err", &[b"a", b"b"]).await;
    assert_eq!(failed.iter().map(kind).collect::<Vec<_>>(), [Some(FailureKind::Error); 2]);
    assert_eq!(verdicts("rejects", &[b"a"]).await, [ReplayVerdict::Rejected]);
}

#[tokio::test]
async fn files_that_are_no_input_and_workers_that_misbehave_blame_nobody() {
    let wrong = b"go test fuzz v1\nint(1)\nint(2)\n";
    let verdicts_of_files = verdicts("good", &[wrong, b"a"]).await;
    assert!(matches!(verdicts_of_files[0], ReplayVerdict::Unreadable(_)), "{verdicts_of_files:?}");
    assert_eq!(verdicts_of_files[1], ReplayVerdict::Passed);
    let garbage = verdicts("garbage", &[b"a"]).await;
    assert!(matches!(garbage[0], ReplayVerdict::NotRun(_)), "{garbage:?}");
}

#[tokio::test]
async fn a_worker_that_does_not_start_is_an_error() {
    let (results, _receiver) = mpsc::channel(1);
    let error = replay(&target("dies_before_ping"), Vec::new(), LIMITS, results).await;
    assert!(error.unwrap_err().to_string().contains("libmissing.so"));
}

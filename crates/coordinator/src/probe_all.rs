//! Probing all targets of a run, a few at a time.
//!
//! Owns what becomes of a target that does not come up: it is given up, and the others are fuzzed.
//! Only if none is left, or if one was asked for that no fuzzd could ever work with, is there no
//! run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::build_id::Build;
use crate::error::{ProbeError, RunError};
use crate::limits::PROBES_AT_ONCE;
use crate::options::TargetSpec;
use crate::probe::{TargetInfo, build_of, probe_build};

/// What came of the targets, in their order.
#[derive(Debug)]
pub(crate) struct Probes {
    /// What each said of itself; nothing if it did not come up.
    pub(crate) infos: Vec<TargetInfo>,
    /// The executables that were probed.
    pub(crate) builds: Vec<Option<Arc<Build>>>,
    /// Why a target did not come up.
    pub(crate) failed: Vec<Option<String>>,
    /// Which of them skip themselves: that is no failure.
    pub(crate) skipped: Vec<bool>,
}

type Probed = Result<(TargetInfo, Arc<Build>), ProbeError>;

/// Asks each of `targets` what it is, a few at a time; the answers in their order. As in a run,
/// seeds larger than `input_bytes_max` are left out.
pub async fn probe_each(
    targets: &[TargetSpec],
    input_bytes_max: usize,
) -> Vec<Result<TargetInfo, ProbeError>> {
    let probed = probe_builds(targets, input_bytes_max).await;
    probed.into_iter().map(|probed| probed.map(|(info, _build)| info)).collect()
}

/// Probes all targets.
pub(crate) async fn probe_all(
    targets: &[TargetSpec],
    input_bytes_max: usize,
) -> Result<Probes, RunError> {
    judge(probe_builds(targets, input_bytes_max).await)
}

async fn probe_builds(targets: &[TargetSpec], input_bytes_max: usize) -> Vec<Probed> {
    let mut probed: Vec<Option<Probed>> = targets.iter().map(|_| None).collect();
    // Many fuzz tests share one executable.
    let mut builds: BTreeMap<PathBuf, Arc<Build>> = BTreeMap::new();
    let mut waiting = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if !builds.contains_key(&target.program) {
            match build_of(target.program.clone()).await {
                Ok(build) => drop(builds.insert(target.program.clone(), build)),
                Err(error) => {
                    probed[index] = Some(Err(error));
                    continue;
                }
            }
        }
        waiting.push((index, target.clone(), builds[&target.program].clone()));
    }
    let mut waiting = waiting.into_iter();
    let mut probes = JoinSet::new();
    loop {
        while probes.len() < PROBES_AT_ONCE
            && let Some((index, target, build)) = waiting.next()
        {
            probes.spawn(async move {
                let info = probe_build(&target, build.clone(), input_bytes_max).await;
                (index, info.map(|info| (info, build)))
            });
        }
        match probes.join_next().await {
            None => break,
            Some(Ok((index, result))) => probed[index] = Some(result),
            // Its place stays empty.
            Some(Err(error)) => tracing::error!(%error, "a probe failed"),
        }
    }
    let probed = probed.into_iter().zip(targets).map(|(result, target)| {
        let reason = "its probe failed (a fault of fuzzd)".to_owned();
        let name = target.name.clone();
        result.unwrap_or(Err(ProbeError::Failed { name, reason }))
    });
    probed.collect()
}

fn judge(probed: Vec<Probed>) -> Result<Probes, RunError> {
    let is_any_up = probed.iter().any(Result::is_ok);
    let mut probes =
        Probes { infos: Vec::new(), builds: Vec::new(), failed: Vec::new(), skipped: Vec::new() };
    for result in probed {
        probes.skipped.push(matches!(result, Err(ProbeError::Skipped { .. })));
        let (info, build, failed) = match result {
            Ok((info, build)) => (info, Some(build), None),
            Err(error) => {
                let reason = error.to_string();
                let error = RunError::from(error);
                if error.is_usage() || !is_any_up {
                    return Err(error);
                }
                (TargetInfo::unknown(), None, Some(reason))
            }
        };
        probes.infos.push(info);
        probes.builds.push(build);
        probes.failed.push(failed);
    }
    Ok(probes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::PingError;

    fn up() -> Probed {
        let build = Build::of(&std::env::current_exe().unwrap()).unwrap();
        Ok((TargetInfo { counters: 7, ..TargetInfo::unknown() }, Arc::new(build)))
    }

    fn down() -> Probed {
        Err(ProbeError::Failed { name: "parse".into(), reason: "no library".into() })
    }

    #[test]
    fn a_target_that_does_not_come_up_leaves_the_others_in_their_places() {
        let probes = judge(vec![down(), up()]).unwrap();
        assert_eq!(probes.infos[1].counters, 7);
        assert!(probes.builds[0].is_none() && probes.builds[1].is_some());
        assert!(probes.failed[0].as_ref().unwrap().contains("no library"));
        assert!(probes.failed[1].is_none());
    }

    #[test]
    fn there_is_no_run_without_any_target_or_with_one_that_cannot_be_meant() {
        let error = judge(vec![down(), down()]).unwrap_err();
        assert!(!error.is_usage() && error.to_string().contains("no library"), "{error}");
        let source = PingError::GoDialect;
        let go = Err(ProbeError::Ping { name: "parse".into(), source });
        assert!(judge(vec![up(), go]).unwrap_err().is_usage());
    }
}

//! A smaller input for a failure that ends the process, by candidates in processes of their own.
//!
//! Owns the search. Native workers fork; a Go process cannot, so each candidate is run by another
//! worker of the same test binary, which is replaced when it dies of it. The worker of the slot
//! waits meanwhile. Bounded by the executions and the time of the call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::ids::Input;
use fuzzd_core::session::{Outcome, Reply};
use fuzzd_core::signature::Signature;
use fuzzd_go::reduce::{Effort, Reducer};
use fuzzd_protocol::input::{to_memory, to_values};

use crate::limits::FORK_TIMEOUT_MAX;
use crate::worker::run_one::{Ran, RunOne};
use crate::worker::target::{WorkerSettings, WorkerTarget};

/// Searches to the end. Dropping the future ends the process.
pub(in super::super) async fn search(
    mut settings: WorkerSettings,
    target: Arc<WorkerTarget>,
    input: Input,
    signature: Signature,
    limits: (u64, Option<Duration>),
) -> Reply {
    let (execs_max, time_max) = limits;
    let begun = Instant::now();
    let watch = &mut settings.limits;
    watch.input_timeout = watch.input_timeout.min(FORK_TIMEOUT_MAX);
    let types = target.types.clone();
    let mut reducer = Reducer::new(to_values(&types, &input), Effort::Full);
    let mut runner = RunOne::start(settings, target);
    let mut execs = 0;
    while execs < execs_max
        && time_max.is_none_or(|time| begun.elapsed() < time)
        && let Some(candidate) = reducer.propose()
    {
        execs += 1;
        let held = match runner.run(to_memory(&types, candidate).into()).await {
            Ran::Failed(failure) => failure.signature() == signature,
            Ran::Passed { .. } | Ran::Rejected => false,
            // The machine is in trouble: what was found so far counts.
            Ran::Not(_) => break,
        };
        reducer.judge(held);
    }
    let smallest = to_memory(&types, reducer.best());
    runner.close().await;
    let outcome = Outcome::Minimized { input: smallest.into(), coverage: Vec::new() };
    let (ignored, plan, unlooked) = (Vec::new(), Vec::new(), Vec::new());
    let elapsed = begun.elapsed();
    Reply { execs: 0, execs_other: execs, elapsed, ignored, plan, unlooked, outcome }
}

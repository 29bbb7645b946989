//! The decision core under a seeded simulation: fake workers, a fake disk, a fake clock, and every
//! fault there is, each switched on or off by the seed.
//!
//! `FUZZD_SIM_SEEDS=100000 cargo test -p fuzzd-core --test simulation` runs more seeds,
//! `FUZZD_SIM_SEED=17 cargo test ...` runs one.

mod bits;
mod calls;
mod dice;
mod disk;
mod faults;
mod oracle;
mod plan;
mod process;
mod regressions;
mod seen;
mod target;
mod trace;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::plan::Plan;
use crate::seen::Seen;
use crate::trace::Trace;
use crate::world::World;

/// Seeds of an ordinary test run.
const SEEDS: u64 = 2_000;
/// One seed in this many is run twice and compared with itself.
const COMPARED_EVERY: u64 = 50;
/// Lines of the log shown for a failing seed.
const TAIL: usize = 40;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// Failing seeds named beside the first.
const HEADINGS: usize = 40;

/// Runs one seed; a violation is an error with everything needed to look into it.
fn run_seed(seed: u64) -> Result<Seen, String> {
    let run =
        |trace: Trace| catch_unwind(AssertUnwindSafe(|| World::new(Plan::new(seed), trace).run()));
    if let Ok(seen) = run(Trace::off()) {
        return Ok(seen);
    }
    // The same run again, this time with its log.
    let trace = Trace::on();
    let panic = run(trace.clone()).expect_err("a run repeats");
    let message = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default();
    let plan = Plan::new(seed);
    let config = fuzzd_core::session::SessionConfig { tests: Vec::new(), ..plan.config };
    Err(format!(
        "seed {seed}: {message}\n{config:?}\n{:?}\n{:?}\n{:?}\nlast lines:\n{}\nreproduce: \
         FUZZD_SIM_SEED={seed} cargo test -p fuzzd-core --test simulation",
        plan.faults,
        plan.disk,
        plan.signals,
        trace.tail(TAIL),
    ))
}

#[test]
fn every_promise_holds_under_every_seed() {
    let only = number_from("FUZZD_SIM_SEED");
    let count = number_from("FUZZD_SIM_SEEDS").unwrap_or(SEEDS);
    let seeds = only.map_or(0..count, |seed| seed..seed + 1);
    let mut seen = Seen::default();
    let mut violations = Vec::new();
    for seed in seeds {
        match run_seed(seed) {
            Ok(one) => seen.add(&one),
            Err(violation) => violations.push(violation),
        }
    }
    if let Some(first) = violations.first() {
        let headings: Vec<&str> =
            violations.iter().take(HEADINGS).filter_map(|text| text.lines().next()).collect();
        panic!("{first}\n{} seeds fail:\n{}", violations.len(), headings.join("\n"));
    }
    if only.is_none() && count >= SEEDS {
        let met = |name: &&&str| !seen.0.contains_key(**name);
        let missing: Vec<&&str> = seen::EVERYTHING.iter().filter(met).collect();
        assert!(missing.is_empty(), "no seed met {missing:?}; met were {:?}", seen.0);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in (0..SEEDS).step_by(usize::try_from(COMPARED_EVERY).expect("small")) {
        let log = |_| {
            let trace = Trace::on();
            World::new(Plan::new(seed), trace.clone()).run();
            trace.whole()
        };
        let [first, second] = [0, 1].map(log);
        assert!(first == second, "seed {seed}: two runs differ");
    }
}

#[test]
fn a_run_paced_by_executions_does_not_depend_on_the_disk() {
    for seed in 0..60 {
        let calls = |delay_ms_max| {
            let trace = Trace::on();
            World::new(Plan::repeatable(seed, delay_ms_max), trace.clone()).run();
            trace.calls()
        };
        let [fast, slow] = [0, 300].map(calls);
        let same = fast.iter().zip(&slow).take_while(|(one, two)| one == two).count();
        assert!(
            fast == slow,
            "seed {seed}: call {same} differs\n{:?}\n{:?}",
            fast.get(same),
            slow.get(same),
        );
    }
}

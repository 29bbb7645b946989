//! What one seed decides: the session's options, its targets, and everything that will go wrong.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use fuzzd_core::ids::Input;
use fuzzd_core::session::{
    LoadedBug, LoadedEntry, Origin, Pace, SessionConfig, StopRequest, TestConfig,
};
use fuzzd_core::signature::{FailureKind, Signature};

use crate::dice::Dice;
use crate::faults::{Faults, NO_FAULTS};
use crate::target::{Ran, Starts, Target, random_input};

/// How the disk behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct DiskPlan {
    pub(crate) delay_ms_max: u64,
    /// From when to when every write is refused.
    pub(crate) refuses: Option<(Duration, Duration)>,
    /// From when to when verdicts alone are refused (a testdata directory that is read-only).
    pub(crate) refuses_verdicts: Option<(Duration, Duration)>,
    /// From when on nothing is answered any more.
    pub(crate) silent_from: Option<Duration>,
}

impl DiskPlan {
    /// Whether some write will never be done.
    pub(crate) fn is_hopeless(&self) -> bool {
        let never_ends = |span: Option<(Duration, Duration)>| {
            span.is_some_and(|(_, until)| until == Duration::MAX)
        };
        self.silent_from.is_some() || never_ends(self.refuses) || never_ends(self.refuses_verdicts)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) config: SessionConfig,
    pub(crate) targets: Vec<Target>,
    pub(crate) faults: Faults,
    /// When the safety phase ends: from here on no fault is injected, and the run must end.
    pub(crate) faults_end: Duration,
    pub(crate) disk: DiskPlan,
    pub(crate) signals: Vec<(Duration, StopRequest)>,
    /// Jumps of the clock, forward: when, and by how much.
    pub(crate) jumps: Vec<(Duration, Duration)>,
    /// Where the clock of the shell starts to count.
    pub(crate) clock_start: Duration,
    pub(crate) hang_time: Duration,
    /// How many of the processes take plans, in percent.
    pub(crate) plans_percent: u64,
    /// Candidates of a search that have time in one call.
    pub(crate) search_execs_max: u64,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed ^ 0x005e_ed0f_5e55_1017);
        let targets: Vec<Target> =
            (0..dice.pick(&[1, 1, 1, 2, 2, 3, 4])).map(|_| Target::new(dice)).collect();
        let tests = targets.iter().enumerate().map(|(n, target)| load(n, target, dice)).collect();
        let (execs_max, time_max) = budgets(dice);
        let config = SessionConfig {
            seed: dice.next(),
            pace: if dice.percent(30) { Pace::Executions } else { Pace::Clock },
            workers: dice.pick(&[1, 1, 2, 2, 3, 4, 8]),
            execs_max,
            time_max,
            fail_fast: dice.percent(20),
            minimize: dice.percent(80),
            minimize_timeouts: seed.is_multiple_of(2),
            tests,
        };
        let disk = disk(dice);
        let signals = signals(dice, &config, &disk);
        let mut jumps = Vec::new();
        if dice.percent(15) {
            let by = dice.pick(&[300, 20_000, 3_600_000]);
            jumps.push((millis(dice.range(1, 4_000)), millis(by)));
        }
        Self {
            seed,
            config,
            targets,
            faults: Faults::swarm(dice),
            faults_end: millis(dice.range(200, 4_000)),
            disk,
            signals,
            jumps,
            clock_start: if dice.percent(50) {
                Duration::ZERO
            } else {
                millis(dice.below(1 << 40))
            },
            hang_time: millis(dice.pick(&[300, 1_000])),
            plans_percent: dice.pick(&[0, 50, 100, 100]),
            search_execs_max: dice.pick(&[1, 2, 2, 5, 1_000]),
        }
    }

    /// One worker, no fault, paced by executions: the run must repeat whatever the disk does.
    pub(crate) fn repeatable(seed: u64, disk_delay_ms_max: u64) -> Self {
        let mut plan = Self::new(seed);
        for target in &mut plan.targets {
            target.starts = Starts::Well;
        }
        plan.config.pace = Pace::Executions;
        plan.config.workers = 1;
        plan.config.execs_max = Some(Dice::new(seed).range(1_000, 100_000));
        plan.config.time_max = None;
        plan.faults = NO_FAULTS;
        plan.disk = DiskPlan { delay_ms_max: disk_delay_ms_max, ..DiskPlan::default() };
        plan.signals.clear();
        plan.jumps.clear();
        plan
    }
}

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn budgets(dice: &mut Dice) -> (Option<u64>, Option<Duration>) {
    let execs = dice.pick(&[1, 300, 2_000, 20_000, 60_000]);
    let execs = dice.range(execs / 2 + 1, execs + 1);
    let time = millis(dice.range(1, 4_000));
    match dice.below(4) {
        0 => (Some(execs), None),
        1 => (None, Some(time)),
        2 => (Some(execs), Some(time)),
        _ => (None, None),
    }
}

fn disk(dice: &mut Dice) -> DiskPlan {
    let mut plan = DiskPlan { delay_ms_max: dice.pick(&[0, 5, 50, 400]), ..DiskPlan::default() };
    let from = millis(dice.below(3_000));
    let until = match dice.below(3) {
        0 => Duration::MAX,
        _ => from + millis(dice.range(100, 6_000)),
    };
    match dice.below(100) {
        0..=14 => plan.refuses = Some((from, until)),
        15..=22 => plan.refuses_verdicts = Some((from, until)),
        23..=26 => plan.silent_from = Some(from),
        _ => {}
    }
    plan
}

fn signals(
    dice: &mut Dice,
    config: &SessionConfig,
    disk: &DiskPlan,
) -> Vec<(Duration, StopRequest)> {
    let has_budget = config.execs_max.is_some() || config.time_max.is_some();
    if has_budget && !disk.is_hopeless() && dice.percent(60) {
        return Vec::new();
    }
    let at = dice.below(6_000);
    let kill_at = millis(at + dice.pick(&[0, 1, 20, 500, 2_000]));
    match dice.below(10) {
        0 => vec![(millis(at), StopRequest::Immediate)],
        1..=3 => vec![(millis(at), StopRequest::Graceful), (kill_at, StopRequest::Immediate)],
        4 => vec![(millis(at), StopRequest::Graceful), (kill_at, StopRequest::Graceful)],
        _ => vec![(millis(at), StopRequest::Graceful)],
    }
}

fn load(number: usize, target: &Target, dice: &mut Dice) -> TestConfig {
    let mut entries = Vec::new();
    let mut taken = BTreeSet::new();
    let is_measured = dice.percent(40);
    for file in 0..dice.below(7) {
        let input = random_input(dice);
        if !taken.insert(input.clone()) {
            continue;
        }
        let path = PathBuf::from(format!("{number}/{file}"));
        let origin = dice.pick(&[
            Origin::Seed,
            Origin::SeedFile(path.clone()),
            Origin::Testdata(path),
            Origin::Corpus,
            Origin::Corpus,
        ]);
        let coverage = match target.run(&input, u64::MAX) {
            Ran::Passed(coverage) if is_measured => Some(coverage),
            Ran::Passed(_) | Ran::Rejected | Ran::Failed(_) => None,
        };
        // A fully measured corpus is what every second start with one build looks like.
        if coverage.is_some() || !is_measured || dice.percent(30) {
            entries.push(LoadedEntry { input, origin, coverage });
        }
    }
    TestConfig {
        name: format!("test_{number}"),
        counters: target.counters,
        functions: functions(target.counters, dice.below(4)),
        entries,
        bugs: load_bugs(target, dice),
        execs_before: dice.below(1_000),
        given_up: None,
        is_skipped: false,
    }
}

/// Where functions begin, for one of four tests nowhere.
fn functions(counters: usize, blocks: u64) -> Vec<u32> {
    let step = usize::try_from(blocks).expect("few");
    let all = (0..counters).filter(|counter| step > 0 && counter.is_multiple_of(step));
    all.map(|counter| u32::try_from(counter).expect("few counters")).collect()
}

fn load_bugs(target: &Target, dice: &mut Dice) -> Vec<LoadedBug> {
    let mut bugs: Vec<LoadedBug> = Vec::new();
    let mut signatures = BTreeSet::new();
    for number in 0..dice.below(4) {
        let mut bytes = random_input(dice).to_vec();
        let (signature, kind) = match target.rules.get(dice.index(4)) {
            Some(rule) => {
                if dice.percent(80) {
                    bytes.push(rule.trigger);
                }
                (rule.failure.signature(), rule.failure.kind)
            }
            None => (Signature(number), FailureKind::Panic),
        };
        if !signatures.insert(signature) {
            continue;
        }
        let mut input = Input::from(bytes);
        if let Some(other) = bugs.first()
            && dice.percent(20)
        {
            input = other.input.clone();
        }
        bugs.push(LoadedBug {
            is_doubtful: false,
            signature,
            kind,
            message: "from before".into(),
            input,
            path: dice.percent(50).then(|| PathBuf::from(format!("bug-{number}"))),
            reproduced: 2,
            runs: 3,
            is_pending: dice.percent(30),
        });
    }
    bugs
}

//! Fuzz calls of workers with plans and without: what they name, take and cost.

use std::time::Duration;

use fuzzd_core::ids::{Input, TestIndex};
use fuzzd_core::schedule::Profile;
use fuzzd_core::session::{
    FinishReason, FoundParent, Origin, Outcome, Pace, PlanItem, PlanUse, SessionConfig, TestConfig,
    Work,
};

use crate::found::{found, with_plans};
use crate::script::{Stage, config, entry, find, test};

fn many() -> SessionConfig {
    let measured =
        (0..40u8).map(|n| entry(&[n], Origin::Corpus, Some(vec![(u32::from(n) % 16, 1)])));
    SessionConfig {
        minimize: false,
        tests: vec![TestConfig { entries: measured.collect(), ..test() }],
        ..config()
    }
}

fn plan(stage: &Stage, worker: usize) -> &[PlanItem] {
    match stage.work(worker) {
        Work::Fuzz { plan, .. } => plan,
        other => panic!("a Fuzz call is due: {other:?}"),
    }
}

fn time_max(stage: &Stage) -> Duration {
    match stage.work(0) {
        Work::Fuzz { time_max: Some(time), .. } => *time,
        other => panic!("a Fuzz call with a time is due: {other:?}"),
    }
}

#[test]
fn a_plan_names_entries_that_were_shown_and_the_input_is_the_first() {
    let mut stage = with_plans(many());
    for _ in 0..30 {
        let shown: &[Input] = &stage.published[&TestIndex(0)];
        let plan = plan(&stage, 0);
        assert!(plan.len() > 1 && plan.iter().all(|item| item.weight > 0));
        assert!(plan.iter().all(|item| (item.entry as usize) < shown.len()));
        assert_eq!(stage.call(0).input, shown[plan[0].entry as usize]);
        stage.reply(0, Outcome::Nothing);
    }
}

#[test]
fn the_calls_of_one_worker_go_through_all_profiles_and_several_workers_spread() {
    let profile = |stage: &Stage, worker| match stage.work(worker) {
        Work::Fuzz { profile, .. } => *profile,
        other => panic!("a Fuzz call is due: {other:?}"),
    };
    let all = [Profile::Default, Profile::Compare, Profile::Structure, Profile::Wild];
    let mut stage = with_plans(many());
    let mut met = Vec::new();
    for _ in 0..8 {
        met.push(profile(&stage, 0));
        stage.reply(0, Outcome::Nothing);
    }
    assert!(all.iter().all(|profile| met.contains(profile)), "{met:?}");
    let stage = with_plans(SessionConfig { workers: 4, ..many() });
    assert_eq!([0, 1, 2, 3].map(|worker| profile(&stage, worker)), all);
}

#[test]
fn every_entry_with_gain_is_looked_at_once_first() {
    let mut stage = with_plans(many());
    let mut new = Vec::new();
    for _ in 0..10 {
        new.extend(plan(&stage, 0).iter().filter(|item| item.is_new).map(|item| item.entry));
        stage.reply(0, Outcome::Nothing);
    }
    assert_eq!(new, (0..16).collect::<Vec<u32>>());
}

#[test]
fn workers_without_plans_get_one_entry_for_a_fixed_time() {
    let mut stage = Stage::start(many());
    for turn in 0..10u8 {
        let shown: &[Input] = &stage.published[&TestIndex(0)];
        let [item] = plan(&stage, 0) else { panic!("one item is due") };
        assert_eq!(stage.call(0).input, shown[item.entry as usize]);
        assert_eq!(time_max(&stage), Duration::from_millis(100));
        assert!(matches!(stage.work(0), Work::Fuzz { len_max: None, .. }));
        stage.reply(
            0,
            if turn < 5 { find(&[turn, 1], &[(turn.into(), 2)]) } else { Outcome::Nothing },
        );
    }
    assert_eq!(stage.entries().len(), 5);
}

#[test]
fn dry_calls_get_longer_and_calls_with_finds_shorter() {
    let mut stage = with_plans(many());
    let mut times = Vec::new();
    for turn in 0..8u8 {
        times.push(time_max(&stage).as_millis());
        if turn >= 4 {
            stage.tell(0, found(&[turn, 1], &[(turn.into(), 2)], FoundParent::Plan(0)));
        }
        stage.reply(0, Outcome::Nothing);
    }
    assert_eq!(times, [40, 80, 160, 250, 250, 125, 62, 31]);
}

#[test]
fn the_budget_is_exact_whatever_a_worker_says_of_its_plan() {
    let config = SessionConfig { execs_max: Some(5_000), pace: Pace::Executions, ..many() };
    let mut stage = with_plans(config);
    let mut turn = 0u8;
    while !stage.is_finished {
        turn += 1;
        if turn < 100 {
            stage.tell(0, found(&[turn, 1], &[(u32::from(turn) % 16, turn)], FoundParent::Plan(0)));
        }
        let lie = PlanUse { execs: u64::MAX, elapsed: Duration::MAX };
        stage.uses = vec![lie; plan(&stage, 0).len()];
        stage.reply_after(0, 100, Duration::from_millis(1), Outcome::Nothing);
    }
    assert_eq!(stage.summary().status.execs, 5_000);
    assert_eq!(stage.summary().reason, FinishReason::ExecsReached);
}

#[test]
fn paced_by_executions_no_time_a_worker_tells_changes_a_plan() {
    let run = |micros: u64| {
        let mut stage = with_plans(SessionConfig { pace: Pace::Executions, ..many() });
        let mut calls = Vec::new();
        for turn in 0..60u8 {
            calls.push(format!("{:?}", stage.call(0)));
            let items = plan(&stage, 0).len();
            let elapsed = Duration::from_micros(micros * u64::from(turn));
            stage.uses = vec![PlanUse { execs: 300, elapsed }; items];
            let mut told = found(&[turn, 1], &[(u32::from(turn) % 16, turn)], FoundParent::Plan(0));
            told.exec_time = elapsed;
            stage.tell(0, told);
            stage.reply_after(0, 20_000, elapsed, Outcome::Nothing);
        }
        calls
    };
    assert_eq!(run(1), run(7_000));
}

#[test]
fn a_find_that_its_worker_did_not_look_at_is_new_to_every_worker_until_one_has_looked() {
    let mut stage = with_plans(SessionConfig { workers: 2, ..config() });
    let is_new = |stage: &Stage, worker, entry| {
        plan(stage, worker).iter().any(|item| item.entry == entry && item.is_new)
    };
    let visited = PlanUse { execs: 1, elapsed: Duration::from_nanos(1) };
    stage.tell(0, found(b"looked at", &[(3, 1)], FoundParent::Plan(0)));
    stage.tell(0, found(b"known", &[(3, 1)], FoundParent::Plan(0)));
    stage.tell(0, found(b"left", &[(4, 1)], FoundParent::Found(0)));
    // The second of the finds is no entry, and a fourth there is not.
    stage.unlooked = vec![1, 2, 3, usize::MAX];
    stage.reply(0, Outcome::Nothing);
    stage.reply(1, Outcome::Nothing);
    assert!([0, 1].iter().all(|&worker| is_new(&stage, worker, 2)), "nobody looked");
    assert!([0, 1].iter().all(|&worker| !is_new(&stage, worker, 1)), "its worker did");
    // It came to no item of its plan.
    stage.uses = vec![PlanUse::default(); plan(&stage, 1).len()];
    stage.reply(1, Outcome::Nothing);
    assert!(is_new(&stage, 1, 2), "still");
    stage.uses = vec![visited; plan(&stage, 1).len()];
    stage.reply(1, Outcome::Nothing);
    assert!(!is_new(&stage, 1, 2), "now somebody has");
    stage.reply(0, Outcome::Nothing);
    assert!(!is_new(&stage, 0, 2), "and that is enough");
}

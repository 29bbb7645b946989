//! Finds told while a call goes on: each is kept once, at once, and whatever happens to its worker.

use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Epoch, Input, TestIndex};
use fuzzd_core::session::{
    Found, FoundParent, Outcome, PlanUse, Record, Report, SessionConfig, StopRequest, TestConfig,
    Work,
};
use fuzzd_core::signature::FailureKind;

use crate::script::{DiskMode, Stage, config, entry, failed, failure, find, panic_at, test};

pub(crate) fn found(input: &[u8], coverage: &[Feature], parent: FoundParent) -> Found {
    Found {
        input: input.into(),
        coverage: coverage.to_vec(),
        parent,
        exec_time: Duration::from_micros(1),
        replaces_parent: false,
    }
}

const ENTRY: FoundParent = FoundParent::Plan(0);

pub(crate) fn with_plans(config: SessionConfig) -> Stage {
    Stage::start_with(config, |stage| stage.has_plans = true)
}

fn parents(stage: &Stage) -> Vec<EntryId> {
    let parents = stage.stored.iter().filter_map(|record| match record {
        Record::Entry { parent, .. } => *parent,
        _ => None,
    });
    parents.collect()
}

#[test]
fn a_find_is_kept_and_shown_to_all_before_its_call_ends() {
    let mut stage = with_plans(SessionConfig { workers: 2, ..config() });
    stage.tell(0, found(b"one", &[(0, 1), (3, 1)], ENTRY));
    assert_eq!(stage.entries(), [b"one"], "nobody makes it smaller: its worker did");
    assert_eq!(stage.shown, [(0, 1), (3, 1)]);
    let shown: Vec<&[u8]> = stage.published[&TestIndex(0)].iter().map(|input| &**input).collect();
    assert_eq!(shown, [&b"measured"[..], b"one"]);
    assert!(stage.calls.contains_key(&0), "the call goes on");
    stage.reply(1, Outcome::Nothing);
    assert_eq!(stage.call(1).coverage, [(3, 1)]);
}

#[test]
fn a_find_is_told_of_when_it_is_on_disk_not_before() {
    let mut stage = with_plans(config());
    stage.disk = DiskMode::Holds;
    stage.tell(0, found(b"one", &[(3, 1)], ENTRY));
    let told = |stage: &Stage| match stage.reports.last() {
        Some(Report::Status(status)) => (status.corpus, status.edges),
        other => panic!("a status is due: {other:?}"),
    };
    stage.wait(Duration::from_secs(1));
    assert_eq!(told(&stage), (1, 1));
    stage.store_all();
    stage.wait(Duration::from_secs(1));
    assert_eq!(told(&stage), (2, 2));
}

#[test]
fn what_another_worker_brought_first_is_dropped_and_its_children_are_kept() {
    let mut stage = with_plans(SessionConfig { workers: 2, ..config() });
    stage.tell(0, found(b"one", &[(3, 1)], ENTRY));
    stage.tell(1, found(b"two", &[(3, 1)], ENTRY));
    stage.tell(1, found(b"three", &[(4, 1)], FoundParent::Found(0)));
    stage.tell(1, found(b"four", &[(5, 1)], FoundParent::Found(1)));
    assert_eq!(stage.entries(), [&b"one"[..], b"three", b"four"]);
    let measured = EntryId::of(b"measured");
    assert_eq!(parents(&stage), [measured, measured, EntryId::of(b"three")]);
}

#[test]
fn a_worker_that_dies_after_a_find_loses_nothing() {
    let mut stage = with_plans(config());
    stage.tell(0, found(b"one", &[(3, 1)], ENTRY));
    stage.die(0, b"bad", failure(FailureKind::Abort, ""));
    assert_eq!(stage.entries(), [b"one"]);
    assert_eq!(stage.crashes(failure(FailureKind::Abort, "").signature()), [b"bad"]);
    while !matches!(stage.work(0), Work::Fuzz { .. }) {
        stage.die(0, b"bad", failure(FailureKind::Abort, ""));
    }
    let Work::Fuzz { plan, .. } = stage.work(0) else { unreachable!("looked at above") };
    let is_new = |entry| plan.iter().any(|item| item.entry == entry && item.is_new);
    assert!(is_new(1), "whether its worker came to look at it is not known: {plan:?}");
}

#[test]
fn finds_that_come_while_the_session_stops_are_kept() {
    let mut stage = with_plans(config());
    stage.holds_stops = true;
    stage.signal(StopRequest::Graceful);
    stage.give_found(0, Epoch(1), found(b"late", &[(3, 1)], ENTRY));
    stage.give_found(0, Epoch(1), found(b"later", &[(4, 1)], FoundParent::Found(0)));
    stage.end_stops();
    assert_eq!(stage.entries(), [&b"late"[..], b"later"]);
    assert_eq!(stage.summary().status.corpus, 3);
    assert_eq!(parents(&stage)[1], EntryId::of(b"late"));
}

#[test]
fn finds_that_come_after_the_budget_is_used_up_are_kept() {
    let mut stage = with_plans(SessionConfig {
        workers: 2,
        time_max: Some(Duration::from_secs(1)),
        ..config()
    });
    stage.wait(Duration::from_millis(1_500));
    stage.tell(1, found(b"late", &[(3, 1)], ENTRY));
    stage.reply(0, Outcome::Nothing);
    stage.tell(1, found(b"later", &[(4, 1)], ENTRY));
    stage.reply(1, Outcome::Nothing);
    assert_eq!(stage.entries(), [&b"late"[..], b"later"]);
    assert_eq!(stage.summary().status.edges, 3);
}

#[test]
fn what_cannot_be_true_costs_the_worker_its_place_and_not_what_it_told_before() {
    let lies = [
        found(b"lie", &[(99, 1)], ENTRY),
        found(b"lie", &[(4, 1)], FoundParent::Plan(1)),
        found(b"lie", &[(4, 1)], FoundParent::Found(1)),
        found(b"lie", &[(4, 1)], FoundParent::Found(usize::MAX)),
    ];
    for lie in lies {
        let mut stage = with_plans(config());
        stage.holds_stops = true;
        stage.tell(0, found(b"true", &[(3, 1)], ENTRY));
        stage.tell(0, lie);
        assert_eq!(stage.told(), ["lost"]);
        stage.give_found(0, Epoch(1), found(b"more", &[(5, 1)], ENTRY));
        assert_eq!(stage.told(), ["lost"], "once is enough");
        stage.end_stops();
        stage.wait(Duration::from_millis(100));
        assert_eq!(stage.entries(), [b"true"], "nothing is taken after a lie");
        assert_eq!(stage.spawned.len(), 2);
    }
}

#[test]
fn a_worker_without_plans_that_tells_finds_is_replaced() {
    let mut stage = Stage::start(config());
    stage.tell(0, found(b"one", &[(3, 1)], ENTRY));
    assert_eq!(stage.told(), ["lost"]);
    assert!(stage.entries().is_empty());
}

#[test]
fn a_crash_told_by_a_worker_that_lied_is_kept_all_the_same() {
    let mut stage = with_plans(config());
    stage.holds_stops = true;
    stage.tell(0, found(b"lie", &[(99, 1)], ENTRY));
    stage.answer_stopping(0, Epoch(1), failed(b"x", panic_at(1)));
    stage.end_stops();
    assert_eq!(stage.crashes(panic_at(1).signature()), [b"x"]);
}

#[test]
fn an_account_of_another_plan_costs_the_worker_its_place() {
    let mut stage = with_plans(config());
    stage.uses = vec![PlanUse::default(); 2];
    stage.reply(0, Outcome::Nothing);
    assert_eq!(stage.told(), ["lost"]);
}

#[test]
fn a_find_for_which_there_was_no_room_goes_the_old_way() {
    let mut stage = with_plans(config());
    stage.tell(0, found(b"one", &[(3, 1)], ENTRY));
    stage.reply(0, find(b"two", &[(4, 1)]));
    assert!(matches!(stage.work(0), Work::MinimizeFind { keep, .. } if *keep == [(4, 1)]));
}

#[test]
fn a_shorter_input_stands_in_for_its_parent_if_it_has_what_that_was_kept_for() {
    let mut stage = with_plans(config());
    let shorter = |input: &[u8], coverage: &[Feature]| Found {
        replaces_parent: true,
        ..found(input, coverage, ENTRY)
    };
    stage.tell(0, shorter(b"measure", &[(5, 0)]));
    stage.tell(0, shorter(b"longer than that", &[(0, 1)]));
    assert!(stage.entries().is_empty(), "it lost something, or is no shorter");
    stage.tell(0, shorter(b"m", &[(0, 1)]));
    assert_eq!(stage.entries(), [b"m"]);
    stage.tell(0, shorter(b"", &[(0, 1)]));
    assert_eq!(stage.entries(), [b"m"], "once is enough");
    assert_eq!(stage.published[&TestIndex(0)].len(), 2);
}

#[test]
fn in_a_large_corpus_new_classes_of_known_edges_are_merged_and_make_no_entry() {
    let measured =
        (0..70u8).map(|n| entry(&[n], fuzzd_core::session::Origin::Corpus, Some(vec![(0, 1)])));
    let tests = vec![TestConfig { entries: measured.collect(), ..test() }];
    let mut stage = with_plans(SessionConfig { tests, ..config() });
    stage.tell(0, found(b"class", &[(0, 2)], ENTRY));
    assert!(stage.entries().is_empty());
    assert_eq!(stage.shown, [(0, 1), (0, 2)], "nobody brings it again");
    stage.tell(0, found(b"edge", &[(0, 2), (1, 1)], FoundParent::Found(0)));
    assert_eq!(stage.entries(), [b"edge"]);
}

#[test]
fn an_input_that_is_an_entry_already_is_merged_and_not_kept_twice() {
    let mut stage = with_plans(config());
    stage.tell(0, found(b"measured", &[(3, 1)], ENTRY));
    stage.tell(0, found(b"child", &[(4, 1)], FoundParent::Found(0)));
    assert_eq!(stage.entries(), [b"child"]);
    assert_eq!(stage.shown, [(0, 1), (3, 1), (4, 1)]);
    let input: &Input = &stage.published[&TestIndex(0)][1];
    assert_eq!(&**input, b"child");
}

use super::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

pub(super) const NEW: Gain = Gain { edges: 1, features: 1 };

pub(super) fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(7)
}

/// A schedule of entries with an edge of their own each.
pub(super) fn schedule(entries: u32) -> Schedule {
    let mut schedule = Schedule::new(true);
    for number in 0..entries {
        add(&mut schedule, 10, &[(number, 1)], NEW);
    }
    schedule
}

pub(super) fn add(
    schedule: &mut Schedule,
    len: usize,
    coverage: &[Feature],
    gain: Gain,
) -> EntryIndex {
    let exec_time = Duration::from_micros(1);
    schedule.add(&Newcomer { len, coverage, gain, exec_time, is_seen: true });
    EntryIndex::new(schedule.stats.len() - 1).expect("few")
}

/// Picks of each entry in so many plans, the table being built anew before each.
fn picks(schedule: &mut Schedule, plans: u64) -> Vec<u32> {
    let rng = &mut rng();
    let mut picks = vec![0; schedule.stats.len()];
    for _ in 0..plans {
        let at = schedule.built_at.unwrap_or_default() + Duration::from_secs(1);
        for pick in schedule.plan(at, rng) {
            picks[pick.entry.index()] += pick.weight;
        }
    }
    picks
}

pub(super) fn dry() -> Visit {
    Visit { execs: 1_000, elapsed: Duration::from_millis(1), finds: 0.0 }
}

#[test]
fn a_plan_has_64_picks_and_no_entry_twice() {
    let mut schedule = schedule(10);
    let plan = schedule.plan(Duration::ZERO, &mut rng());
    assert_eq!(plan.iter().map(|pick| pick.weight).sum::<u32>(), 64);
    let entries: std::collections::BTreeSet<_> = plan.iter().map(|pick| pick.entry).collect();
    assert_eq!(entries.len(), plan.len());
}

#[test]
fn nothing_comes_of_an_empty_corpus() {
    let mut schedule = Schedule::new(false);
    assert_eq!(schedule.plan(Duration::ZERO, &mut rng()), []);
    assert_eq!(schedule.pick(Duration::ZERO, &mut rng()), None);
}

#[test]
fn entries_without_gain_have_a_small_part_of_the_picks_which_grows_while_nothing_is_found() {
    let mut schedule = Schedule::new(true);
    let dull = add(&mut schedule, 3, &[], Gain::default());
    let one = schedule.pick(Duration::ZERO, &mut rng());
    assert_eq!(one.map(|pick| pick.entry), Some(dull), "there is nothing better");
    add(&mut schedule, 3, &[(0, 1)], NEW);
    for _ in 0..100 {
        add(&mut schedule, 3, &[], Gain::default());
    }
    let share = |schedule: &mut Schedule| {
        let picks = picks(schedule, 200);
        assert!(picks.iter().all(|picks| *picks > 0), "{picks:?}");
        1.0 - f64::from(picks[1]) / f64::from(picks.iter().sum::<u32>())
    };
    let early = share(&mut schedule);
    assert!((early - 0.05).abs() < 0.01, "{early}");
    schedule.book_call(Duration::from_secs(400), false);
    let late = share(&mut schedule);
    assert!((late - 0.35).abs() < 0.02, "{late}");
    schedule.close(2);
    let left = picks(&mut schedule, 200);
    assert!(left[0] > 0 && left[2..].iter().all(|picks| *picks == 0), "{left:?}");
}

#[test]
fn an_entry_that_nobody_looked_at_is_in_the_next_plan_and_marked_once() {
    let mut schedule = schedule(200);
    schedule.plan(Duration::ZERO, &mut rng());
    let newcomer = Newcomer {
        len: 4,
        coverage: &[(500, 1)],
        gain: NEW,
        exec_time: Duration::ZERO,
        is_seen: false,
    };
    schedule.add(&newcomer);
    let new = |schedule: &mut Schedule| {
        let plan = schedule.plan(Duration::ZERO, &mut rng());
        plan.into_iter().filter(|pick| pick.is_new).map(|p| p.entry.index()).collect::<Vec<_>>()
    };
    assert_eq!(new(&mut schedule), [200]);
    assert!(new(&mut schedule).is_empty());
    schedule.unsee(EntryIndex::new(200).expect("few"));
    assert_eq!(new(&mut schedule), [200], "the look was cut off");
}

#[test]
fn a_look_that_is_owed_is_asked_of_few_plans_at_a_time_until_one_has_looked() {
    let mut schedule = schedule(4);
    let owed = EntryIndex::new(2).expect("few");
    let asks = |schedule: &mut Schedule| {
        let plan = schedule.plan(Duration::ZERO, &mut rng());
        assert!(plan.iter().all(|pick| !pick.is_new || pick.entry == owed));
        plan.iter().any(|pick| pick.is_new)
    };
    assert!(!asks(&mut schedule));
    schedule.owe_look(owed);
    let asked = [(); 4].map(|()| asks(&mut schedule));
    assert_eq!(asked, [true, true, false, false]);
    schedule.end_look(owed, false);
    assert!(asks(&mut schedule), "one of them did not come to it");
    schedule.end_look(owed, true);
    assert!(!asks(&mut schedule));
}

#[test]
fn fertile_entries_are_picked_more_often_and_dry_ones_still_sometimes() {
    let mut schedule = schedule(10);
    for _ in 0..30 {
        for number in 0..10 {
            let finds = if number == 3 { 1.0 } else { 0.0 };
            let entry = EntryIndex::new(number).expect("few");
            schedule.book(entry, &Visit { finds, ..dry() });
        }
    }
    let picks = picks(&mut schedule, 200);
    let others = picks.iter().sum::<u32>() - picks[3];
    assert!(picks[3] > others / 2, "{picks:?}");
    assert!(picks.iter().all(|picks| *picks > 0), "{picks:?}");
}

#[test]
fn rare_favoured_quick_and_edge_entries_are_picked_more_often() {
    let mut schedule = Schedule::new(true);
    let class = Gain { edges: 0, features: 1 };
    let common: Vec<Feature> = vec![(0, 1)];
    add(&mut schedule, 10, &common, NEW);
    for _ in 0..20 {
        add(&mut schedule, 20, &common, class);
    }
    let rare = add(&mut schedule, 10, &[(0, 1), (1, 1), (2, 1)], NEW);
    let slow = add(&mut schedule, 10, &[(3, 1), (4, 1)], NEW);
    for number in 0..schedule.stats.len() {
        let elapsed = Duration::from_millis(if number == slow.index() { 50 } else { 1 });
        let entry = EntryIndex::new(number).expect("few");
        schedule.book(entry, &Visit { elapsed, ..dry() });
    }
    let picks = picks(&mut schedule, 200);
    assert!(picks[rare.index()] > picks[1] * 20, "{picks:?}");
    assert!(picks[rare.index()] > picks[slow.index()] * 2, "{picks:?}");
    assert!(picks.iter().all(|picks| *picks > 0), "{picks:?}");
}

#[test]
fn what_was_executed_much_more_than_others_and_finds_nothing_is_left_out() {
    let mut schedule = schedule(100);
    let tried = EntryIndex::new(5).expect("few");
    for number in 0..100 {
        schedule.book(EntryIndex::new(number).expect("few"), &dry());
    }
    for _ in 0..50 {
        schedule.book(tried, &dry());
    }
    schedule.plan(Duration::ZERO, &mut rng());
    assert_eq!(picks(&mut schedule, 100)[5], 0);
    schedule.book(tried, &Visit { finds: 1.0, ..dry() });
    assert!(picks(&mut schedule, 100)[5] > 0, "a find brings it back");
}

#[test]
fn an_entry_that_is_replaced_is_picked_less_than_the_one_in_its_place() {
    let mut schedule = schedule(1);
    let parent = EntryIndex::new(0).expect("few");
    assert!(!schedule.may_replace(parent, 10, &[(0, 1)]), "it is not shorter");
    assert!(!schedule.may_replace(parent, 8, &[(1, 1)]), "it lost a feature");
    assert!(schedule.may_replace(parent, 8, &[(0, 1), (1, 1)]));
    add(&mut schedule, 8, &[(0, 1)], Gain::default());
    schedule.replace(parent);
    assert!(!schedule.may_replace(parent, 1, &[(0, 1)]), "once is enough");
    let picks = picks(&mut schedule, 50);
    assert!(picks[0] > 0 && picks[1] > picks[0] * 10, "{picks:?}");
}

#[test]
fn a_closed_schedule_picks_none_that_come_later() {
    let mut schedule = schedule(3);
    schedule.close(3);
    let late = add(&mut schedule, 1, &[(9, 1)], NEW);
    // Its worker was lost before it looked at it.
    schedule.unsee(late);
    assert_eq!(picks(&mut schedule, 50)[late.index()], 0);
}

#[test]
fn the_same_seed_makes_the_same_plans() {
    let run = || {
        let (mut schedule, rng) = (schedule(300), &mut rng());
        let mut plans = Vec::new();
        for number in 0..50 {
            plans.push(schedule.plan(Duration::from_millis(number * 30), rng));
            schedule.book(plans[plans.len() - 1][0].entry, &dry());
        }
        plans
    };
    assert_eq!(run(), run());
}

#[test]
fn stagnation_lifts_what_weighed_little_and_the_limit_of_length() {
    let mut schedule = schedule(1);
    let class = Gain { edges: 0, features: 1 };
    add(&mut schedule, 20, &[(0, 3)], class);
    let before = picks(&mut schedule, 300)[1];
    let plan = schedule.plan(Duration::ZERO, &mut rng());
    assert_eq!(schedule.len_max(&plan), 64);
    for _ in 0..400 {
        schedule.book_call(Duration::from_secs(1), false);
    }
    assert!(schedule.len_max(&plan) > 1 << 16, "it grew all the while, and was doubled");
    assert!(picks(&mut schedule, 300)[1] > before * 2);
    schedule.book_call(Duration::from_secs(1), true);
    assert_eq!(schedule.stagnation, Stagnation::None);
}

#[test]
fn entries_next_to_code_that_nobody_reached_are_picked_more_until_it_is_reached() {
    let mut schedule = Schedule::new(true).with_functions(40, &[0, 20]);
    let all: Vec<Feature> = (0..20).map(|counter| (counter, 1)).collect();
    schedule.hit(&all);
    add(&mut schedule, 10, &[(5, 1), (6, 1)], NEW);
    schedule.hit(&[(25, 1), (27, 1)]);
    let near = add(&mut schedule, 10, &[(25, 1), (27, 1)], NEW);
    let before = picks(&mut schedule, 300);
    assert!(before[near.index()] * 5 > before[0] * 6, "1.4 times as often: {before:?}");
    let rest: Vec<Feature> = (20..40).map(|counter| (counter, 1)).collect();
    schedule.hit(&rest);
    let after = picks(&mut schedule, 300);
    assert!(after[near.index()] * 8 < after[0] * 9, "{after:?}");
}

use super::*;
use crate::corpus::EntryIndex;
use crate::coverage::{Feature, Gain};
use crate::schedule::cover::EDGES_PER_SLICE;
use crate::schedule::tests::{NEW, add, dry, rng, schedule};
use crate::schedule::{Pick, Visit};

/// Entries of a corpus that is built in four slices.
const ENTRIES: usize = 3 * BLOCK_ENTRIES + 100;

fn large() -> Schedule {
    schedule(u32::try_from(ENTRIES).expect("few"))
}

fn entry(number: usize) -> EntryIndex {
    EntryIndex::new(number).expect("few")
}

fn weighed(schedule: &Schedule) -> Option<usize> {
    match &schedule.building {
        Building::Resting => None,
        Building::Weighing(build) => Some(build.weighed),
    }
}

/// Makes plans until no build goes on, and returns them.
fn finish(schedule: &mut Schedule, at: Duration, rng: &mut impl Rng) -> Vec<Vec<Pick>> {
    let mut plans = vec![schedule.plan(at, rng)];
    while weighed(schedule).is_some() {
        plans.push(schedule.plan(at, rng));
    }
    plans
}

fn picks_of(plan: &[Pick], entry: EntryIndex) -> u32 {
    plan.iter().filter(|pick| pick.entry == entry).map(|pick| pick.weight).sum()
}

#[test]
fn a_corpus_of_one_block_is_built_with_the_plan_that_it_is_due_for() {
    let mut schedule = schedule(u32::try_from(BLOCK_ENTRIES).expect("few"));
    schedule.plan(Duration::ZERO, &mut rng());
    assert_eq!(weighed(&schedule), None);
    assert!(!schedule.table.is_empty() && schedule.recent.is_empty());
}

#[test]
fn no_slice_handles_more_entries_than_its_bound_and_a_build_ends_after_so_many_plans() {
    let (mut schedule, rng) = (large(), &mut rng());
    for (plan, at) in (0..8).zip([0, 0, 0, 0, 99, 99, 99, 99]) {
        let (before, turn) = (weighed(&schedule).unwrap_or(0), schedule.turn);
        schedule.plan(Duration::from_secs(at), rng);
        let is_last = plan % 4 == 3;
        assert_eq!(weighed(&schedule), (!is_last).then_some(before + BLOCK_ENTRIES), "{plan}");
        let looked_up = (schedule.turn + ENTRIES - turn) % ENTRIES;
        assert!(looked_up <= LOOKED_UP_PER_BUILD / 4, "{looked_up}");
    }
}

#[test]
fn a_build_in_slices_draws_as_one_in_one_go_would() {
    let (mut schedule, mut rng) = (large(), rng());
    for number in 0..ENTRIES {
        let finds = if number % 50 == 0 { 1.0 } else { 0.0 };
        for _ in 0..number % 7 {
            schedule.book(entry(number), &Visit { finds, ..dry() });
        }
    }
    schedule.plan(Duration::ZERO, &mut rng.clone());
    let Building::Weighing(build) = &schedule.building else { panic!("it has four slices") };
    let scene = build.scene;
    let own = &mut Xoshiro256PlusPlus::seed_from_u64(rng.next_u64());
    finish(&mut schedule, Duration::ZERO, &mut rng);
    let weights: Vec<f64> = schedule.stats.iter().map(|stats| stats.weight(&scene, own)).collect();
    let mut whole = crate::alias::Alias::default();
    whole.build(&mut weights.clone());
    // Groups of those that weigh much and little, of each block.
    let group = |number: usize| {
        let rank = weights[number].log2().clamp(-2.0, 5.0) + 2.0;
        number / BLOCK_ENTRIES * 8 + (0..8).filter(|step| rank >= f64::from(*step)).count() - 1
    };
    let (mut sliced, mut at_once) = ([0.0f64; 32], [0.0f64; 32]);
    for _ in 0..400_000 {
        let pick = schedule.table.pick(&mut rng).expect("not empty");
        sliced[group(pick.index())] += 1.0;
        at_once[group(whole.pick(&mut rng).expect("not empty") as usize)] += 1.0;
    }
    assert!(at_once.iter().filter(|picks| **picks > 1_000.0).count() > 10, "{at_once:?}");
    for (sliced, at_once) in sliced.iter().zip(at_once) {
        let spread = 5.0 * (2.0 * at_once.max(10.0)).sqrt();
        assert!((sliced - at_once).abs() < spread, "{sliced} {at_once}");
    }
}

#[test]
fn a_find_that_comes_during_a_build_is_picked_at_once_and_not_lost_when_it_ends() {
    let (mut schedule, rng) = (large(), &mut rng());
    finish(&mut schedule, Duration::ZERO, rng);
    let at = Duration::from_secs(99);
    schedule.plan(at, rng);
    let find = add(&mut schedule, 4, &[(900_000, 1)], NEW);
    for plan in finish(&mut schedule, at, rng) {
        assert!(picks_of(&plan, find) > 0, "a quarter of 64 picks is of what is new");
    }
    assert!(picks_of(&schedule.plan(at, rng), find) > 0, "it is in no table yet");
    finish(&mut schedule, at * 2, rng);
    assert!(schedule.recent.is_empty(), "it is in the table now");
    let is_picked = (0..1_000_000).any(|_| schedule.table.pick(rng) == Some(find));
    assert!(is_picked);
}

#[test]
fn picks_go_on_from_the_old_table_until_the_new_one_is_whole() {
    let (mut schedule, rng) = (large(), &mut rng());
    let fertile = entry(BLOCK_ENTRIES + 7);
    finish(&mut schedule, Duration::ZERO, rng);
    for number in 0..ENTRIES {
        schedule.book(entry(number), &dry());
    }
    let before: u32 = (0..64).map(|_| picks_of(&schedule.plan(Duration::ZERO, rng), fertile)).sum();
    assert!(before < 16, "one of very many: {before}");
    for number in (0..ENTRIES).filter(|number| *number != fertile.index()) {
        // What is built next is the fertile one, beside those that are left out.
        schedule.stats[number].tier = crate::schedule::Tier::Nothing;
    }
    let plans = finish(&mut schedule, Duration::from_secs(99), rng);
    let (last, earlier) = plans.split_last().expect("four");
    assert!(earlier.iter().all(|plan| picks_of(plan, fertile) < 4));
    assert_eq!(picks_of(last, fertile), 64, "nothing else weighs anything");
}

#[test]
fn while_the_first_build_of_a_corpus_without_gain_goes_on_any_entry_is_picked() {
    let mut schedule = Schedule::new(true);
    for _ in 0..ENTRIES {
        add(&mut schedule, 10, &[], Gain::default());
    }
    for plan in finish(&mut schedule, Duration::ZERO, &mut rng()) {
        assert_eq!(plan.iter().map(|pick| pick.weight).sum::<u32>(), 64);
        assert!(plan.len() > 50, "of all, not of a few: {}", plan.len());
    }
    assert!(!schedule.table.is_empty(), "there is nothing better");
}

#[test]
fn a_schedule_that_is_closed_during_a_build_picks_none_that_were_closed_out() {
    let (mut schedule, rng) = (large(), &mut rng());
    finish(&mut schedule, Duration::ZERO, rng);
    let at = Duration::from_secs(99);
    schedule.plan(at, rng);
    let end = BLOCK_ENTRIES + 1;
    schedule.close(end);
    for plan in (0..10).map(|_| schedule.plan(at, rng)) {
        assert!(plan.iter().all(|pick| pick.entry.index() < end));
        assert_eq!(plan.iter().map(|pick| pick.weight).sum::<u32>(), 64);
    }
    assert_eq!(weighed(&schedule), None, "it was built anew, of what is left");
    assert!((0..100_000).all(|_| schedule.table.pick(rng).is_some_and(|e| e.index() < end)));
}

#[test]
fn what_dries_up_or_is_replaced_during_a_build_is_left_to_the_next_one() {
    let (mut schedule, rng) = (large(), &mut rng());
    let (last, at) = (entry(ENTRIES - 1), Duration::from_secs(99));
    finish(&mut schedule, Duration::ZERO, rng);
    schedule.plan(at, rng);
    for _ in 0..50 {
        schedule.book(last, &dry());
        schedule.book(entry(0), &dry());
    }
    let shorter = add(&mut schedule, 4, &[(0, 1)], Gain::default());
    schedule.replace(entry(0));
    finish(&mut schedule, at, rng);
    assert_eq!(schedule.recent, [shorter], "it took the place of an entry with gain");
    finish(&mut schedule, at * 2, rng);
    assert!(schedule.recent.is_empty());
}

#[test]
fn the_same_seed_makes_the_same_plans_in_slices() {
    let run = || {
        let (mut schedule, rng) = (large(), &mut rng());
        let mut plans = Vec::new();
        for number in 0..40 {
            plans.push(schedule.plan(Duration::from_millis(number * 300), rng));
            schedule.book(plans[plans.len() - 1][0].entry, &dry());
            add(&mut schedule, 5, &[(u32::try_from(number).expect("few"), 2)], NEW);
        }
        plans
    };
    assert_eq!(run(), run());
}

#[test]
fn builds_do_not_wait_for_a_long_choice_and_go_by_it_when_it_is_made() {
    let (mut schedule, rng) = (Schedule::new(true), &mut rng());
    let edges = u32::try_from(EDGES_PER_SLICE / 2).expect("few");
    for number in 0..8 {
        let common = (0..edges).map(|edge| (edge, 1));
        let all: Vec<Feature> = common.chain([(edges + number, 1)]).collect();
        add(&mut schedule, 10, &all, NEW);
    }
    // It owns edges, and the one after it has them all: it is not chosen.
    let needless = add(&mut schedule, 10, &[(900_000, 1)], NEW);
    add(&mut schedule, 9, &[(900_000, 1), (900_001, 1)], NEW);
    let favoured = |schedule: &Schedule| {
        schedule.stats.iter().filter(|stats| stats.favoured_in >= schedule.choice).count()
    };
    schedule.plan(Duration::ZERO, rng);
    assert!(weighed(&schedule).is_none() && !schedule.table.is_empty(), "it is built");
    assert!(!schedule.cover.is_chosen() && favoured(&schedule) >= 9, "owners count until then");
    let mut plans = 1;
    while !schedule.cover.is_chosen() {
        schedule.plan(Duration::ZERO, rng);
        plans += 1;
    }
    assert_eq!(plans, 5, "edges of 8 entries, half a slice each, and as many to go through");
    assert_eq!(favoured(&schedule), 9);
    assert!(schedule.stats[needless.index()].favoured_in < schedule.choice);
}

//! Which workers make the inputs of bugs smaller, and what they come to together.

use std::time::Duration;

use fuzzd_core::ids::TestIndex;
use fuzzd_core::session::{Call, Outcome, SearchPart, SessionConfig, StopRequest, Work};
use fuzzd_core::signature::FailureKind;

use crate::script::{Stage, config, failed, failure, panic_at};

const SLOW: Duration = Duration::from_millis(100);

fn searching(workers: usize) -> Stage {
    searching_with(SessionConfig { workers, ..config() })
}

fn searching_with(config: SessionConfig) -> Stage {
    Stage::start_with(config, |stage| (stage.has_fork, stage.has_search) = (true, true))
}

/// A bug that `worker` finds, and that is confirmed and being minimized.
fn bug(stage: &mut Stage, worker: usize, input: &[u8], line: u32) {
    let before = minimizing(stage).len();
    stage.reply(worker, failed(input, panic_at(line)));
    for _ in 0..100 {
        let is_run = |call: &Call| call.work == Work::Execute && &*call.input == input;
        let runner = stage.calls.iter().find(|(_, (_, _, call))| is_run(call));
        match runner.map(|(runner, _)| *runner) {
            Some(runner) => stage.reply(runner, failed(input, panic_at(line))),
            None if minimizing(stage).len() > before => return,
            None => let_fuzzing_end(stage),
        }
    }
    panic!("it is not confirmed, or not minimized: {:?}", stage.calls);
}

fn part(work: &Work) -> Option<&SearchPart> {
    match work {
        Work::MinimizeFailure { search, .. } => search.as_ref(),
        _ => None,
    }
}

/// Workers that minimize.
fn minimizing(stage: &Stage) -> Vec<usize> {
    let calls = stage.calls.iter();
    let calls = calls.filter(|(_, (_, _, call))| matches!(call.work, Work::MinimizeFailure { .. }));
    calls.map(|(worker, _)| *worker).collect()
}

fn fuzzing(stage: &Stage) -> Vec<usize> {
    let calls = stage.calls.iter();
    let calls = calls.filter(|(_, (_, _, call))| matches!(call.work, Work::Fuzz { .. }));
    calls.map(|(worker, _)| *worker).collect()
}

/// All Fuzz calls end with nothing.
fn let_fuzzing_end(stage: &mut Stage) {
    for worker in fuzzing(stage) {
        stage.reply(worker, Outcome::Nothing);
    }
}

fn searched(input: &[u8], held: &[u64], until: u64) -> Outcome {
    Outcome::Searched { input: input.into(), held: held.into(), until, is_done: false }
}

fn done(input: &[u8], until: u64) -> Outcome {
    Outcome::Searched { input: input.into(), held: Vec::new(), until, is_done: true }
}

#[test]
fn a_search_begins_with_one_worker_for_a_moment() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let_fuzzing_end(&mut stage);
    let [first] = minimizing(&stage)[..] else { panic!("one: {:?}", stage.calls) };
    let Work::MinimizeFailure { search: Some(part), time_max, .. } = stage.work(first) else {
        panic!("a part of a search");
    };
    assert_eq!((part.from, part.parts, *time_max), (0, 1, Some(SLOW)));
    assert_eq!(fuzzing(&stage).len(), 3, "all others fuzz");
}

#[test]
fn a_slow_search_is_shared_by_half_of_the_workers() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10, SLOW, searched(b"long cras", &[0, 1], 10));
    assert_eq!(part(stage.work(first)).map(|part| part.parts), Some(1), "nobody has joined yet");
    let_fuzzing_end(&mut stage);
    stage.reply_after(first, 10, SLOW, searched(b"long cras", &[], 20));
    let members = minimizing(&stage);
    assert_eq!((members.len(), fuzzing(&stage).len()), (2, 2));
    let parts: Vec<&SearchPart> =
        members.iter().filter_map(|member| part(stage.work(*member))).collect();
    for (number, part) in (0..).zip(&parts) {
        assert_eq!((part.from, part.part, part.parts), (20, number, 2));
        assert_eq!(&part.held[..], [0, 1]);
    }
    // The second one holds: the first was right to take it that it does not.
    stage.reply_after(members[0], 1, SLOW, searched(b"long cras", &[], 22));
    assert!(!stage.calls.contains_key(&members[0]), "it waits for the other");
    stage.reply_after(members[1], 1, SLOW, searched(b"crash", &[21], 22));
    for (number, member) in (0..).zip(&members) {
        let part = part(stage.work(*member)).expect("the next round");
        assert_eq!((part.from, part.part, &part.held[..]), (22, number, &[0, 1, 21][..]));
        assert_eq!(&*stage.call(*member).input, b"long crash", "the start stays");
    }
    for member in &members {
        stage.reply_after(*member, 1, SLOW, done(b"crash", 23));
    }
    let_fuzzing_end(&mut stage);
    let rechecked = stage
        .calls
        .values()
        .any(|(_, _, call)| call.work == Work::Execute && &*call.input == b"crash");
    assert!(rechecked, "{:?}", stage.calls);
}

#[test]
fn quick_candidates_stay_with_one_worker() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10_000, SLOW, searched(b"long cras", &[0], 10_000));
    let_fuzzing_end(&mut stage);
    assert_eq!(minimizing(&stage), [first]);
}

#[test]
fn a_search_that_is_not_shared_goes_on_in_one_call() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10_000, SLOW, searched(b"long cras", &[0], 10_000));
    let Work::MinimizeFailure { time_max: Some(time), .. } = stage.work(first) else {
        panic!("it goes on: {:?}", stage.calls);
    };
    assert!(*time > Duration::from_secs(4), "all the time that is left: {time:?}");
}

#[test]
fn a_search_in_which_the_way_takes_longer_than_the_work_is_shared_no_more() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10, SLOW, searched(b"long crash", &[0], 10));
    let_fuzzing_end(&mut stage);
    stage.reply_after(first, 10, SLOW, searched(b"long crash", &[], 20));
    let members = minimizing(&stage);
    assert_eq!(members.len(), 2);
    // Each finds its place first, which is none of the time it tells.
    stage.wait(SLOW * 4);
    for member in members {
        stage.reply_after(member, 1, SLOW / 10, searched(b"long crash", &[], 22));
    }
    let_fuzzing_end(&mut stage);
    assert_eq!((minimizing(&stage).len(), fuzzing(&stage).len()), (1, 3));
    let Work::MinimizeFailure { search: Some(part), time_max: Some(time), .. } =
        stage.work(minimizing(&stage)[0])
    else {
        panic!("it goes on: {:?}", stage.calls);
    };
    assert_eq!((part.from, part.parts), (22, 1));
    assert!(*time > Duration::from_secs(3), "all the time that is left: {time:?}");
}

#[test]
fn an_input_as_long_but_plainer_is_taken_too() {
    let mut stage = searching(1);
    bug(&mut stage, 0, b"\x02\x03\x05", 1);
    stage.reply(0, Outcome::Minimized { input: (*b"0\x030").into(), coverage: Vec::new() });
    stage.expect_execute(0, b"0\x030");
    stage.reply(0, failed(b"0\x030", panic_at(1)));
    assert_eq!(stage.told(), ["bug", "minimized"]);
}

#[test]
fn two_workers_share_nothing_while_there_is_fuzzing_to_do() {
    let mut stage = searching(2);
    bug(&mut stage, 0, b"long crash", 1);
    for until in [10, 20, 30] {
        let [first] = minimizing(&stage)[..] else { panic!("one: {:?}", stage.calls) };
        let held: &[u64] = if until == 10 { &[0] } else { &[] };
        stage.reply_after(first, 10, SLOW, searched(b"long crash", held, until));
        let_fuzzing_end(&mut stage);
        assert_eq!(fuzzing(&stage).len(), 1);
    }
}

#[test]
fn at_the_end_of_a_run_all_workers_share_what_is_left() {
    let mut stage = searching_with(SessionConfig { workers: 3, fail_fast: true, ..config() });
    bug(&mut stage, 0, b"long crash", 1);
    let_fuzzing_end(&mut stage);
    let [first] = minimizing(&stage)[..] else { panic!("one: {:?}", stage.calls) };
    let spawned = stage.spawned.len();
    stage.reply_after(first, 10, SLOW, searched(b"long crash", &[0], 10));
    stage.reply_after(first, 10, SLOW, searched(b"long crash", &[], 20));
    assert_eq!(minimizing(&stage), [0, 1, 2]);
    assert_eq!(stage.spawned.len(), spawned, "those that were there: {:?}", stage.spawned);
    for worker in 0..3 {
        stage.reply_after(worker, 1, SLOW, done(b"long crash", 21));
    }
    assert!(stage.is_finished, "nothing smaller: it is over");
}

#[test]
fn bugs_that_wait_are_minimized_by_different_workers() {
    let mut stage = searching(4);
    bug(&mut stage, 0, b"long crash", 1);
    let second = fuzzing(&stage)[0];
    bug(&mut stage, second, b"another crash", 2);
    let_fuzzing_end(&mut stage);
    let [one, two] = minimizing(&stage)[..] else { panic!("two: {:?}", stage.calls) };
    assert_ne!(stage.call(one).input, stage.call(two).input);
    assert_eq!(fuzzing(&stage).len(), 2, "and half of the workers fuzz on");
}

#[test]
fn a_candidate_that_ends_the_worker_makes_the_search_go_on_by_forking() {
    let mut stage = searching(1);
    bug(&mut stage, 0, b"long crash", 1);
    assert!(matches!(stage.work(0), Work::MinimizeFailure { by_fork: false, .. }));
    let other = failure(FailureKind::Signal(11), "");
    stage.die(0, b"other", other.clone());
    assert_eq!(stage.crashes(other.signature()), [b"other"], "it is kept");
    for _ in 0..3 {
        stage.die(0, b"other", other.clone());
    }
    if &*stage.call(0).input == b"other" {
        // That one is minimized too.
        stage.reply(0, done(b"other", 1));
    }
    assert!(matches!(stage.work(0), Work::MinimizeFailure { by_fork: true, .. }));
    assert_eq!(&*stage.call(0).input, b"long crash");
}

#[test]
fn a_panic_that_ends_the_worker_after_all_makes_the_search_go_on_by_forking() {
    // A panic while it unwinds, say.
    for line in [1, 2] {
        let mut stage = searching(1);
        bug(&mut stage, 0, b"long crash", 1);
        stage.die(0, b"other", panic_at(line));
        for _ in 0..10 {
            match stage.work(0) {
                Work::MinimizeFailure { by_fork: true, .. }
                    if &*stage.call(0).input == b"long crash" =>
                {
                    break;
                }
                Work::MinimizeFailure { .. } => stage.reply(0, done(b"other", 1)),
                _ => stage.die(0, b"other", panic_at(line)),
            }
        }
        assert!(matches!(stage.work(0), Work::MinimizeFailure { by_fork: true, .. }), "{line}");
    }
}

#[test]
fn a_search_whose_worker_is_lost_ends_with_what_it_came_to() {
    let mut stage = searching(2);
    bug(&mut stage, 0, b"long crash", 1);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10, SLOW, searched(b"crash", &[0, 3], 10));
    let misbehaved = Outcome::Misbehaved { reason: "garbage".into(), input: None };
    stage.reply(first, misbehaved);
    stage.wait(Duration::from_secs(1));
    let_fuzzing_end(&mut stage);
    let is_rechecked = stage.calls.values().any(|(_, test, call)| {
        *test == TestIndex(0) && call.work == Work::Execute && &*call.input == b"crash"
    });
    assert!(is_rechecked, "{:?}", stage.calls);
}

#[test]
fn a_shared_search_that_is_interrupted_leaves_the_crash() {
    let mut stage = searching_with(SessionConfig { workers: 2, fail_fast: true, ..config() });
    bug(&mut stage, 0, b"long crash", 1);
    let_fuzzing_end(&mut stage);
    let [first] = minimizing(&stage)[..] else { panic!("one") };
    stage.reply_after(first, 10, SLOW, searched(b"crash", &[0, 3], 10));
    stage.reply_after(first, 10, SLOW, searched(b"crash", &[], 20));
    assert_eq!(minimizing(&stage).len(), 2);
    stage.signal(StopRequest::Graceful);
    assert_eq!(stage.told(), ["bug", "finished"], "told once, with the input it was found with");
}

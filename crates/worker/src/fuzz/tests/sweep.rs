//! What is hit outside the live lines.

use std::sync::atomic::AtomicU8;

use super::*;

/// Counters enough that a pass does not look at all of them.
const MANY: usize = 8 * 1024;

/// Long inputs hit a counter far from the one that all hit.
fn hit_by_length(counters: &'static [AtomicU8], input: &[u8]) -> Verdict {
    hit(counters, 1);
    if input.len() > 40 {
        hit(counters, 7_000);
    }
    Verdict::Pass
}

#[test]
fn what_an_input_hits_outside_the_live_lines_is_found_by_running_the_visit_again() {
    let counters = fake_counters(MANY);
    let runs = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        runs.borrow_mut().push(input.to_vec());
        hit_by_length(counters, input)
    });
    let mut fixture = Fixture::new(&test, counters);
    let delta = sparse::encode(&[(1, 1)]);
    let call = FuzzCall { coverage_delta: Some(delta), ..limited(100_000) };
    let reply = fixture.fuzz(&[b'a'; 30], call);
    assert_eq!(features(&reply, MANY), [(1, 1), (7_000, 1)]);
    assert!(fixture.value().len() > 40);
    let told = fixture.value();
    assert!(runs.borrow().iter().filter(|input| **input == told).count() >= 2, "it ran again");
}

#[test]
fn what_the_last_visit_of_a_call_hit_is_told_with_the_call() {
    let mut told = 0;
    for seed in 0..20 {
        let counters = fake_counters(MANY);
        let longest = Cell::new(0);
        let test = target(|input: &[u8]| {
            longest.set(longest.get().max(input.len()));
            hit_by_length(counters, input)
        });
        let mut fixture = Fixture::new(&test, counters);
        let delta = sparse::encode(&[(1, 1)]);
        // Less than one visit: its end is the end of the call.
        let call = FuzzCall { coverage_delta: Some(delta), seed: Some(seed), ..limited(50) };
        let reply = fixture.fuzz(&[b'a'; 30], call);
        assert_eq!(reply.coverage_sparse.is_some(), longest.get() > 40, "seed {seed}");
        told += u32::from(reply.coverage_sparse.is_some());
    }
    assert!(told > 0, "no seed made a long input");
}

#[test]
fn a_failure_is_told_with_its_own_input_whatever_earlier_inputs_hit() {
    let mut both = 0;
    for seed in 0..40 {
        let counters = fake_counters(MANY);
        let has_long = Cell::new(false);
        let test = target(|input: &[u8]| {
            hit(counters, 1);
            if input.len() > 40 {
                has_long.set(true);
                hit(counters, 7_000);
            }
            assert!(input.iter().all(|byte| *byte == b'a') || input.len() > 35, "another byte");
            Verdict::Pass
        });
        let mut fixture = Fixture::new(&test, counters);
        let delta = sparse::encode(&[(1, 1)]);
        let call = FuzzCall { coverage_delta: Some(delta), seed: Some(seed), ..limited(200) };
        let reply = fixture.fuzz(&[b'a'; 30], call);
        if reply.failure.is_some() {
            let value = fixture.value();
            let fails = value.iter().any(|byte| *byte != b'a') && value.len() <= 35;
            assert!(fails, "seed {seed}: {value:?} does not fail");
            both += u32::from(has_long.get());
        }
    }
    assert!(both > 0, "no seed made a long input before the failing one");
}

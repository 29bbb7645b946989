//! What ends a call while comparisons are solved.

use std::time::Instant;

use super::super::run::Run;
use super::*;
use crate::mutator::Base;

/// Solves the comparisons of `base`, of which there are none: its bytes are replaced by others.
fn solve(fixture: &mut Fixture<'_>, base: &[u8]) -> End {
    let _gate = crate::hooks::tests::gate();
    fixture.set_value(base);
    let delta = sparse::encode(&[(1, 1)]);
    let call = FuzzCall { coverage_delta: Some(delta), ..limited(100_000) };
    let (runner, engine) = fixture.parts();
    runner.begin_call();
    take_coverage(runner, engine, &call).unwrap();
    let mut run = Run::new(runner, engine, &call, Instant::now()).unwrap();
    let ended = run.solve(0, &mut Base::new(&[ValueType::Bytes], base.to_vec()), &[]);
    runner.end_call();
    ended.unwrap_err()
}

#[test]
fn a_failure_while_bytes_are_replaced_keeps_its_own_input() {
    let counters = fake_counters(8);
    let failed = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        hit(counters, 1);
        if input[7] != b'h' {
            failed.borrow_mut().push(input.to_vec());
            panic!("another byte");
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    assert!(matches!(solve(&mut fixture, b"abcdefghijklmnop"), End::Failed(_)));
    assert_eq!(failed.take(), [fixture.value()], "nothing runs after a failure");
}

#[test]
fn a_find_while_bytes_are_replaced_keeps_its_own_input() {
    let counters = fake_counters(8);
    let found = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        hit(counters, 1);
        if input[7] != b'h' {
            hit(counters, 3);
            found.borrow_mut().push(input.to_vec());
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    let End::Covered(features, _) = solve(&mut fixture, b"abcdefghijklmnop") else { panic!() };
    assert_eq!(features, [(1, 1), (3, 1)]);
    let found = found.take();
    assert_eq!(found, [fixture.value(), fixture.value()], "it is run twice, and nothing after it");
}

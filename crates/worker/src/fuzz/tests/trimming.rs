//! What is left of a find.

use std::sync::atomic::AtomicU8;
use std::time::Instant;

use fuzzd_protocol::layout::ring::FindRecord;
use fuzzd_shm::{Region, RingReader, RingWriter, ring};

use super::super::finds::Made;
use super::super::run::Run;
use super::*;

const RING_BYTES: usize = 1 << 12;

/// Hits counter 1 for each `k`, and counter 2 for each `z`.
fn count_letters(counters: &'static [AtomicU8], input: &[u8]) -> Verdict {
    for byte in input {
        match byte {
            b'k' => hit(counters, 1),
            b'z' => hit(counters, 2),
            _ => {}
        }
    }
    Verdict::Pass
}

/// What is told of a find when `seen` was seen before.
fn told(input: &[u8], seen: &[Feature]) -> Vec<u8> {
    let counters = fake_counters(8);
    let test = target(|input: &[u8]| count_letters(counters, input));
    let mut fixture = Fixture::new(&test, counters);
    let region: &'static Region = Box::leak(Box::new(Region::heap(ring::DATA + RING_BYTES)));

    let _gate = crate::hooks::tests::gate();
    fixture.set_value(b"-");
    let call = FuzzCall { coverage_delta: Some(sparse::encode(seen)), ..limited(100_000) };
    let (runner, engine) = fixture.parts();
    engine.ring = Some(RingWriter::new(region, 0, RING_BYTES).unwrap());
    runner.begin_call();
    take_coverage(runner, engine, &call).unwrap();
    let mut run = Run::new(runner, engine, &call, Instant::now()).unwrap();
    assert!(run.found(0, input.to_vec(), Made::BySolving).is_ok());
    runner.end_call();

    let record = RingReader::new(region, 0, RING_BYTES).unwrap().pop(RING_BYTES).unwrap().unwrap();
    FindRecord::decode(&record).unwrap().input.to_vec()
}

#[test]
fn a_find_with_a_new_edge_keeps_the_new_edge_alone() {
    // 8 hits are the class 1 << 4.
    assert_eq!(told(b"..kkkkkkkkk..zz..", &[(1, 1 << 4)]), b"zz");
}

#[test]
fn a_find_without_a_new_edge_keeps_all_that_it_covers() {
    // Two hits of counter 2 are known, and one of counter 1.
    assert_eq!(told(b"..kkkkkkkkk..zz..", &[(1, 1), (2, 1 << 1)]), b"kkkkkkkkzz");
}

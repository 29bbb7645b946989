use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering::Relaxed;

use fuzzd_protocol::input;
use fuzzd_protocol::layout;
use fuzzd_protocol::value::ValueType;
use fuzzd_shm::Region;

use super::*;
use crate::server::tests::{CAPACITY, CONTROL, FakeTarget, Fixture, fake_counters, hit};
use crate::target::Verdict;

mod queue;
mod solving;
mod sweep;
mod trimming;

fn target<F: Fn(&[u8]) -> Verdict>(test: F) -> FakeTarget<F> {
    FakeTarget { types: vec![ValueType::Bytes], seeds: Vec::new(), test }
}

fn limited(limit: i64) -> FuzzCall {
    FuzzCall { limit, seed: Some(1), ..FuzzCall::default() }
}

fn features(reply: &FuzzReply, counters: usize) -> Vec<Feature> {
    sparse::decode(reply.coverage_sparse.as_ref().unwrap(), counters).unwrap()
}

#[test]
fn the_limit_is_exact() {
    for limit in [1, 2, 3, 100, 1234] {
        let runs = Cell::new(0);
        let test = target(|_: &[u8]| {
            runs.set(runs.get() + 1);
            Verdict::Pass
        });
        let mut fixture = Fixture::new(&test, fake_counters(8));
        let reply = fixture.fuzz(b"abc", limited(limit));
        assert_eq!((reply.count, reply.other_count, runs.get()), (limit, 0, limit));
        assert_eq!((reply.err.as_str(), reply.internal_err.as_str()), ("", ""));
        assert_eq!(fixture.region.load_u64(layout::COUNT), Ok(limit.cast_unsigned()));
    }
}

#[test]
fn the_timeout_ends_a_call_without_limit() {
    let test = target(|_: &[u8]| Verdict::Pass);
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let reply = fixture.fuzz(b"abc", FuzzCall { timeout_ns: 30_000_000, ..FuzzCall::default() });
    assert!(reply.count > 0);
    assert!(reply.total_duration_ns >= 30_000_000, "{}", reply.total_duration_ns);
}

#[test]
fn a_call_without_time_runs_one_input_all_the_same() {
    let test = target(|_: &[u8]| Verdict::Pass);
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let reply = fixture.fuzz(b"abc", FuzzCall { timeout_ns: 1, ..FuzzCall::default() });
    assert_eq!((reply.count, reply.err.as_str()), (1, ""));
}

#[test]
fn a_stop_ends_the_call_before_the_next_execution() {
    let runs = Cell::new(0u64);
    let region: RefCell<Option<&'static Region>> = RefCell::new(None);
    let test = target(|_: &[u8]| {
        runs.set(runs.get() + 1);
        if runs.get() == 17 {
            let region = region.borrow().unwrap();
            region.store_u32(CONTROL + layout::STOP, layout::STOP_REQUESTED).unwrap();
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, fake_counters(8));
    region.replace(Some(fixture.region));
    let reply = fixture.fuzz(b"abc", FuzzCall::default());
    assert_eq!((reply.count, runs.get()), (17, 17));
    assert_eq!(reply.coverage_sparse, None);
}

#[test]
fn a_find_is_told_at_once_and_lies_in_memory() {
    let counters = fake_counters(100);
    let found = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        hit(counters, 3);
        if input.len() > 5 {
            hit(counters, 64);
            hit(counters, 64);
            found.borrow_mut().push(input.to_vec());
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    let delta = sparse::encode(&[(3, 1)]);
    let reply = fixture.fuzz(b"ab", FuzzCall { coverage_delta: Some(delta), ..limited(1_000_000) });
    assert_eq!(features(&reply, 100), [(3, 1), (64, 2)]);
    assert_eq!(reply.other_count, 1, "it was run twice");
    let found = found.take();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], found[1]);
    assert_eq!(fixture.value(), found[0]);
    let again = fixture.fuzz(b"ab", limited(500));
    assert_eq!((again.coverage_sparse, again.count), (None, 500), "it is told once");
}

#[test]
fn a_warm_up_runs_the_value_as_it_is_and_tells_everything() {
    let counters = fake_counters(10);
    let test = target(|input: &[u8]| {
        assert_eq!(input, b"as it is");
        hit(counters, 9);
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    let call = FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() };
    for _ in 0..2 {
        let reply = fixture.fuzz(b"as it is", call.clone());
        assert_eq!(features(&reply, 10), [(9, 1)]);
        assert_eq!((reply.count, reply.other_count, reply.rejected), (0, 1, false));
    }
}

#[test]
fn rejected_inputs_are_never_finds_and_a_warm_up_says_so() {
    let counters = fake_counters(10);
    let test = target(|_: &[u8]| {
        hit(counters, 1);
        Verdict::Reject
    });
    let mut fixture = Fixture::new(&test, counters);
    let reply = fixture.fuzz(b"x", limited(50));
    assert_eq!((reply.count, reply.coverage_sparse), (50, None));
    let reply = fixture.fuzz(b"x", FuzzCall { warmup: true, ..FuzzCall::default() });
    assert!(reply.rejected);
}

#[test]
fn a_panic_is_told_with_its_place_and_its_input() {
    let test = target(|input: &[u8]| {
        assert!(!input.contains(&b'!'), "found a mark");
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let reply = fixture.fuzz(b"abc", limited(0));
    let failure = reply.failure.unwrap();
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("panic", "found a mark"));
    assert!(failure.location.contains("fuzz/tests.rs:"), "{}", failure.location);
    assert!(failure.details.contains("a_panic_is_told"), "{}", failure.details);
    assert!(!failure.details.contains("fuzzd_worker::runner::run_target"), "{}", failure.details);
    assert!(reply.err.contains("found a mark"));
    assert!(fixture.value().contains(&b'!'));
}

#[test]
fn an_error_is_told_with_its_text() {
    let test = target(|_: &[u8]| Verdict::Fail("not equal".to_owned()));
    let mut fixture = Fixture::new(&test, fake_counters(8));
    for warmup in [false, true] {
        let reply = fixture.fuzz(b"abc", FuzzCall { warmup, ..limited(10) });
        let failure = reply.failure.unwrap();
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("error", "not equal"));
        assert_eq!(reply.err, "error: not equal");
        assert_eq!(reply.count + i64::try_from(reply.other_count).unwrap(), 1);
    }
}

#[test]
fn ignored_failures_are_counted_and_gone_over() {
    let test = target(|input: &[u8]| {
        match input.first() {
            Some(0..=127) => panic!("low"),
            Some(_) => return Verdict::Fail("high".into()),
            None => {}
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let mut ignore: Vec<String> = Vec::new();
    for _ in 0..2 {
        let reply = fixture.fuzz(b"a", FuzzCall { ignore: ignore.clone(), ..limited(0) });
        let info = reply.failure.unwrap();
        let kind = fuzzd_core::signature::FailureKind::from_name(&info.kind).unwrap();
        ignore.push(Signature::of(kind, &info.location, &info.message).to_string());
    }
    let reply = fixture.fuzz(b"a", FuzzCall { ignore: ignore.clone(), ..limited(2000) });
    assert_eq!((reply.count, reply.failure), (2000, None));
    let told: Vec<&str> = reply.ignored.iter().map(|one| one.signature.as_str()).collect();
    assert_eq!(told.len(), 2);
    assert!(ignore.iter().all(|signature| told.contains(&signature.as_str())));
    let total: u64 = reply.ignored.iter().map(|one| one.count).sum();
    assert!((1000..=2000).contains(&total), "{total}");
    let reply = fixture.fuzz(b"a", FuzzCall { warmup: true, ignore, ..FuzzCall::default() });
    assert!(reply.failure.is_some(), "a warm-up ignores nothing");
}

#[test]
fn coverage_that_does_not_repeat_is_left_out_after_three_times() {
    let counters = fake_counters(16);
    let runs = Cell::new(0u32);
    let test = target(|_: &[u8]| {
        runs.set(runs.get() + 1);
        // Every second execution hits; the one that follows a hit is the second look.
        if runs.get() % 2 == 1 {
            hit(counters, 5);
        }
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    let reply = fixture.fuzz(b"abc", limited(100));
    assert_eq!((reply.count, reply.coverage_sparse), (100, None));
    assert_eq!(reply.other_count, 3);
}

#[test]
fn every_iteration_can_be_rebuilt_from_the_seed_of_its_call() {
    let types = vec![ValueType::String, ValueType::Float64, ValueType::Bytes];
    let ran = RefCell::new(Vec::new());
    let test = FakeTarget {
        types: types.clone(),
        seeds: Vec::new(),
        test: |input: &[u8]| {
            ran.borrow_mut().push(input.to_vec());
            Verdict::Pass
        },
    };
    let base = input::canonical(&types, b"\x03\0\0\0abc12345678\x02\0\0\0xy");
    let call = FuzzCall { limit: 250, seed: Some(77), max_len: Some(64), ..FuzzCall::default() };
    Fixture::new(&test, fake_counters(8)).fuzz(&base, call.clone());
    let first = ran.take();
    Fixture::new(&test, fake_counters(8)).fuzz(&base, call);
    assert_eq!(ran.take(), first, "the same call makes the same inputs in a new process");
}

#[test]
fn the_fuzz_test_sees_what_memory_says_that_it_runs() {
    let region: RefCell<Option<&'static Region>> = RefCell::new(None);
    let counts = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        let region = region.borrow().unwrap();
        assert_eq!(region.load_u32(CONTROL + layout::PHASE), Ok(layout::PHASE_RUNNING));
        assert_eq!(region.load_u64(layout::VALUE_LEN), Ok(input.len() as u64));
        assert!(region.read(layout::HEADER_BYTES, &mut [0]).is_err(), "the value is the worker's");
        assert!(input.len() <= 40);
        counts.borrow_mut().push(region.load_u64(layout::COUNT).unwrap());
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, fake_counters(8));
    region.replace(Some(fixture.region));
    let reply = fixture.fuzz(b"abc", FuzzCall { max_len: Some(40), ..limited(200) });
    assert_eq!(reply.err, "");
    assert_eq!(counts.take(), (1..=200).collect::<Vec<u64>>(), "counted before it runs");
}

#[test]
fn a_fuzz_test_that_overwrites_header_and_control_block_changes_no_reply() {
    let counters = fake_counters(8);
    let region: RefCell<Option<&'static Region>> = RefCell::new(None);
    let last = RefCell::new(Vec::new());
    let test = target(|input: &[u8]| {
        last.replace(input.to_vec());
        // Everything but the wish to stop.
        let region = region.borrow().unwrap();
        region.write(0, &[0xff; layout::HEADER_BYTES]).unwrap();
        region.write(CONTROL + layout::PHASE, &[0xff; 12]).unwrap();
        if input.len() > 5 {
            hit(counters, 1);
        }
        assert!(input.len() < 10, "too long");
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    region.replace(Some(fixture.region));
    let reply = fixture.fuzz(b"abc", FuzzCall { max_len: Some(9), ..limited(100_000) });
    assert_eq!(features(&reply, 8), [(1, 1)]);
    assert_eq!(fixture.value(), *last.borrow());
    assert!((1..1000).contains(&reply.count), "{}", reply.count);
    assert_eq!(reply.other_count, 1);
    assert_eq!(fixture.region.load_u64(layout::COUNT), Ok(reply.count.cast_unsigned()));
    let reply = fixture.fuzz(b"abc", limited(100_000));
    assert_eq!(reply.failure.unwrap().message, "too long");
    assert_eq!(fixture.value(), *last.borrow());
    assert_eq!(fixture.region.load_u64(CONTROL + layout::OTHER_COUNT), Ok(reply.other_count));
    let reply = fixture.fuzz(b"abcdef", FuzzCall { warmup: true, ..FuzzCall::default() });
    assert_eq!((reply.count, reply.other_count), (0, 1));
    assert_eq!(fixture.value(), b"abcdef");
}

#[test]
fn a_call_that_cannot_be_is_an_internal_error_and_runs_nothing() {
    let test = target(|_: &[u8]| panic!("it ran"));
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let bad = [
        FuzzCall { coverage_data: Some(vec![0; 7]), ..limited(1) },
        FuzzCall { coverage_delta: Some(vec![9, 1]), ..limited(1) },
        FuzzCall { ignore: vec!["panic".into()], ..limited(1) },
    ];
    for call in bad {
        let reply = fixture.fuzz(b"abc", call);
        assert!(!reply.internal_err.is_empty());
        assert_eq!((reply.count, reply.err.as_str()), (0, ""));
    }
    fixture.region.store_u64(layout::VALUE_LEN, 1 << 50).unwrap();
    let reply: FuzzReply = fixture.call(fuzzd_protocol::message::Call::Fuzz(limited(1)));
    assert!(reply.internal_err.contains("there is room for"), "{}", reply.internal_err);
}

#[test]
fn values_that_no_memory_has_room_for_are_an_internal_error() {
    let test = FakeTarget {
        types: vec![ValueType::Uint128; CAPACITY / 16 + 4],
        seeds: Vec::new(),
        test: |_: &[u8]| panic!("it ran"),
    };
    let mut fixture = Fixture::new(&test, fake_counters(8));
    let reply = fixture.fuzz(b"", limited(1));
    assert!(reply.internal_err.contains("room for"), "{}", reply.internal_err);
    assert_eq!(reply.count, 0);
}

#[test]
fn a_mask_of_the_go_dialect_is_honoured() {
    let counters = fake_counters(4);
    let test = target(|_: &[u8]| {
        counters[2].store(1, Relaxed);
        Verdict::Pass
    });
    let mut fixture = Fixture::new(&test, counters);
    let mask = Some(vec![0, 0, 1, 0]);
    let reply = fixture.fuzz(b"abc", FuzzCall { coverage_data: mask, ..limited(20) });
    assert_eq!((reply.count, reply.coverage_sparse), (20, None));
}

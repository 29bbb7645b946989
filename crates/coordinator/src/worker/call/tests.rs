//! Calls on the wire.

use std::sync::Arc;

use fuzzd_protocol::message::decode_call;

use fuzzd_core::session::SearchPart;

use super::*;
use crate::worker::ping::Caps;

const LIMITS: CallLimits = CallLimits {
    input_bytes_max: 99,
    each: WatchLimits { input_timeout: Duration::from_secs(10), rss_limit_bytes: 7 },
};

const NATIVE: Caps = Caps {
    has_sparse: true,
    has_fork: true,
    has_search: true,
    has_ignore: true,
    has_seeds: true,
    has_control: true,
    has_plans: false,
    has_map: false,
    has_profiles: false,
};

fn announced(caps: Caps) -> Announced {
    Announced { caps, counters: 4, ..Announced::default() }
}

fn call(work: Work, coverage: &[Feature]) -> Call {
    let ignore = Arc::from([Signature(0xabc)]);
    Call { input: b"in".as_slice().into(), work, coverage: coverage.to_vec(), ignore }
}

fn sent(call: &Call, announced: &Announced, link: &mut CoverageLink) -> message::Call {
    let (line, _) = encode(call, announced, link, None, LIMITS);
    decode_call(line.strip_suffix(b"\n").unwrap()).unwrap()
}

fn fuzz_work() -> Work {
    let time_max = Some(Duration::from_millis(100));
    let item = |entry| PlanItem { entry, weight: entry, is_new: entry == 2 };
    let plan = (0..4).map(item).collect();
    let profile = Profile::Wild;
    Work::Fuzz { execs_max: 7, time_max, rng_seed: u64::MAX, plan, len_max: None, profile }
}

#[test]
fn a_plan_names_items_of_the_arena_and_leaves_out_what_is_not_there() {
    let native = announced(Caps { has_plans: true, has_map: true, ..NATIVE });
    let memories = TestMemories::create(4, &[]).unwrap();
    let mut link = CoverageLink::new(&native);
    let mut sent = || {
        let call = call(fuzz_work(), &[(2, 1)]);
        let (line, pending) = encode(&call, &native, &mut link, Some(&memories), LIMITS);
        match decode_call(line.strip_suffix(b"\n").unwrap()).unwrap() {
            message::Call::Fuzz(fuzz) => (fuzz, pending),
            other => panic!("{other:?}"),
        }
    };
    let (fuzz, pending) = sent();
    assert!(fuzz.plan.is_empty(), "nothing was published");
    assert_eq!((pending.plan_position(0), pending.plan_position(1)), (Some(0), None));
    assert_eq!((fuzz.coverage_delta, pending.has_ring()), (None, true));
    for entry in 0..3 {
        memories.publish_entry(entry, b"entry");
    }
    let (fuzz, pending) = sent();
    let item = |entry, weight, is_new| message::PlanItem { entry, weight, is_new };
    assert_eq!(fuzz.plan, [item(0, 1, false), item(1, 1, false), item(2, 2, true)]);
    assert_eq!((pending.plan_position(2), pending.plan_position(3)), (Some(2), None));
}

#[test]
fn a_worker_without_plans_is_sent_none_and_a_shorter_length_is_kept() {
    let native = announced(NATIVE);
    let memories = TestMemories::create(4, &[]).unwrap();
    memories.publish_entry(0, b"entry");
    let mut link = CoverageLink::new(&native);
    let Work::Fuzz { execs_max, time_max, rng_seed, plan, profile, .. } = fuzz_work() else {
        panic!();
    };
    for (len_max, sent) in [(Some(7), 7), (Some(1_000), 99), (None, 99)] {
        let plan = plan.clone();
        let work = Work::Fuzz { execs_max, time_max, rng_seed, plan, len_max, profile };
        let (line, pending) = encode(&call(work, &[]), &native, &mut link, Some(&memories), LIMITS);
        let decoded = decode_call(line.strip_suffix(b"\n").unwrap()).unwrap();
        let message::Call::Fuzz(fuzz) = decoded else { panic!("{decoded:?}") };
        assert_eq!((fuzz.max_len, fuzz.plan.len()), (Some(sent), 0));
        assert!(!pending.has_ring());
    }
}

#[test]
fn a_profile_is_named_to_workers_that_know_profiles() {
    for (has_profiles, named) in [(true, Some("wild")), (false, None)] {
        let native = announced(Caps { has_profiles, ..NATIVE });
        let mut link = CoverageLink::new(&native);
        let message::Call::Fuzz(fuzz) = sent(&call(fuzz_work(), &[]), &native, &mut link) else {
            panic!("not a Fuzz call");
        };
        assert_eq!(fuzz.profile.as_deref(), named);
    }
}

#[test]
fn execute_is_a_warm_up_of_one() {
    let native = announced(NATIVE);
    let mut link = CoverageLink::new(&native);
    let message::Call::Fuzz(fuzz) = sent(&call(Work::Execute, &[]), &native, &mut link) else {
        panic!("not a Fuzz call");
    };
    let expected = FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() };
    assert_eq!(fuzz, expected);
}

#[test]
fn fuzz_names_everything_it_was_given() {
    let native = announced(NATIVE);
    let mut link = CoverageLink::new(&native);
    let sent = sent(&call(fuzz_work(), &[(2, 1)]), &native, &mut link);
    let expected = FuzzCall {
        timeout_ns: 100_000_000,
        limit: 7,
        seed: Some(u64::MAX),
        coverage_delta: Some(sparse::encode(&[(2, 1)])),
        ignore: vec!["0000000000000abc".into()],
        max_len: Some(99),
        ..FuzzCall::default()
    };
    assert_eq!(sent, message::Call::Fuzz(expected));
}

#[test]
fn what_ends_its_process_is_minimized_in_processes_of_their_own() {
    let native = announced(NATIVE);
    let signature = Signature(0x12);
    let work = |by_fork| Work::MinimizeFailure {
        signature,
        by_fork,
        search: None,
        execs_max: 3,
        time_max: None,
    };
    let mut link = CoverageLink::new(&native);
    let text = Some("0000000000000012".to_owned());
    let fork = Some(ForkLimits { timeout_ns: 1_000_000_000, memory: 7 });
    for (by_fork, fork) in [(true, fork), (false, None)] {
        let expected =
            MinimizeCall { limit: 3, signature: text.clone(), fork, ..MinimizeCall::default() };
        let sent = sent(&call(work(by_fork), &[]), &native, &mut link);
        assert_eq!(sent, message::Call::Minimize(expected));
    }
    let quick = WatchLimits { input_timeout: Duration::from_millis(100), rss_limit_bytes: 7 };
    for (each, watched) in [(LIMITS.each, 10_000), (quick, 2_100)] {
        let limits = CallLimits { each, ..LIMITS };
        let (_, pending) = encode(&call(work(true), &[]), &native, &mut link, None, limits);
        let watched = Duration::from_millis(watched);
        assert_eq!(pending.watched(each).input_timeout, watched, "a child is killed before it");
        let (_, pending) = encode(&call(work(false), &[]), &native, &mut link, None, limits);
        assert_eq!(pending.watched(each).input_timeout, each.input_timeout);
    }
}

#[test]
fn a_part_of_a_search_is_sent_as_it_is() {
    let native = announced(NATIVE);
    let search = SearchPart { from: 9, held: [0, 4].into(), part: 1, parts: 2 };
    let work = Work::MinimizeFailure {
        signature: Signature(0x12),
        by_fork: false,
        search: Some(search),
        execs_max: 3,
        time_max: None,
    };
    let search = message::SearchPart { from: 9, held: vec![0, 4], part: 1, parts: 2 };
    let expected = MinimizeCall {
        limit: 3,
        signature: Some("0000000000000012".to_owned()),
        search: Some(search),
        ..MinimizeCall::default()
    };
    let (call, link) = (call(work, &[]), &mut CoverageLink::new(&native));
    assert_eq!(sent(&call, &native, link), message::Call::Minimize(expected));
    let (_, pending) = encode(&call, &native, link, None, LIMITS);
    assert_eq!(pending.walk_max, SEARCH_WALK_MAX, "it finds its place first");
}

#[test]
fn coverage_that_a_call_cannot_carry_comes_with_the_next() {
    let native = announced(NATIVE);
    let mut link = CoverageLink::new(&native);
    let keep = vec![(1, 8)];
    let minimize = Work::MinimizeFind { keep, execs_max: 3, time_max: None };
    let message::Call::Minimize(sent_first) = sent(&call(minimize, &[(3, 1)]), &native, &mut link)
    else {
        panic!("not a Minimize call");
    };
    let keep_sparse = Some(sparse::encode(&[(1, 8)]));
    assert_eq!(sent_first, MinimizeCall { limit: 3, keep_sparse, ..MinimizeCall::default() });
    let message::Call::Fuzz(fuzz) = sent(&call(fuzz_work(), &[(0, 2)]), &native, &mut link) else {
        panic!("not a Fuzz call");
    };
    assert_eq!(fuzz.coverage_delta, Some(sparse::encode(&[(0, 2), (3, 1)])));
    let message::Call::Fuzz(fuzz) = sent(&call(fuzz_work(), &[]), &native, &mut link) else {
        panic!("not a Fuzz call");
    };
    assert_eq!(fuzz.coverage_delta, None);
}

#[test]
fn a_worker_without_the_sparse_form_is_sent_the_mask_when_it_changed() {
    let dense = announced(Caps::default());
    let mut link = CoverageLink::new(&dense);
    let mut masks = Vec::new();
    for coverage in [&[][..], &[(1, 4), (9, 1)], &[(1, 4)]] {
        let message::Call::Fuzz(fuzz) = sent(&call(fuzz_work(), coverage), &dense, &mut link)
        else {
            panic!("not a Fuzz call");
        };
        assert!(fuzz.ignore.is_empty() && fuzz.coverage_delta.is_none());
        masks.push(fuzz.coverage_data);
    }
    assert_eq!(masks, [Some(vec![0; 4]), Some(vec![0, 4, 0, 0]), None]);
}

#[test]
fn coverage_is_read_within_the_announced_counters_only() {
    let link = CoverageLink::new(&announced(NATIVE));
    assert_eq!(link.read(Some(&sparse::encode(&[(3, 1)])), None), Ok(Some(vec![(3, 1)])));
    assert!(link.read(Some(&sparse::encode(&[(4, 1)])), None).is_err());
    assert_eq!(link.read(None, Some(&[0, 2, 0, 1])), Ok(Some(vec![(1, 2), (3, 1)])));
    assert!(link.read(None, Some(&[0; 5])).is_err());
    assert!(link.read(None, Some(&[0, 3, 0, 1])).is_err(), "one execution has one class of each");
    assert_eq!(link.read(None, None), Ok(None));
}

#[test]
fn no_limit_of_ours_reads_as_no_limit_on_the_wire() {
    assert_eq!((limit(0), limit(u64::MAX)), (1, i64::MAX));
    assert_eq!(nanoseconds(None), 0);
    assert_eq!(nanoseconds(Some(Duration::ZERO)), 1);
    assert_eq!(nanoseconds(Some(Duration::MAX)), i64::MAX);
}

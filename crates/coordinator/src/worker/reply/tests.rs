//! Replies, friendly and hostile.

use fuzzd_protocol::layout;

use super::*;
use crate::worker::ping::Announced;

const TYPES: &[ValueType] = &[ValueType::Bytes];

fn pending(kind: Kind) -> Pending {
    let execs_max = if matches!(kind, Kind::Fuzz { .. }) { 10 } else { 0 };
    Pending {
        kind,
        input: b"given".as_slice().into(),
        execs_max,
        time_max: None,
        walk_max: Duration::ZERO,
        has_phase: true,
    }
}

fn fuzz() -> Kind {
    Kind::Fuzz { ignore: vec![Signature(1), Signature(2)], plan: SentPlan::Unknown }
}

fn read(kind: Kind, line: &str) -> Result<Reply, String> {
    let memory = WorkerMemory::create(64).unwrap();
    memory.begin_call(b"in memory").unwrap();
    read_with(&memory, &pending(kind), line)
}

fn read_with(memory: &WorkerMemory, pending: &Pending, line: &str) -> Result<Reply, String> {
    let coverage = CoverageLink::new(&Announced { counters: 4, ..Announced::default() });
    let elapsed = Duration::from_millis(5);
    let output = &|| OutputTail { stderr: "last words".into(), stdout: String::new() };
    let (types, coverage) = (TYPES, &coverage);
    ReplyContext { pending, memory, types, coverage, elapsed, output }.read(line.as_bytes())
}

#[test]
fn what_became_of_a_plan_is_in_its_order_and_no_more_than_the_call() {
    let plan = SentPlan::Items { positions: vec![1, 3], of: 4 };
    let kind = || Kind::Fuzz { ignore: Vec::new(), plan: plan.clone() };
    let line = r#"{"Count":9,"TotalDuration":4000000,"Plan":[
        {"Execs":4,"Nanos":1000000,"Finds":1},{"Execs":99,"Nanos":99000000,"Finds":99}]}"#;
    let ms = Duration::from_millis;
    let used = |execs, elapsed| PlanUse { execs, elapsed };
    assert_eq!(
        read(kind(), line).unwrap().plan,
        [PlanUse::default(), used(4, ms(1)), PlanUse::default(), used(5, ms(3))]
    );
    assert!(read(kind(), r#"{"Count":1}"#).unwrap().plan.is_empty());
    assert!(read(fuzz(), line).unwrap().plan.is_empty(), "it was sent none");
    let lie = read(kind(), r#"{"Plan":[{"Execs":1,"Nanos":1,"Finds":0}]}"#).unwrap_err();
    assert!(lie.contains("1 items of a plan, it was sent 2"), "{lie}");
}

#[test]
fn finds_that_were_not_looked_at_are_read_as_they_are_told() {
    let unlooked = |line| read(fuzz(), line).map(|reply| reply.unlooked);
    assert_eq!(unlooked(r#"{"Count":1,"Unlooked":[0,7]}"#).unwrap(), [0, 7]);
    assert!(unlooked(r#"{"Count":1,"Unlooked":null}"#).unwrap().is_empty());
    assert!(unlooked(r#"{"Count":1,"Unlooked":[-1]}"#).is_err());
}

#[test]
fn counts_are_clamped_to_what_was_allowed() {
    for (count, execs) in [("7", 7), ("11", 10), ("9223372036854775807", 10), ("-1", 0)] {
        let reply = read(fuzz(), &format!(r#"{{"Count":{count},"OtherCount":3}}"#)).unwrap();
        assert_eq!((reply.execs, reply.execs_other), (execs, 3), "{count}");
    }
    let line = r#"{"Count":1,"OtherCount":18446744073709551615}"#;
    let reply = read(Kind::Execute, line).unwrap();
    // No more than fit into the 5 ms that the call took.
    let possible = 1 + 5_000_000 / EXEC_NANOS_MIN;
    assert_eq!((reply.execs, reply.execs_other), (0, possible));
}

#[test]
fn a_call_is_not_longer_than_it_was() {
    let reply = |ns: i64| read(fuzz(), &format!(r#"{{"TotalDuration":{ns}}}"#)).unwrap();
    assert_eq!(reply(1_000_000).elapsed, Duration::from_millis(1));
    for lie in [0, -5, i64::MAX] {
        assert_eq!(reply(lie).elapsed, Duration::from_millis(5), "{lie}");
    }
}

#[test]
fn only_failures_that_were_to_be_ignored_count_as_such() {
    let line = r#"{"Count":10,"Ignored":[
        {"Signature":"0000000000000001","Count":4},{"Signature":"0000000000000001","Count":4},
        {"Signature":"0000000000000003","Count":1},{"Signature":"x","Count":1},
        {"Signature":"0000000000000002","Count":100}]}"#;
    let reply = read(fuzz(), line).unwrap();
    assert_eq!(reply.ignored, [(Signature(1), 4), (Signature(2), 6)]);
}

#[test]
fn failures_come_with_the_input_and_the_output() {
    let line = r#"{"Count":1,"Err":"boom","Failure":{"Kind":"panic","Location":"src/a.rs:1:2",
        "Message":"boom","Details":"frames"}}"#;
    let Outcome::Failed { input, failure } = read(fuzz(), line).unwrap().outcome else {
        panic!("not a failure");
    };
    assert_eq!(&*input, b"in memory");
    assert_eq!((failure.kind, failure.location.as_str()), (FailureKind::Panic, "src/a.rs:1:2"));
    assert!(failure.details.starts_with("frames\n"), "{}", failure.details);
    assert!(failure.details.contains("last words"));
    let plain = read(Kind::Execute, r#"{"Err":"no"}"#).unwrap().outcome;
    let Outcome::Failed { input, failure } = plain else { panic!("not a failure") };
    assert_eq!((&*input, failure.kind), (&b"given"[..], FailureKind::Error));
}

#[test]
fn a_minimization_that_meets_another_failure_says_so() {
    let same = Signature::of(FailureKind::Error, "", "boom");
    let minimize = |kept| {
        let line = r#"{"WroteToMem":true,"Err":"boom"}"#;
        read(Kind::MinimizeFailure(kept), line).unwrap().outcome
    };
    assert!(matches!(minimize(same), Outcome::Minimized { input, .. } if *input == *b"in memory"));
    assert!(matches!(minimize(Signature(9)), Outcome::Failed { .. }));
    let unchanged = read(Kind::MinimizeFind, "{}").unwrap().outcome;
    assert!(matches!(unchanged, Outcome::Minimized { input, .. } if *input == *b"given"));
}

#[test]
fn a_part_of_a_search_says_how_far_it_came() {
    let line = r#"{"WroteToMem":true,"OtherCount":3,"Search":{"Until":9,"Held":[8],"Done":true}}"#;
    for kind in [Kind::MinimizeFailure(Signature(9)), Kind::MinimizeForked(Signature(9))] {
        let outcome = read(kind, line).unwrap().outcome;
        let Outcome::Searched { input, held, until, is_done } = outcome else { panic!("a part") };
        assert_eq!((&*input, &held[..], until, is_done), (&b"in memory"[..], &[8][..], 9, true));
    }
    let unchanged = r#"{"Search":{"Until":1,"Held":[],"Done":true}}"#;
    let outcome = read(Kind::MinimizeFailure(Signature(9)), unchanged).unwrap().outcome;
    assert!(matches!(outcome, Outcome::Searched { input, .. } if *input == *b"given"));
    let held = vec!["1"; SEARCH_HELD_MAX + 1].join(",");
    let flood = format!(r#"{{"WroteToMem":true,"Search":{{"Until":9,"Held":[{held}]}}}}"#);
    assert!(read(Kind::MinimizeFailure(Signature(9)), &flood).is_err());
}

#[test]
fn a_worker_that_forks_executes_nothing_itself_and_cannot_fail() {
    let kind = || Kind::MinimizeForked(Signature(9));
    let reply = read(kind(), r#"{"WroteToMem":true,"OtherCount":7}"#).unwrap();
    assert_eq!((reply.execs, reply.execs_other), (0, 7));
    let Outcome::Minimized { input, .. } = reply.outcome else { panic!("it is smaller") };
    assert_eq!(&*input, b"in memory");
    let unchanged = read(kind(), "{}").unwrap().outcome;
    assert!(matches!(unchanged, Outcome::Minimized { input, .. } if *input == *b"given"));
    assert!(read(kind(), r#"{"WroteToMem":true,"Err":"boom"}"#).is_err());
    let memory = WorkerMemory::create(64).unwrap();
    memory.begin_call(b"in memory").unwrap();
    memory.region().store_u64(layout::COUNT, 1).unwrap();
    assert_eq!(pending(kind()).input_at_death(&memory, TYPES), None, "it is not to blame");
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let lines = [
        "",
        "[]",
        "null",
        r#"{"Count":"many"}"#,
        r#"{"InternalErr":"broken"}"#,
        r#"{"CoverageData":"AAAAAAAA"}"#,
        r#"{"CoverageSparse":"/w=="}"#,
        r#"{"Err":"x","Failure":{"Kind":"signal-11"}}"#,
    ];
    for line in lines {
        assert!(read(fuzz(), line).is_err(), "{line}");
    }
}

#[test]
fn a_length_that_was_overwritten_is_an_error_in_a_reply_and_the_given_input_in_a_death() {
    let memory = WorkerMemory::create(64).unwrap();
    memory.begin_call(b"in memory").unwrap();
    let pending = pending(fuzz());
    assert_eq!(pending.input_at_death(&memory, TYPES), None, "nothing was executed");
    memory.region().store_u64(layout::COUNT, 1).unwrap();
    assert_eq!(pending.input_at_death(&memory, TYPES).as_deref(), Some(&b"in memory"[..]));
    memory.region().store_u64(layout::VALUE_LEN, 65).unwrap();
    assert!(read_with(&memory, &pending, r#"{"Count":1,"Err":"x"}"#).is_err());
    assert_eq!(pending.input_at_death(&memory, TYPES).as_deref(), Some(&b"given"[..]));
}

#[test]
fn a_death_is_of_an_execution_also_where_the_target_wiped_the_counts_or_no_phase_is_kept() {
    let memory = WorkerMemory::create(64).unwrap();
    memory.begin_call(b"given").unwrap();
    let input = |kind: Kind, has_phase| {
        let pending = Pending { has_phase, ..pending(kind) };
        pending.input_at_death(&memory, &[ValueType::Bytes]).map(|input| input.to_vec())
    };

    // Without a phase, warm-up and minimization execute from their first moment.
    assert_eq!(input(Kind::Execute, false), Some(b"given".to_vec()));
    assert_eq!(input(Kind::MinimizeFind, false), Some(b"given".to_vec()));
    assert_eq!(input(fuzz(), false), None);
    assert_eq!(input(Kind::Execute, true), None);
    let phase = layout::control_offset(64) + layout::PHASE;
    memory.region().store_u32(phase, layout::PHASE_RUNNING).unwrap();
    assert_eq!(input(fuzz(), true), Some(b"given".to_vec()));
}

//! Talks, with answers that a Go worker gives and answers that it must not give.

use fuzzd_core::coverage::Feature;
use fuzzd_core::session::{Call, FoundParent, PlanItem, Work};
use fuzzd_core::signature::FailureKind;
use fuzzd_go::mutator::Candidate;
use fuzzd_go::pcg::Pcg;
use fuzzd_protocol::layout::{COUNT, RAND_INC, RAND_STATE};

use super::*;

const CAPACITY: usize = 4 << 10;
const COUNTERS: usize = 8;
const TYPES: &[ValueType] = &[ValueType::Bytes];
const START: &[u8] = b"start";
const EXECS_MAX: u64 = 10;

/// A worker that answers what it is told to.
struct Bench {
    link: GoLink,
    memory: WorkerMemory,
    talk: GoTalk,
    /// The call in flight.
    line: String,
}

fn fuzz() -> Work {
    Work::Fuzz {
        execs_max: EXECS_MAX,
        time_max: None,
        rng_seed: 1,
        plan: vec![PlanItem { entry: 0, weight: 1, is_new: false }],
        len_max: None,
        profile: fuzzd_core::schedule::Profile::Default,
    }
}

fn failing(text: &str) -> String {
    format!(r#"{{"Err":"--- FAIL: FuzzX (0.00s)\n    x_test.go:7: {text}\n","Count":1}}"#)
}

fn snapshot(bytes: &[u8]) -> String {
    let reply = FuzzReply { coverage_data: Some(bytes.to_vec()), ..FuzzReply::default() };
    String::from_utf8(message::encode_line(&reply)).unwrap()
}

impl Bench {
    fn new(work: Work, ignore: &[Signature]) -> Self {
        let memory = WorkerMemory::create_plain(CAPACITY).unwrap();
        let mut link = GoLink::new(TYPES, COUNTERS, None, Arc::default(), 1 << 20);
        let (coverage, ignore) = (vec![(0, 1)], ignore.into());
        let call = Call { input: START.into(), work, coverage, ignore };
        let (talk, line) = link.begin(&call, &memory, Instant::now());
        let line = String::from_utf8(line.unwrap()).unwrap();
        Self { link, memory, talk, line }
    }

    /// One that knows how long the mask is.
    fn fuzzing(ignore: &[Signature]) -> Self {
        let mut bench = Self::new(fuzz(), ignore);
        bench.ran(1);
        bench.goes_on(&snapshot(&[1, 0, 0, 0, 0, 0]));
        bench.pass_own();
        bench
    }

    /// Passes over inputs of our own, and those that Go mutates, to Go's mutations of the entry.
    fn pass_own(&mut self) {
        let entry = text::encode(&[Value::Bytes(START.into())]);
        while self.memory.input().unwrap() != entry {
            self.ran(1);
            let is_whole = self.line.contains(r#""Warmup":true"#);
            self.goes_on(&if is_whole { snapshot(&[1, 0, 0, 0, 0, 0]) } else { "{}".to_owned() });
        }
    }

    fn ran(&self, count: u64) {
        self.memory.region().store_u64(COUNT, count).unwrap();
    }

    /// Executes mutations as Go does. What the last one made.
    fn mutates(&self, count: u64) -> Vec<Value> {
        let mut generator = Pcg::seeded(7, 1);
        let (state, increment) = generator.save();
        self.memory.region().store_u64(RAND_STATE, state).unwrap();
        self.memory.region().store_u64(RAND_INC, increment).unwrap();
        self.ran(count);
        let mut candidate = Candidate::new(vec![Value::Bytes(START.into())], CAPACITY).unwrap();
        (0..count).for_each(|_| candidate.mutate(&mut generator).unwrap());
        candidate.values()
    }

    fn answer(&mut self, line: &str, is_last: bool) -> Result<Next, String> {
        let output = &OutputTail::default;
        let scene = Scene { memory: &self.memory, output, now: Instant::now(), is_last };
        self.talk.answer(&mut self.link, &scene, line.as_bytes())
    }

    fn goes_on(&mut self, line: &str) {
        match self.answer(line, false) {
            Ok(Next::Line(line)) => self.line = String::from_utf8(line).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn ends(&mut self, line: &str) -> Reply {
        match self.answer(line, false) {
            Ok(Next::Reply(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_input_passes_with_its_coverage_or_fails() {
    let mut bench = Bench::new(Work::Execute, &[]);
    assert!(bench.line.contains(r#""Limit":1,"Warmup":true"#), "{}", bench.line);
    bench.ran(1);
    let reply = bench.ends(&snapshot(&[0, 4, 0, 0, 0, 1]));
    let coverage: Vec<Feature> = vec![(1, 4), (5, 1)];
    assert!(matches!(reply.outcome, Outcome::Passed { coverage: told } if told == coverage));
    assert_eq!((reply.execs, reply.execs_other), (0, 1));

    let mut bench = Bench::new(Work::Execute, &[]);
    bench.ran(1);
    let Outcome::Failed { input, failure } = bench.ends(&failing("no")).outcome else { panic!() };
    assert_eq!((&*input, failure.kind), (START, FailureKind::Error));
    assert_eq!((failure.location.as_str(), failure.message.as_str()), ("x_test.go:7", "no"));
}

#[test]
fn the_mask_is_told_when_its_length_is_known() {
    let mut bench = Bench::new(fuzz(), &[]);
    // Coverage of an input as it is comes whole, whatever is known.
    while bench.line.contains(r#""Warmup":true"#) {
        assert!(bench.line.contains(r#""CoverageData":null"#), "{}", bench.line);
        bench.ran(1);
        bench.goes_on(&snapshot(&[1, 0, 0, 0, 0, 0]));
    }
    assert!(bench.line.contains(r#""CoverageData":"AQAAAAAA""#), "{}", bench.line);
    bench.ran(1);
    bench.goes_on("{}");
    assert!(bench.line.contains(r#""CoverageData":null"#), "it has it: {}", bench.line);
}

#[test]
fn a_find_is_rebuilt_run_again_trimmed_and_told() {
    let mut bench = Bench::fuzzing(&[]);
    let found = bench.mutates(3);
    bench.goes_on(&snapshot(&[1, 0, 8, 2, 0, 0]));
    let sent = bench.memory.input().unwrap();
    assert_eq!(sent, text::encode(&found), "as it is");
    bench.ran(1);
    // Counter 3 does not come again; that of the mask is still there.
    bench.goes_on(&snapshot(&[1, 0, 8, 0, 0, 0]));
    // The first candidate is the empty input, which has it too.
    assert_eq!(bench.memory.input().unwrap(), b"go test fuzz v1\n[]byte(\"\")\n");
    bench.ran(1);
    bench.goes_on(&snapshot(&[1, 0, 8, 0, 4, 0]));
    let told = bench.talk.take_found();
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].input, told[0].parent), (&b""[..], FoundParent::Plan(0)));
    assert_eq!(told[0].coverage, [(0, 1), (2, 8), (4, 4)]);
    assert!(bench.line.contains(r#""CoverageData":"AQAIAgQA""#), "{}", bench.line);
    bench.ran(7);
    let reply = bench.ends("{}");
    assert_eq!((reply.execs, matches!(reply.outcome, Outcome::Nothing)), (EXECS_MAX, true));
    assert_eq!(reply.plan.len(), 1);
    assert_eq!(reply.plan[0].execs, EXECS_MAX);
}

#[test]
fn coverage_that_does_not_come_again_is_no_find() {
    let mut bench = Bench::fuzzing(&[]);
    bench.mutates(1);
    bench.goes_on(&snapshot(&[1, 2, 0, 0, 0, 0]));
    bench.ran(1);
    bench.goes_on(&snapshot(&[1, 0, 0, 0, 0, 0]));
    assert_eq!(bench.talk.take_found().len(), 0);
    assert!(bench.line.contains(r#""CoverageData":"AQIAAAAA""#), "it is known: {}", bench.line);
}

#[test]
fn a_failure_ends_the_talk_unless_it_is_to_be_gone_over() {
    let mut bench = Bench::fuzzing(&[]);
    let values = bench.mutates(4);
    let reply = bench.ends(&failing("no"));
    let Outcome::Failed { input, failure } = reply.outcome else { panic!("{reply:?}") };
    assert_eq!(&*input, to_memory(TYPES, &values));
    let signature = failure.signature();

    let mut bench = Bench::fuzzing(&[signature]);
    let before = bench.talk.counts.new;
    bench.mutates(4);
    bench.goes_on(&failing("again"));
    bench.ran(EXECS_MAX - before - 4);
    let reply = bench.ends("{}");
    assert_eq!((reply.execs, reply.ignored), (EXECS_MAX, vec![(signature, 1)]));
}

#[test]
fn answers_that_cannot_be_are_refused() {
    let refused = |line: &str, count: u64| {
        let mut bench = Bench::fuzzing(&[]);
        if count > 0 {
            bench.mutates(count);
        }
        bench.answer(line, false).unwrap_err()
    };
    assert!(refused("no json", 1).contains("not one"));
    assert!(refused(r#"{"InternalErr":"broken"}"#, 1).contains("broken"));
    assert!(refused(&snapshot(&[1; 7]), 1).contains("after one of 6"));
    assert!(refused(&snapshot(&[0; COUNTERS + 1]), 1).contains("where there are 8"));
    assert!(refused(&snapshot(&[0, 3, 0, 0, 0, 0]), 1).contains("not one bit"));
    assert!(refused(&snapshot(&[0, 2, 0, 0, 0, 0]), 0).contains("executed none"));
    assert!(refused("{}", 0).contains("executed nothing"), "it would be asked for ever");
    let mut bench = Bench::fuzzing(&[]);
    bench.mutates(2);
    bench.memory.region().write(fuzzd_protocol::layout::HEADER_BYTES, b"GO").unwrap();
    assert!(bench.answer(&failing("no"), false).unwrap_err().contains("overwritten"));
}

#[test]
fn counts_are_clamped_to_what_the_call_allowed() {
    let mut bench = Bench::fuzzing(&[]);
    bench.ran(u64::MAX >> 1);
    assert_eq!(bench.ends("{}").execs, EXECS_MAX);
}

#[test]
fn a_death_brings_the_input_and_none_if_nothing_ran() {
    let bench = Bench::fuzzing(&[]);
    assert_eq!(bench.talk.input_at_death(&bench.memory), None);
    let values = bench.mutates(5);
    let input = bench.talk.input_at_death(&bench.memory).unwrap();
    assert_eq!(&*input, to_memory(TYPES, &values));
    bench.memory.region().write(fuzzd_protocol::layout::HEADER_BYTES, b"GO").unwrap();
    let input = bench.talk.input_at_death(&bench.memory).unwrap();
    assert_eq!(&*input, START, "where the mutations started from");
}

#[test]
fn a_talk_that_is_cut_short_brings_home_what_it_has() {
    let mut bench = Bench::fuzzing(&[]);
    bench.mutates(2);
    match bench.answer(&snapshot(&[1, 0, 8, 0, 0, 0]), true) {
        Ok(Next::Reply(reply)) => assert!(reply.execs >= 2, "{reply:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.talk.take_found().len(), 1, "it was not trimmed, and is a find");
}

#[test]
fn a_failure_is_made_smaller_as_long_as_it_is_the_same() {
    let failure =
        of_error("--- FAIL: FuzzX (0.00s)\n    x_test.go:7: no\n", &OutputTail::default());
    let signature = failure.signature();
    let (execs_max, time_max) = (1_000, None);
    let (by_fork, search) = (false, None);
    let work = Work::MinimizeFailure { signature, by_fork, search, execs_max, time_max };
    let mut bench = Bench::new(work, &[]);
    loop {
        let input = String::from_utf8(bench.memory.input().unwrap()).unwrap();
        bench.ran(1);
        // It takes a `t`; without one, another line fails.
        let line = match input.trim_start_matches("go test fuzz v1").contains("rt") {
            true => failing("no"),
            false => failing("other").replace("x_test.go:7", "x_test.go:8"),
        };
        match bench.answer(&line, false).unwrap() {
            Next::Line(_) => {}
            Next::Reply(reply) => {
                let Outcome::Minimized { input, .. } = reply.outcome else { panic!("{reply:?}") };
                assert_eq!((&*input, reply.execs), (&b"rt"[..], 0));
                assert!(reply.execs_other < 50, "{}", reply.execs_other);
                return;
            }
        }
    }
}

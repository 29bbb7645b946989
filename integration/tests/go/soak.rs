//! A thousand Go workers die at random; every input they were running is rebuilt bit for bit.
//!
//! The fuzz tests of the fixture write their input to a file and then end their process. What this
//! side knows is the memory, and what it had sent.

use std::fs;
use std::path::Path;

use fuzzd_go::coverage::{dense, features};
use fuzzd_go::rebuild::{self, Running, running};
use fuzzd_go::text;
use fuzzd_integration::go;
use fuzzd_protocol::input;
use fuzzd_protocol::message::{Call, FuzzCall, MinimizeCall};
use fuzzd_protocol::value::{Value, ValueType};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::worker::Worker;

/// Deaths of one run of the test.
const DEATHS: u64 = 1_000;

/// Bytes for the value in the memories.
const CAPACITIES: [usize; 3] = [4 << 10, 64 << 10, 1 << 20];

/// Executions of a worker before its last one.
const EXECUTIONS_MAX: u32 = 60;

/// The fuzz tests that tell their input, with their parameter types.
const TESTS: [(&str, &[ValueType]); 6] = [
    ("FuzzBytes", &[ValueType::Bytes]),
    ("FuzzString", &[ValueType::String]),
    ("FuzzShared", &[ValueType::Bytes, ValueType::String, ValueType::Bytes, ValueType::Bytes]),
    (
        "FuzzIntegers",
        &[
            ValueType::Int,
            ValueType::Int8,
            ValueType::Int16,
            ValueType::Int64,
            ValueType::Uint,
            ValueType::Uint8,
            ValueType::Uint16,
            ValueType::Uint32,
            ValueType::Uint64,
        ],
    ),
    (
        "FuzzFloats",
        &[ValueType::Float32, ValueType::Float64, ValueType::Float32, ValueType::Float64],
    ),
    (
        "FuzzEverything",
        &[
            ValueType::Bytes,
            ValueType::String,
            ValueType::Bool,
            ValueType::Uint8,
            ValueType::Int32,
            ValueType::Float32,
            ValueType::Float64,
            ValueType::Int,
            ValueType::Int8,
            ValueType::Int16,
            ValueType::Int64,
            ValueType::Uint,
            ValueType::Uint16,
            ValueType::Uint32,
            ValueType::Uint64,
            ValueType::Bytes,
        ],
    ),
];

/// Bits at the edges of integers, and of both kinds of floats.
const EDGES: [u64; 14] = [
    0,
    1,
    u64::MAX,
    1 << 63,
    u64::MAX >> 1,
    0x7f,
    0x80,
    0x7fff,
    1 << 31,
    0x7fff_ffff,
    0x7f7f_ffff,
    0x7f80_0001,
    f64::MAX.to_bits(),
    f64::INFINITY.to_bits(),
];

/// How a worker ends. Two of them are noticed by another thread of the worker, some time later.
/// A panic is caught: that one fails and lives.
const ENDS: [&str; 5] = ["exit", "kill", "goroutine", "nil", "panic"];

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(u32::try_from(all.len()).unwrap()) as usize]
    }

    /// A value of one type: at an edge, a small number, an ordinary float, or anything.
    fn value(&mut self, value_type: ValueType) -> Value {
        let bits = match (value_type, self.below(4)) {
            (ValueType::Bytes, _) => return Value::Bytes(self.bytes()),
            (ValueType::String, _) => return Value::String(self.bytes()),
            (_, 0) => self.one_of(&EDGES),
            (ValueType::Float64, 1) => (f64::from(self.below(1000)) / 8.0).to_bits(),
            (_, 1) => u64::from(self.below(300)),
            _ => self.0.next_u64(),
        };
        input::to_values(&[value_type], &bits.to_le_bytes()).remove(0)
    }

    /// At most 75 bytes: quoted, 16 of them fit the smallest memory, and their shares of it.
    fn bytes(&mut self) -> Vec<u8> {
        let length = self.one_of(&[0, 1, 2, 3, 5, 8, 20, 75]);
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn text(&mut self, types: &[ValueType]) -> Vec<u8> {
        let values: Vec<Value> = types.iter().map(|&one| self.value(one)).collect();
        text::encode(&values)
    }

    /// A call that the worker may or may not survive, and how its input is to be rebuilt.
    fn call(&mut self, types: &[ValueType], keep: Option<&Vec<u8>>) -> (Call, rebuild::Call) {
        let limit = i64::from(self.below(12)) + 1;
        let is_text = |one: &ValueType| one.width().is_none();
        if let (Some(keep), Some(index), 0) = (keep, types.iter().position(is_text), self.below(4))
        {
            let call = MinimizeCall {
                limit,
                index: i64::try_from(index).unwrap(),
                keep_coverage: Some(keep.clone()),
                ..MinimizeCall::default()
            };
            return (Call::Minimize(call), rebuild::Call::Minimize(index));
        }
        let warmup = keep.is_none() || self.below(8) == 0;
        let limit = if warmup { 1 } else { limit };
        let call = FuzzCall { limit, warmup, ..FuzzCall::default() };
        (Call::Fuzz(call), if warmup { rebuild::Call::Warmup } else { rebuild::Call::Fuzz })
    }
}

#[test]
fn a_thousand_deaths_are_rebuilt_bit_for_bit() {
    let Some(binary) = go::test_binary() else { return };
    let place = tempfile::tempdir().unwrap();
    let mut kinds = [0; 3];
    for seed in 0..DEATHS {
        let kind = one_death(binary, place.path(), seed);
        kinds[kind] += 1;
    }
    println!("deaths in a warm-up, a fuzz and a minimize call: {kinds:?}");
    assert!(kinds.iter().all(|&deaths| deaths > DEATHS / 50), "{kinds:?}");
}

/// Runs one worker to its death; in which kind of call it came.
fn one_death(binary: &Path, place: &Path, seed: u64) -> usize {
    let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
    let (test, types) = dice.one_of(&TESTS);
    let capacity = dice.one_of(&CAPACITIES);
    let told = place.join(format!("{seed}"));
    let environment = [
        ("GOZOO_LOG", told.to_str().unwrap().to_owned()),
        ("GOZOO_DIE_AT", (dice.below(EXECUTIONS_MAX) + 1).to_string()),
        ("GOZOO_DIE_BY", dice.one_of(&ENDS).to_owned()),
        ("GODEBUG", format!("fuzzseed={seed}")),
    ];
    let mut worker = Worker::start(binary, test, capacity, &environment);
    let mut keep = None;
    // Every call runs something, so the death comes within so many of them.
    for _ in 0..EXECUTIONS_MAX {
        let sent = dice.text(types);
        worker.put(&sent);
        let (call, kind) = dice.call(types, keep.as_ref());
        let about = format!("death {seed}: {test}, {capacity} bytes, {environment:?}, {kind:?}");
        let answer = match &call {
            Call::Minimize(_) => worker.minimize(&call).map(|reply| reply.err),
            _ => worker.fuzz(&call).map(|reply| {
                assert_eq!(reply.internal_err, "", "{about}");
                if let Some(snapshot) = reply.coverage_data {
                    let hit = features(&snapshot, None).unwrap();
                    keep = Some(dense(&hit, snapshot.len()));
                }
                reply.err
            }),
        };
        // An input that fails in the check before it is minimized is not told as an error.
        let is_flaky = matches!(kind, rebuild::Call::Minimize(_))
            && answer.as_deref() == Some("")
            && told.exists();
        if answer.as_deref() == Some("") && !is_flaky {
            assert!(!told.exists(), "the failure was not told: {about}");
            continue;
        }
        let picture = worker.picture();
        let rebuilt = match running(kind, &sent, picture.memory()) {
            Ok(Running::Input(values)) => text::encode(&values),
            other => panic!("{about}: {other:?} of {:?}", picture.header),
        };
        let real = fs::read_to_string(&told).unwrap();
        let rebuilt = String::from_utf8(rebuilt).unwrap() + "\n";
        assert_eq!(rebuilt, real, "{about}: {:?}", picture.header);
        assert!(!worker.end().success() || is_flaky, "{about}");
        fs::remove_file(&told).unwrap();
        return match kind {
            rebuild::Call::Warmup => 0,
            rebuild::Call::Fuzz => 1,
            rebuild::Call::Minimize(_) => 2,
        };
    }
    panic!("death {seed} did not come");
}

/// Inputs with new coverage are known only to the worker, too.
#[test]
fn finds_are_rebuilt_bit_for_bit() {
    let Some(binary) = go::test_binary() else { return };
    let place = tempfile::tempdir().unwrap();
    let told = place.path().join("told");
    let environment =
        [("GOZOO_LOG", told.to_str().unwrap().to_owned()), ("GODEBUG", "fuzzseed=1".to_owned())];
    let sent =
        b"go test fuzz v1\n[]byte(\"first\")\nstring(\"two\")\n[]byte(\"\")\n[]byte(\"4\")\n";
    let mut worker = Worker::start(binary, "FuzzShared", 64 << 10, &environment);
    worker.put(sent);
    let warmup = FuzzCall { limit: 1, warmup: true, ..FuzzCall::default() };
    let first = worker.fuzz(&Call::Fuzz(warmup)).unwrap().coverage_data.unwrap();
    let counters = first.len();
    let mut known = features(&first, None).unwrap();
    let mut finds = 0;
    for _ in 0..100 {
        worker.put(sent);
        let coverage_data = Some(dense(&known, counters));
        let call = FuzzCall { limit: 200, coverage_data, ..FuzzCall::default() };
        let reply = worker.fuzz(&Call::Fuzz(call)).unwrap();
        let Some(snapshot) = reply.coverage_data else { continue };
        known.extend(features(&snapshot, Some(counters)).unwrap());
        let picture = worker.picture();
        let find = running(rebuild::Call::Fuzz, sent, picture.memory());
        let Ok(Running::Input(values)) = find else { panic!("{find:?}") };
        let all = fs::read_to_string(&told).unwrap();
        let last = all.split_inclusive("\n\n").last().unwrap();
        assert_eq!(String::from_utf8(text::encode(&values)).unwrap() + "\n", last);
        finds += 1;
    }
    assert!(finds > 5, "only {finds} finds");
    assert!(worker.end().success());
}

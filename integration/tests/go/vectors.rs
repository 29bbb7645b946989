//! The vectors of the mutator are what real workers do.
//!
//! With `FUZZD_RECORD=1` they are written instead (scripts/record-go-vectors): every worker starts
//! from a seed of its own, gets some calls, and its fuzz test writes down each input it is given.

use std::fs;
use std::path::PathBuf;

use fuzzd_go::text;
use fuzzd_integration::{go, repository};
use fuzzd_protocol::message::{Call, FuzzCall};
use serde::{Deserialize, Serialize};

use crate::worker::Worker;

/// Executions of the calls of each recording: alone, up to a full chain, one more, and many.
const LIMITS: [i64; 6] = [1, 4, 5, 6, 1, 60];

/// What is recorded: name, why, fuzz test, bytes for the value, and the value.
const RECORDINGS: [(&str, &str, &str, usize, &str); 13] = [
    ("bytes_4k", "One []byte.", "FuzzBytes", 4096, "[]byte(\"hello\")"),
    (
        "bytes_tight",
        "The value may grow by one byte only.",
        "FuzzBytes",
        128,
        "[]byte(\"0123456789abcdef0123456789\")",
    ),
    (
        "bytes_full",
        "The value fills its share: nothing may be inserted.",
        "FuzzBytes",
        124,
        "[]byte(\"0123456789abcdef01234567\")",
    ),
    (
        "bytes_empty",
        "Only inserting random bytes applies to an empty value.",
        "FuzzBytes",
        1 << 20,
        "[]byte(\"\")",
    ),
    (
        "string_64k",
        "Characters of several bytes, and bytes that are none.",
        "FuzzString",
        64 << 10,
        "string(\"héllo ☃ \\xff 😀\")",
    ),
    (
        "shared_4k",
        "Several []byte parameters show one buffer; a string is a copy.",
        "FuzzShared",
        4096,
        "[]byte(\"first\")\nstring(\"middle\")\n[]byte(\"the second is longer\")\n[]byte(\"\")",
    ),
    (
        "shared_64k",
        "The same in a larger memory.",
        "FuzzShared",
        64 << 10,
        "[]byte(\"first\")\nstring(\"middle\")\n[]byte(\"the second is longer\")\n[]byte(\"\")",
    ),
    (
        "integers_zero",
        "Unsigned numbers cannot go below zero.",
        "FuzzIntegers",
        4096,
        "int(0)\nint8(0)\nint16(0)\nint64(0)\nuint(0)\nbyte('\\x00')\nuint16(0)\n\
         uint32(0)\nuint64(0)",
    ),
    (
        "integers_edges",
        "At a bound a direction is drawn again, near it the step is smaller.",
        "FuzzIntegers",
        4096,
        "int(9223372036854775807)\nint8(-128)\nint16(32766)\nint64(-9223372036854775808)\n\
      uint(18446744073709551615)\nbyte('\\x01')\nuint16(65535)\nuint32(4294967295)\nuint64(1)",
    ),
    (
        "floats",
        "Zeros, ordinary numbers, the largest and the smallest.",
        "FuzzFloats",
        4096,
        "float32(-0)\nfloat64(0.1)\nfloat32(3.4028235e+38)\nfloat64(5e-324)",
    ),
    (
        "floats_not_numbers",
        "A NaN becomes quiet and keeps the rest of its bits.",
        "FuzzFloats",
        4096,
        "math.Float32frombits(0x7f800001)\nmath.Float64frombits(0xfff0000000000002)\n\
      float32(-Inf)\nfloat64(NaN)",
    ),
    (
        "everything_4k",
        "Every type, and the smallest share of the memory.",
        "FuzzEverything",
        4096,
        EVERYTHING,
    ),
    ("everything_1m", "Every type.", "FuzzEverything", 1 << 20, EVERYTHING),
];

const EVERYTHING: &str = "[]byte(\"a\")\nstring(\"b\")\nbool(true)\nbyte('c')\nrune('d')\n\
    float32(5)\nfloat64(6)\nint(7)\nint8(8)\nint16(9)\nint64(10)\nuint(11)\nuint16(12)\n\
    uint32(13)\nuint64(14)\n[]byte(\"zz\")";

/// One recording, as `proto-spec/README.md` says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Recording {
    name: String,
    why: String,
    go: String,
    fuzzseed: u64,
    capacity: usize,
    value: String,
    calls: Vec<Recorded>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Recorded {
    limit: i64,
    count: i64,
    rand_state: String,
    rand_inc: String,
    names: Vec<String>,
    last: String,
}

fn folder() -> PathBuf {
    repository().join("proto-spec/vectors/mutator")
}

#[test]
fn workers_do_what_was_recorded() {
    let (Some(toolchain), Some(binary)) = (go::toolchain(), go::test_binary()) else { return };
    let is_recording = std::env::var_os("FUZZD_RECORD").is_some();
    let place = tempfile::tempdir().unwrap();
    for (position, (name, why, test, capacity, value)) in RECORDINGS.into_iter().enumerate() {
        let fuzzseed = u64::try_from(position).unwrap() + 1;
        let told = place.path().join(name);
        let environment = [
            ("GODEBUG", format!("fuzzseed={fuzzseed}")),
            ("GOZOO_LOG", told.to_str().unwrap().to_owned()),
        ];
        let value = format!("go test fuzz v1\n{value}\n");
        let mut worker = Worker::start(binary, test, capacity, &environment);
        let calls = LIMITS.map(|limit| {
            drop(fs::remove_file(&told));
            worker.put(value.as_bytes());
            let call = Call::Fuzz(FuzzCall { limit, ..FuzzCall::default() });
            let reply = worker.fuzz(&call).expect("the worker lives");
            assert_eq!((reply.err.as_str(), reply.internal_err.as_str()), ("", ""));
            let header = worker.picture().header;
            let inputs = fs::read_to_string(&told).unwrap();
            let inputs: Vec<&str> = inputs.split_inclusive("\n\n").collect();
            let mut texts = inputs.iter().map(|input| input.strip_suffix('\n').unwrap());
            Recorded {
                limit,
                count: header.count,
                rand_state: format!("{:#018x}", header.rand_state),
                rand_inc: format!("{:#x}", header.rand_inc),
                names: texts.clone().map(|text| text::file_name(text.as_bytes())).collect(),
                last: texts.next_back().unwrap().to_owned(),
            }
        });
        assert!(worker.end().success());
        let recording = Recording {
            name: name.to_owned(),
            why: why.to_owned(),
            go: go::release(toolchain),
            fuzzseed,
            capacity,
            value,
            calls: calls.into(),
        };
        let path = folder().join(format!("{name}.json"));
        if is_recording {
            fs::create_dir_all(folder()).unwrap();
            let json = serde_json::to_string_pretty(&recording).unwrap();
            fs::write(&path, json + "\n").unwrap();
            continue;
        }
        let known: Recording = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        // Another release may have recorded it; it must not mutate differently.
        assert_eq!(recording, Recording { go: recording.go.clone(), ..known }, "{name}");
    }
}

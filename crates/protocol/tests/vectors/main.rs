//! Every file of `proto-spec/vectors/` holds for this crate. A file that no check reads fails.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "../common/mod.rs"]
mod common;
mod shm;

use std::path::Path;

use fuzzd_protocol::input::{self, FileError};
use fuzzd_protocol::line::{LineDecoder, LineError};
use fuzzd_protocol::message::{self, Call, FuzzReply, MinimizeReply, PingReply, SeedReply};
use fuzzd_protocol::message::{MessageError, encode_line};
use fuzzd_protocol::sparse::{self, SparseError};
use fuzzd_protocol::text::{self, TextError};
use fuzzd_protocol::value::ValueType;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What every vector has, and the case itself.
#[derive(Deserialize)]
struct Vector<T> {
    name: String,
    why: String,
    #[serde(flatten)]
    case: T,
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let json = std::fs::read(path).unwrap();
    let vector: Vector<T> =
        serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(path.file_stem().unwrap().to_str().unwrap(), vector.name, "a file has its name");
    assert!(vector.why.ends_with('.'), "{}: `why` is a sentence", path.display());
    vector.case
}

#[test]
fn every_vector_holds_and_none_is_unread() {
    let root = common::spec().join("vectors").canonicalize().unwrap();
    let files = common::files(&root);
    assert!(files.len() > 100, "only {} vectors below {}", files.len(), root.display());
    for path in files {
        assert_eq!(path.extension().and_then(|end| end.to_str()), Some("json"), "{path:?}");
        let folder = path.parent().unwrap().strip_prefix(&root).unwrap();
        println!("{}", path.display());
        match folder.to_str().unwrap() {
            "framing" => framing(&read(&path)),
            "messages" => messages(&read(&path)),
            "shm" => shm::check(read(&path)),
            "coverage" => coverage(read(&path)),
            "corpus" => corpus(&read(&path)),
            "input" => inputs(read(&path)),
            // Walked by the tests of the worker: this crate carries signatures as text.
            "signature" => {}
            // Walked by the tests of the Go dialect.
            "mutator" => {}
            other => panic!("no check reads the vectors in {other:?}"),
        }
    }
}

#[derive(Deserialize)]
struct Framing {
    max_bytes: usize,
    pieces: Vec<Bytes>,
    lines: Vec<Bytes>,
    end: End,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
enum End {
    Complete,
    Truncated { bytes: usize },
    TooLong,
}

fn framing(case: &Framing) {
    let mut decoder = LineDecoder::new(case.max_bytes);
    let mut lines = Vec::new();
    let mut reading = Ok(());
    for piece in &case.pieces {
        decoder.push(&piece.bytes());
        while reading.is_ok() {
            match decoder.next_line() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => break,
                Err(error) => reading = Err(error),
            }
        }
    }
    assert_eq!(lines, case.lines.iter().map(Bytes::bytes).collect::<Vec<_>>());
    let end = match reading.and_then(|()| decoder.finish()) {
        Ok(()) => End::Complete,
        Err(LineError::TruncatedAtEof { bytes }) => End::Truncated { bytes },
        Err(LineError::TooLong { max }) => {
            assert_eq!(max, case.max_bytes);
            End::TooLong
        }
    };
    assert_eq!(end, case.end);
}

#[derive(Deserialize)]
struct Message {
    kind: String,
    line: String,
    method: Option<String>,
    canonical: Option<String>,
    error: Option<String>,
}

fn messages(case: &Message) {
    let line = case.line.as_bytes();
    let written = match case.kind.as_str() {
        "call" => message::decode_call(line).map(|call| {
            let method = match call {
                Call::Ping(_) => "Ping",
                Call::Fuzz(_) => "Fuzz",
                Call::Minimize(_) => "Minimize",
                Call::Seed(_) => "Seed",
            };
            assert_eq!(Some(method), case.method.as_deref());
            encode_line(&call)
        }),
        "ping_reply" => message::decode_reply::<PingReply>(line).map(|m| encode_line(&m)),
        "fuzz_reply" => message::decode_reply::<FuzzReply>(line).map(|m| encode_line(&m)),
        "minimize_reply" => message::decode_reply::<MinimizeReply>(line).map(|m| encode_line(&m)),
        "seed_reply" => message::decode_reply::<SeedReply>(line).map(|m| encode_line(&m)),
        other => panic!("unknown kind {other}"),
    };
    let written =
        written.map(|line| String::from_utf8(line).unwrap()).map_err(|error| match error {
            MessageError::Json(_) => "json",
            MessageError::NoMethod => "no_method",
            MessageError::DuplicateMethod(_) => "duplicate_method",
        });
    match (&case.canonical, &case.error) {
        (Some(canonical), None) => assert_eq!(written.as_deref(), Ok(&*format!("{canonical}\n"))),
        (None, Some(error)) => assert_eq!(written.as_deref(), Err(&error.as_str())),
        _ => panic!("either `canonical` or `error`"),
    }
}

type Features = Vec<(u32, u8)>;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Coverage {
    Classes { ranges: Vec<(u8, u8, u8)> },
    Snapshot { counters_hex: String, features: Features, sparse_hex: String },
    Merge { map_hex: String, snapshot: Features, new: Features, map_after_hex: String },
    Sparse { counters: usize, features: Features, sparse_hex: String },
    SparseEncode { features: Features, sparse_hex: String },
    SparseError { counters: usize, sparse_hex: String, error: String },
}

/// The rule of `coverage.md`, once more: this crate only carries coverage and does not make it.
fn class_of(counter: u8) -> u8 {
    match counter {
        0..=2 => counter,
        3 => 4,
        4..=31 => 1 << counter.ilog2() << 1,
        32..=127 => 64,
        128..=255 => 128,
    }
}

fn coverage(case: Coverage) {
    match case {
        Coverage::Classes { ranges } => {
            let mut next = 0;
            for (first, last, class) in ranges {
                assert_eq!(first, next, "the ranges leave no gap");
                assert!((first..=last).all(|counter| class_of(counter) == class));
                next = last.wrapping_add(1);
            }
            assert_eq!(next, 0, "the ranges end at 255");
        }
        Coverage::Snapshot { counters_hex, features, sparse_hex } => {
            let counters = unhex(&counters_hex);
            let hit = (0..).zip(&counters).filter(|feature| *feature.1 != 0);
            let snapshot: Features = hit.map(|(index, &byte)| (index, class_of(byte))).collect();
            assert_eq!(snapshot, features);
            assert_eq!(sparse::encode(&snapshot), unhex(&sparse_hex));
        }
        Coverage::Merge { map_hex, snapshot, new, map_after_hex } => {
            let mut map = unhex(&map_hex);
            let mut found = Features::new();
            for (index, class) in snapshot {
                let byte = &mut map[index as usize];
                found.extend((class & !*byte != 0).then_some((index, class & !*byte)));
                *byte |= class;
            }
            assert_eq!((found, map), (new, unhex(&map_after_hex)));
        }
        Coverage::Sparse { counters, features, sparse_hex } => {
            assert_eq!(sparse::encode(&features), unhex(&sparse_hex));
            assert_eq!(sparse::decode(&unhex(&sparse_hex), counters), Ok(features));
        }
        Coverage::SparseEncode { features, sparse_hex } => {
            assert_eq!(sparse::encode(&features), unhex(&sparse_hex));
        }
        Coverage::SparseError { counters, sparse_hex, error } => {
            let found = match sparse::decode(&unhex(&sparse_hex), counters).unwrap_err() {
                SparseError::Truncated { .. } => "truncated",
                SparseError::BadNumber { .. } => "bad_number",
                SparseError::NotAscending { .. } => "not_ascending",
                SparseError::OutOfRange { .. } => "out_of_range",
                SparseError::NoClass { .. } => "no_class",
            };
            assert_eq!(found, error);
        }
    }
}

#[derive(Deserialize)]
struct Corpus {
    file: Bytes,
    types: Option<Vec<String>>,
    memory_hex: Option<String>,
    text: Option<String>,
    error: Option<String>,
    line: Option<usize>,
}

fn types_of(names: &[String]) -> Vec<ValueType> {
    names.iter().map(|name| ValueType::from_name(name).unwrap()).collect()
}

fn corpus(case: &Corpus) {
    let values = match text::decode(&case.file.bytes()) {
        Ok(values) => values,
        Err(error) => {
            let (found, at) = match error {
                TextError::NoVersion => ("no_version", None),
                TextError::NoValues => ("no_values", None),
                TextError::Line { line, .. } => ("line", Some(line)),
            };
            assert_eq!((Some(found), at), (case.error.as_deref(), case.line));
            return;
        }
    };
    let types = types_of(case.types.as_ref().unwrap());
    assert_eq!(values.iter().map(|value| value.value_type()).collect::<Vec<_>>(), types);
    assert_eq!(input::to_memory(&types, &values), unhex(case.memory_hex.as_ref().unwrap()));
    assert_eq!(String::from_utf8(text::encode(&values)).unwrap(), *case.text.as_ref().unwrap());
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Inputs {
    Memory {
        types: Vec<String>,
        memory_hex: String,
        fields: Vec<FieldCase>,
        canonical_hex: String,
        file: Bytes,
    },
    File {
        types: Vec<String>,
        file: Bytes,
        memory_hex: Option<String>,
        error: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldCase {
    start: usize,
    end: usize,
    prefix: Option<usize>,
}

fn inputs(case: Inputs) {
    match case {
        Inputs::Memory { types, memory_hex, fields, canonical_hex, file } => {
            let (types, memory) = (types_of(&types), unhex(&memory_hex));
            let found = input::fields(&types, &memory);
            assert_eq!(found.len(), fields.len());
            for (found, field) in found.iter().zip(&fields) {
                assert_eq!((&found.bytes, found.prefix), (&(field.start..field.end), field.prefix));
            }
            assert_eq!(input::canonical(&types, &memory), unhex(&canonical_hex));
            assert_eq!(input::to_file(&types, &memory), file.bytes());
            assert_eq!(input::from_file(&types, &file.bytes()), Ok(unhex(&canonical_hex)));
        }
        Inputs::File { types, file, memory_hex, error } => {
            let found = input::from_file(&types_of(&types), &file.bytes()).map_err(|e| match e {
                FileError::Text(_) => "text".to_owned(),
                FileError::WrongTypes { .. } => "wrong_types".to_owned(),
            });
            assert_eq!(found.as_deref().ok(), memory_hex.as_deref().map(unhex).as_deref());
            assert_eq!(found.err(), error);
        }
    }
}

/// A byte string in a vector: UTF-8 text, `{"hex": …}`, or `{"repeat": …, "times": …}`.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Bytes {
    Text(String),
    Hex { hex: String },
    Repeat { repeat: String, times: usize },
}

impl Bytes {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex { hex } => unhex(hex),
            Self::Repeat { repeat, times } => repeat.repeat(*times).into_bytes(),
        }
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "{hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

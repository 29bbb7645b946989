//! What a worker announces in its answer to `Ping`.
//!
//! Owns the check of that answer. The Go dialect is refused here: this is the place where it
//! will be told apart.

use std::collections::BTreeSet;

use fuzzd_protocol::layout::ring::RING_BYTES;
use fuzzd_protocol::limits::{TEST_NAME_BYTES_MAX, TESTS_MAX};
use fuzzd_protocol::message::{self, Call, PingCall, PingReply};
use fuzzd_protocol::sparse::{self, SparseError};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{PROTOCOL_VERSION, caps};

use crate::limits::{COUNTERS_MAX, MISBEHAVIOUR_TEXT_BYTES, SEEDS_MAX};
use crate::worker::memory::WorkerMemory;

/// Why an answer to `Ping` cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// Not an answer at all.
    #[error("its answer to Ping is not one: {0}")]
    NotAReply(String),
    /// A worker that does not keep its input in memory, such as a Go test binary.
    #[error(
        "it does not announce `{cap}`, so it speaks the Go dialect, which is not supported yet",
        cap = caps::INPUT_IN_MEMORY
    )]
    GoDialect,
    /// Another version of the protocol.
    #[error("it speaks version {0} of the protocol, this fuzzd speaks {PROTOCOL_VERSION}")]
    Version(u32),
    /// More counters than any program has.
    #[error("it announces {0} coverage counters, the limit is {COUNTERS_MAX}")]
    Counters(u64),
    /// More seeds than are read.
    #[error("it announces {0} seeds in code, the limit is {SEEDS_MAX}")]
    Seeds(u64),
    /// Parameters nothing can be made for.
    #[error("it announces the parameter type {0:?}, which is none of the protocol's")]
    Type(String),
    /// Fuzz tests with names that cannot be, or twice, or too many of them.
    #[error("it announces the fuzz test {0:?}, which cannot be, or more than {TESTS_MAX} of them")]
    Test(String),
    /// Functions of counters that do not exist, or in no order.
    #[error("it announces functions that cannot be: {0}")]
    Functions(SparseError),
    /// No parameters.
    #[error("it announces no parameter types")]
    NoTypes,
}

/// What a worker can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Caps {
    /// Coverage travels in sparse form.
    pub(super) has_sparse: bool,
    /// It minimizes by forking what would end it.
    pub(super) has_fork: bool,
    /// It does a part of a minimization.
    pub(super) has_search: bool,
    /// It goes on over failures it is told of.
    pub(super) has_ignore: bool,
    /// It serves its seeds.
    pub(super) has_seeds: bool,
    /// It keeps the control block: its phase says whether an input is being executed.
    pub(super) has_control: bool,
    /// It takes plans, and tells finds through the ring.
    pub(super) has_plans: bool,
    /// It reads merged coverage from the map.
    pub(super) has_map: bool,
    /// It mutates in the way that it is told.
    pub(super) has_profiles: bool,
}

/// What a worker said of itself, checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Announced {
    pub(super) caps: Caps,
    /// 0: not instrumented.
    pub(super) counters: usize,
    pub(super) types: Vec<ValueType>,
    /// How many seeds there are in code.
    pub(super) seeds: u64,
    /// Names of the program's fuzz tests; empty: it has no names.
    pub(super) tests: Vec<String>,
    /// The counters that begin a function, ascending; empty: not known.
    pub(super) functions: Vec<u32>,
}

/// The line of a `Ping`. A memory with a ring goes with an arena and a map at fds 7 and 6. What is
/// the same for all processes of a build (its functions) is asked for once.
pub(super) fn ping_line(memory: &WorkerMemory, asks_functions: bool) -> Vec<u8> {
    let ring_offset = memory.ring_offset();
    let call = PingCall {
        proto: Some(PROTOCOL_VERSION),
        control_offset: memory.control_offset(),
        ring_offset,
        ring_bytes: ring_offset.map(|_| RING_BYTES as u64),
        arena: ring_offset.is_some(),
        map: ring_offset.is_some(),
        functions: asks_functions,
    };
    message::encode_line(&Call::Ping(call))
}

/// Checks the answer of a worker that was given this memory. What it was not offered it does not
/// have.
pub(super) fn read_ping(line: &[u8], memory: &WorkerMemory) -> Result<Announced, PingError> {
    let reply: PingReply = message::decode_reply(line)
        .map_err(|error| PingError::NotAReply(shortened(&error.to_string())))?;
    let has = |cap: &str| reply.caps.iter().any(|announced| announced == cap);
    if !has(caps::INPUT_IN_MEMORY) {
        return Err(PingError::GoDialect);
    }
    if let Some(version) = reply.proto.filter(|&version| version != PROTOCOL_VERSION) {
        return Err(PingError::Version(version));
    }
    let announced = reply.counters.unwrap_or(0);
    let counters = usize::try_from(announced).ok().filter(|&counters| counters <= COUNTERS_MAX);
    let counters = counters.ok_or(PingError::Counters(announced))?;
    if reply.seeds > SEEDS_MAX {
        return Err(PingError::Seeds(reply.seeds));
    }
    let type_of =
        |name: &String| ValueType::from_name(name).ok_or_else(|| PingError::Type(shortened(name)));
    let types = reply.types.iter().map(type_of).collect::<Result<Vec<_>, _>>()?;
    if types.is_empty() {
        return Err(PingError::NoTypes);
    }
    let is_offered = memory.ring_offset().is_some() && has(caps::COVERAGE_SPARSE);
    let caps = Caps {
        has_plans: is_offered && has(caps::PLAN),
        has_map: is_offered && has(caps::MAP),
        has_sparse: has(caps::COVERAGE_SPARSE),
        has_fork: has(caps::FORK),
        has_search: has(caps::SEARCH),
        has_profiles: has(caps::PROFILE),
        has_ignore: has(caps::IGNORE),
        has_seeds: has(caps::SEEDS),
        has_control: has(caps::CONTROL),
    };
    let seeds = if caps.has_seeds { reply.seeds } else { 0 };
    let starts = reply.functions.as_deref().unwrap_or_default();
    let functions = sparse::decode(starts, counters).map_err(PingError::Functions)?;
    let functions = functions.into_iter().map(|(first, _)| first).collect();
    let tests = reply.tests;
    check_tests(&tests)?;
    Ok(Announced { caps, counters, types, seeds, tests, functions })
}

/// Names become parts of paths, and tell corpora apart.
fn check_tests(tests: &[String]) -> Result<(), PingError> {
    let mut known = BTreeSet::new();
    let wrong = tests.iter().enumerate().find(|(position, name)| {
        let has_odd = name.contains(['/', '\\']) || name.contains(char::is_control);
        let is_odd = name.is_empty() || name.starts_with('.') || has_odd;
        let is_too_much = *position >= TESTS_MAX || name.len() > TEST_NAME_BYTES_MAX;
        is_odd || is_too_much || !known.insert(name.as_str())
    });
    wrong.map_or(Ok(()), |(_, name)| Err(PingError::Test(shortened(name))))
}

/// A worker's own words, cut to what a person reads.
pub(super) fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(MISBEHAVIOUR_TEXT_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> WorkerMemory {
        WorkerMemory::create(64).unwrap()
    }

    #[test]
    fn a_full_answer_is_read() {
        let line = br#"{"Proto":1,"Caps":["input_in_memory","coverage_sparse","seeds","new"],
            "Counters":7,"Types":["[]byte","rune"],"Seeds":2,"Unknown":[]}"#;
        let announced = read_ping(line, &memory()).unwrap();
        assert_eq!((announced.counters, announced.seeds), (7, 2));
        assert_eq!(announced.types, [ValueType::Bytes, ValueType::Rune]);
        let caps = Caps { has_sparse: true, has_seeds: true, ..Caps::default() };
        assert_eq!(announced.caps, caps);
    }

    #[test]
    fn plans_and_the_map_are_had_only_where_they_were_offered() {
        let line = br#"{"Caps":["input_in_memory","coverage_sparse","plan","map"],
            "Types":["string"]}"#;
        let with_ring = WorkerMemory::create_with_ring(64).unwrap();
        let caps = read_ping(line, &with_ring).unwrap().caps;
        assert!(caps.has_plans && caps.has_map);
        let caps = read_ping(line, &memory()).unwrap().caps;
        assert!(!caps.has_plans && !caps.has_map);
        let offered = ping_line(&with_ring, false);
        let not_offered = String::from_utf8(ping_line(&memory(), false)).unwrap();
        assert!(String::from_utf8(offered).unwrap().contains(r#""Arena":true,"Map":true"#));
        assert!(!not_offered.contains("Ring") && !not_offered.contains("Map"));
    }

    #[test]
    fn answers_that_cannot_be_worked_with_say_why() {
        let with = |rest: &str| {
            let line = format!(r#"{{"Caps":["input_in_memory"],{rest}}}"#);
            read_ping(line.as_bytes(), &memory()).unwrap_err()
        };
        assert_eq!(read_ping(b"{}", &memory()), Err(PingError::GoDialect));
        assert!(matches!(read_ping(b"hello", &memory()), Err(PingError::NotAReply(_))));
        assert_eq!(with(r#""Proto":2,"Types":["string"]"#), PingError::Version(2));
        assert_eq!(with(r#""Counters":18446744073709551615"#), PingError::Counters(u64::MAX));
        assert_eq!(with(r#""Seeds":9000000"#), PingError::Seeds(9_000_000));
        assert_eq!(with(r#""Types":["map"]"#), PingError::Type("map".into()));
        assert_eq!(with(r#""Types":[]"#), PingError::NoTypes);
        for names in [vec![""], vec!["../a"], vec!["a\n"], vec!["a", "b", "a"], vec![".a"]] {
            let names = serde_json::json!(names);
            let error = with(&format!(r#""Types":["string"],"Tests":{names}"#));
            assert!(matches!(error, PingError::Test(_)), "{names}: {error:?}");
        }
        let beyond = with(r#""Counters":2,"Types":["string"],"Functions":"AAECAQ==""#);
        assert_eq!(beyond, PingError::Functions(SparseError::OutOfRange { index: 2, counters: 2 }));
    }

    #[test]
    fn functions_are_read_where_they_are_told() {
        let line = br#"{"Caps":["input_in_memory"],"Counters":9,"Types":["string"],
            "Functions":"AAEFAQ=="}"#;
        assert_eq!(read_ping(line, &memory()).unwrap().functions, [0, 5]);
        let asking = String::from_utf8(ping_line(&memory(), true)).unwrap();
        assert!(asking.contains(r#""Functions":true"#), "{asking}");
    }
}

//! Reports that the tests of rendering share.

use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{EntryId, TestIndex};
use fuzzd_core::session::{
    Activity, BugReport, FinishReason, Status, Summary, TestSummary, UnsavedCrash,
};
use fuzzd_core::signature::FailureKind;
use fuzzd_protocol::value::ValueType;

use super::{Context, TestView};
use crate::plan::Plan;
use crate::planned::Planned;

pub(crate) fn status() -> Status {
    Status {
        elapsed: Duration::from_secs(62),
        execs: 1_204_551,
        execs_other: 4_123,
        execs_per_sec: 20_075.2,
        edges: 1_801,
        features: 2_450,
        corpus: 214,
        new_finds: 12,
        bugs: 2,
        workers: 2,
        restarts: 3,
        since_last_find: Some(Duration::from_millis(4_900)),
        activity: Activity::Fuzzing,
    }
}

pub(crate) fn failure() -> Failure {
    Failure::new(
        FailureKind::Panic,
        "src/lib.rs:10:5",
        "index out of bounds: the len is 3 but the index is 7",
        "stack backtrace:\n   0: my_crate::parse\n             at src/lib.rs:10\n",
    )
}

pub(crate) fn bug() -> BugReport {
    let failure = failure();
    BugReport {
        test: TestIndex(0),
        signature: failure.signature(),
        failure,
        input: b"GET \xff".as_slice().into(),
        path: Some("/w/testdata/fuzz/parse_request/panic-1".into()),
        reproduced: 3,
        runs: 3,
        is_flaky: false,
    }
}

pub(crate) fn tests() -> Vec<TestView> {
    let view = |name: &str, types: &[ValueType]| TestView {
        name: name.to_owned(),
        types: types.to_vec(),
        cargo_test: Some(format!("cargo test {name}")),
        go_test: None,
        replay: format!("fuzzd replay {name}"),
    };
    vec![
        view("parse_request", &[ValueType::Bytes]),
        view("tests::round_trip", &[ValueType::String, ValueType::Uint32]),
    ]
}

pub(crate) fn plan() -> Plan {
    let target = |view| Planned {
        view,
        program: "/bin/true".into(),
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: "/".into(),
        testdata: "/".into(),
        can_show: true,
        dialect: fuzzd_coordinator::Dialect::Native,
    };
    Plan { targets: tests().into_iter().map(target).collect(), root: "/w".into(), in_use: None }
}

pub(crate) fn context() -> Context {
    Context { tests: tests(), list_bugs: "fuzzd bugs".to_owned(), here: "/w".into() }
}

pub(crate) fn summary() -> Summary {
    let test = |test, execs, bugs_new, given_up: Option<&str>| TestSummary {
        test: TestIndex(test),
        execs,
        execs_total: execs * 2,
        edges: 900,
        counters: 14_030,
        corpus: 107,
        bugs_new,
        bugs_known: 1,
        given_up: given_up.map(str::to_owned),
        is_skipped: false,
    };
    Summary {
        reason: FinishReason::TimeReached,
        status: status(),
        tests: vec![test(0, 1_204_000, 2, None), test(1, 551, 0, Some("exit 1\nat once"))],
        unsaved: Vec::new(),
        unsaved_entries: 0,
    }
}

pub(crate) fn unsaved() -> UnsavedCrash {
    UnsavedCrash {
        test: TestIndex(0),
        id: EntryId::of(b"GET \xff"),
        input: b"GET \xff".as_slice().into(),
        failure: failure(),
    }
}

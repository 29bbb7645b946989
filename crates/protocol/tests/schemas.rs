//! The JSON Schemas of `proto-spec/schema/` and this crate's messages agree: what is written is
//! valid, what the schemas name is written, and what they refuse is known.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod common;

use std::collections::BTreeSet;

use fuzzd_protocol::message::{
    Call, FailureInfo, ForkLimits, FuzzCall, FuzzReply, IgnoredCount, MinimizeCall, MinimizeReply,
    PingCall, PingReply, PlanItem, PlanStat, SearchPart, SearchReport, SeedCall, SeedReply,
    encode_line,
};
use fuzzd_protocol::value::ValueType;
use jsonschema::Validator;
use serde_json::{Value as Json, json};

fn schema(name: &str) -> Json {
    let path = common::spec().join("schema").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    let schema = schema(name);
    assert!(jsonschema::meta::is_valid(&schema), "{name} is no schema");
    jsonschema::validator_for(&schema).unwrap()
}

fn written(message: &impl serde::Serialize) -> Json {
    serde_json::from_slice(&encode_line(message)).unwrap()
}

/// One message with every field set, per schema; the calls by their method.
fn full_calls() -> [(&'static str, Call); 4] {
    let bytes = Some(vec![0, 1, 255]);
    let signature = "00abcdef01234567".to_owned();
    let ping = PingCall {
        proto: Some(1),
        control_offset: Some(128),
        ring_offset: Some(4224),
        ring_bytes: Some(1 << 20),
        arena: true,
        map: true,
        functions: true,
    };
    [
        ("Ping", Call::Ping(ping)),
        (
            "Fuzz",
            Call::Fuzz(FuzzCall {
                timeout_ns: i64::MAX,
                limit: 5,
                warmup: true,
                coverage_data: bytes.clone(),
                seed: Some(u64::MAX),
                coverage_delta: bytes.clone(),
                ignore: vec![signature.clone()],
                max_len: Some(4096),
                plan: vec![PlanItem { entry: 3, weight: 1, is_new: true }],
                profile: Some("wild".to_owned()),
            }),
        ),
        (
            "Minimize",
            Call::Minimize(MinimizeCall {
                timeout_ns: 1,
                limit: 2,
                keep_coverage: bytes.clone(),
                index: 3,
                keep_sparse: bytes,
                signature: Some(signature),
                fork: Some(ForkLimits { timeout_ns: 1, memory: 2 }),
                search: Some(SearchPart { from: 9, held: vec![0, 4], part: 1, parts: 2 }),
            }),
        ),
        ("Seed", Call::Seed(SeedCall { index: 1 })),
    ]
}

fn full_replies() -> [(&'static str, Json); 4] {
    let bytes = Some(vec![1, 2, 3]);
    let failure = Some(FailureInfo {
        kind: "panic".to_owned(),
        location: "src/lib.rs:1:2".to_owned(),
        message: "m".to_owned(),
        details: "d".to_owned(),
    });
    let ping = PingReply {
        proto: Some(1),
        caps: vec!["control".to_owned()],
        counters: Some(9),
        build_id: Some("b".to_owned()),
        types: ValueType::ALL.iter().map(|value_type| value_type.name().to_owned()).collect(),
        seeds: 2,
        tests: vec!["parse".to_owned()],
        functions: bytes.clone(),
    };
    let fuzz = FuzzReply {
        total_duration_ns: 1,
        interesting_duration_ns: 1,
        count: 1,
        coverage_data: bytes.clone(),
        err: "e".to_owned(),
        internal_err: "i".to_owned(),
        coverage_sparse: bytes.clone(),
        failure: failure.clone(),
        ignored: vec![IgnoredCount { signature: "s".to_owned(), count: 1 }],
        other_count: 1,
        rejected: true,
        plan: vec![PlanStat { execs: 1, nanos: 2, finds: 3 }],
        unlooked: vec![0, 7],
    };
    let minimize = MinimizeReply {
        wrote_to_mem: true,
        err: "e".to_owned(),
        coverage_data: bytes.clone(),
        duration_ns: 1,
        count: 1,
        coverage_sparse: bytes,
        failure,
        other_count: 1,
        search: Some(SearchReport { until: 9, held: vec![4], done: true }),
    };
    let seed = SeedReply { total: 1, internal_err: "i".to_owned() };
    [
        ("ping-reply", written(&ping)),
        ("fuzz-reply", written(&fuzz)),
        ("minimize-reply", written(&minimize)),
        ("seed-reply", written(&seed)),
    ]
}

fn keys(object: &Json) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_message_written_is_valid_and_the_schemas_name_exactly_its_fields() {
    let (calls, call_schema) = (validator("call"), schema("call"));
    assert_eq!(keys(&call_schema["properties"]).len(), full_calls().len());
    for (method, call) in full_calls() {
        let json = written(&call);
        calls.validate(&json).unwrap();
        let arguments = &call_schema["properties"][method]["oneOf"][1]["properties"];
        assert_eq!(keys(arguments), keys(&json[method]), "{method}");
    }
    for (name, json) in full_replies() {
        validator(name).validate(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(keys(&schema(name)["properties"]), keys(&json), "{name}");
    }
}

#[test]
fn messages_without_extensions_are_valid() {
    for call in [
        Call::Ping(PingCall::default()),
        Call::Fuzz(FuzzCall::default()),
        Call::Minimize(MinimizeCall::default()),
        Call::Seed(SeedCall::default()),
    ] {
        validator("call").validate(&written(&call)).unwrap();
    }
    validator("ping-reply").validate(&written(&PingReply::default())).unwrap();
    validator("fuzz-reply").validate(&written(&FuzzReply::default())).unwrap();
    validator("minimize-reply").validate(&written(&MinimizeReply::default())).unwrap();
    validator("seed-reply").validate(&written(&SeedReply::default())).unwrap();
}

#[test]
fn every_message_vector_is_valid_in_its_canonical_form() {
    let mut checked = 0;
    for path in common::files(&common::spec().join("vectors/messages")) {
        let vector: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let Some(canonical) = vector["canonical"].as_str() else { continue };
        let schema = vector["kind"].as_str().unwrap().replace('_', "-");
        let json: Json = serde_json::from_str(canonical).unwrap();
        let result = validator(&schema).validate(&json).map_err(|error| error.to_string());
        assert_eq!(result, Ok(()), "{}", path.display());
        checked += 1;
    }
    assert!(checked > 20, "only {checked} vectors");
}

#[test]
fn what_a_decoder_refuses_by_type_the_schemas_refuse_too() {
    let calls = validator("call");
    for bad in [
        json!({}),
        json!({"Ping": null, "Fuzz": null, "Minimize": null}),
        json!({"Ping": {}, "Fuzz": {}}),
        json!({"Ping": []}),
        json!({"Ping": {"Control": 65}}),
        json!({"Ping": {"Ring": 4160}}),
        json!({"Ping": {"Control": 64, "Ring": 4161, "RingBytes": 64}}),
        json!({"Ping": {"Map": 1}}),
        json!({"Fuzz": {"Plan": [[0, 1]]}}),
        json!({"Fuzz": {"Plan": [{"Entry": -1, "Weight": 1}]}}),
        json!({"Fuzz": {"Plan": [{"Entry": 0, "Weight": 0}]}}),
        json!({"Fuzz": {"Limit": "3"}}),
        json!({"Fuzz": {"Limit": -1}}),
        json!({"Fuzz": {"CoverageData": "AAE"}}),
        json!({"Fuzz": {"CoverageDelta": "_w=="}}),
        json!([{}, null, null]),
    ] {
        assert!(!calls.is_valid(&bad), "{bad}");
    }
    assert!(!validator("fuzz-reply").is_valid(&json!({"Failure": ["panic"]})));
    assert!(!validator("fuzz-reply").is_valid(&json!({"Err": 3})));
    assert!(!validator("fuzz-reply").is_valid(&json!({"Plan": [{"Execs": -1}]})));
    assert!(!validator("ping-reply").is_valid(&json!({"Types": ["uintptr"]})));
    assert!(!validator("minimize-reply").is_valid(&json!({"WroteToMem": 1})));
    assert!(!validator("seed-reply").is_valid(&json!([])));
}

//! Seeds and parameter types come out of an unmodified binary.

use std::path::Path;
use std::time::Duration;

use fuzzd_go::harvest::{Harvest, HarvestError, Request, run};
use fuzzd_go::process::spawn;
use fuzzd_integration::go;
use fuzzd_integration::limits::DEADLINE;
use fuzzd_protocol::value::ValueType;

fn harvest(test: &str, timeout: Duration) -> Option<Result<Harvest, HarvestError>> {
    let directory = go::package();
    Some(run(Request {
        program: go::test_binary()?,
        test,
        directory: &directory,
        shim: Path::new(env!("CARGO_BIN_EXE_harvest_shim")),
        timeout,
        spawn,
    }))
}

fn texts(harvest: &Harvest) -> Vec<String> {
    harvest.seeds.iter().map(|seed| String::from_utf8(seed.clone()).unwrap()).collect()
}

#[test]
fn seeds_come_from_the_code_and_from_testdata() {
    let Some(found) = harvest("FuzzBytes", DEADLINE) else { return };
    let found = found.unwrap();
    assert_eq!(found.types, [ValueType::Bytes]);
    let seeds =
        ["go test fuzz v1\n[]byte(\"hello\")\n", "go test fuzz v1\n[]byte(\"from a file\")\n"];
    assert_eq!(texts(&found), seeds);
}

#[test]
fn without_seeds_there_are_still_types() {
    let Some(found) = harvest("FuzzNoSeed", DEADLINE) else { return };
    let types = vec![ValueType::Int32, ValueType::Bool, ValueType::Bytes];
    assert_eq!(found.unwrap(), Harvest { types, seeds: Vec::new() });
}

#[test]
fn every_parameter_type_is_told() {
    let Some(found) = harvest("FuzzEverything", DEADLINE) else { return };
    let found = found.unwrap();
    let names: Vec<&str> = found.types.iter().map(|value_type| value_type.name()).collect();
    let expected = "[]byte string bool uint8 int32 float32 float64 int int8 int16 int64 uint \
                    uint16 uint32 uint64 []byte";
    assert_eq!(names.join(" "), expected);
    assert_eq!(found.seeds.len(), 1);
}

#[test]
fn floats_keep_their_bits_on_the_way() {
    let Some(found) = harvest("FuzzFloats", DEADLINE) else { return };
    let texts = texts(&found.unwrap());
    assert!(texts[1].contains("math.Float32frombits(0x7f800001)"), "{texts:?}");
    assert!(texts[1].contains("float64(5e-324)"), "{texts:?}");
}

#[test]
fn a_skipped_or_missing_fuzz_test_is_said_to_be_one() {
    for test in ["FuzzSkipped", "FuzzMissing"] {
        let Some(found) = harvest(test, DEADLINE) else { return };
        assert!(matches!(found, Err(HarvestError::Skipped { .. })), "{test}: {found:?}");
    }
}

#[test]
fn a_failure_before_the_fuzz_call_comes_with_its_output() {
    let Some(found) = harvest("FuzzBroken", DEADLINE) else { return };
    let Err(HarvestError::Failed { output, .. }) = found else { panic!("{found:?}") };
    assert!(output.contains("broken on purpose"), "{output}");
}

#[test]
fn a_fuzz_test_that_does_not_come_to_the_point_is_ended() {
    let Some(found) = harvest("FuzzHangs", Duration::from_secs(2)) else { return };
    assert!(matches!(found, Err(HarvestError::TimedOut { .. })), "{found:?}");
}

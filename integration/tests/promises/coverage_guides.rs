//! Coverage guides the search: what guessing never finds is found step by step.

use fuzzd_integration::Place;

#[test]
fn eight_bytes_are_found_one_by_one() {
    let place = Place::new();
    let outcome = place.zoo("branchy").workers(2).execs(20_000_000).args(["--fail-fast"]).to_end();
    outcome.expect_code(1);
    let bug = outcome.only_bug();
    assert_eq!(bug["kind"], "panic");
    let (_, input) = place.testdata("branchy").pop().expect("a file in testdata");
    assert!(input.starts_with(b"fuzzd!OK"), "{input:?}");
}

#[test]
fn the_runtime_itself_is_not_measured() {
    let outcome = Place::new().zoo("empty").execs(50_000).to_end();
    outcome.expect_code(0);
    let finished = outcome.finished();
    assert!(finished["edges"].as_u64() < Some(50), "{}", outcome.all());
    assert!(finished["corpus"].as_u64() < Some(5), "{}", outcome.all());
}

//! The vectors of `proto-spec/` that only a worker can hold: classes, snapshots and finds made from
//! counters, and signatures.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU8;

use fuzzd_core::coverage::Feature;
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::sparse;
use serde_json::Value as Json;

use crate::counters::{Counters, Seen};

fn vectors(folder: &str) -> Vec<(PathBuf, Json)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-spec/vectors").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let json = std::fs::read(&path).unwrap();
            (path, serde_json::from_slice(&json).unwrap())
        })
        .collect()
}

/// What the pass and the snapshot make of counters with these values.
fn measure(values: Vec<u8>) -> Vec<Feature> {
    let count = values.len();
    let cells: Box<[AtomicU8]> = values.into_iter().map(AtomicU8::new).collect();
    let mut counters = Counters::over([&*Box::leak(cells)]);
    let snapshot = counters.snapshot();
    assert_eq!(counters.pass(&Seen::new(count)), !snapshot.is_empty());
    assert_eq!(counters.hot(), snapshot, "the pass sees what a snapshot sees");
    snapshot
}

fn unhex(json: &Json) -> Vec<u8> {
    let hex = json.as_str().unwrap().as_bytes();
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    hex.chunks(2).map(byte).collect()
}

fn features(json: &Json) -> Vec<Feature> {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn counters_become_the_classes_snapshots_and_finds_of_the_specification() {
    let mut walked = [0; 3];
    for (path, case) in vectors("coverage") {
        println!("{}", path.display());
        match case["kind"].as_str().unwrap() {
            "classes" => {
                walked[0] += 1;
                let ranges: Vec<(u8, u8, u8)> =
                    serde_json::from_value(case["ranges"].clone()).unwrap();
                for (counter, (first, last, class)) in ranges
                    .into_iter()
                    .flat_map(|range| (range.0..=range.1).map(move |c| (c, range)))
                {
                    assert!((first..=last).contains(&counter));
                    // Nine of them: in words as well as beside them.
                    let expected = (0..9).map(|index| (index, class)).filter(|_| class != 0);
                    assert_eq!(measure(vec![counter; 9]), expected.collect::<Vec<_>>());
                }
            }
            "snapshot" => {
                walked[1] += 1;
                let snapshot = measure(unhex(&case["counters_hex"]));
                assert_eq!(snapshot, features(&case["features"]));
                assert_eq!(sparse::encode(&snapshot), unhex(&case["sparse_hex"]));
            }
            "merge" => {
                walked[2] += 1;
                let map = unhex(&case["map_hex"]);
                let mut seen = Seen::new(map.len());
                assert!(seen.replace(&map));
                let snapshot = features(&case["snapshot"]);
                let is_find = !features(&case["new"]).is_empty();
                assert_eq!(!seen.lacking(&snapshot).is_empty(), is_find);
                seen.merge(&snapshot);
                assert_eq!(seen.bits(), unhex(&case["map_after_hex"]));
            }
            _ => {}
        }
    }
    assert!(walked.iter().all(|count| *count > 0), "{walked:?}");
}

#[test]
fn failures_have_the_signatures_of_the_specification() {
    let text = include_str!("../../../proto-spec/protocol.md");
    let all = vectors("signature");
    assert!(all.len() > 10);
    for (path, case) in all {
        let text_of = |key: &str| case[key].as_str().unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(text_of("name")));
        let kind = FailureKind::from_name(text_of("kind")).unwrap();
        let signature = Signature::of(kind, text_of("location"), text_of("message"));
        assert_eq!(signature.to_string(), text_of("signature"), "{}", path.display());
        if text_of("why").contains("example of protocol.md") {
            assert!(text.contains(text_of("signature")), "{}", path.display());
        }
    }
}

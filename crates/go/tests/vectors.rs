//! What real Go workers did, done again: the vectors of `proto-spec/vectors/mutator`.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;

use fuzzd_go::limits::CHAINED_MUTATIONS;
use fuzzd_go::mutator::Candidate;
use fuzzd_go::pcg::Pcg;
use fuzzd_go::rebuild::{self, Memory, Running, running};
use fuzzd_go::text;
use fuzzd_protocol::layout::Header;
use serde::Deserialize;

/// One worker, from its start: see `proto-spec/README.md`.
#[derive(Deserialize)]
struct Recording {
    name: String,
    why: String,
    fuzzseed: u64,
    capacity: usize,
    value: String,
    calls: Vec<Recorded>,
}

/// One call to it, with what lay in the header afterwards.
#[derive(Deserialize)]
struct Recorded {
    limit: i64,
    count: i64,
    rand_state: String,
    rand_inc: String,
    names: Vec<String>,
    last: String,
}

#[test]
fn a_worker_s_inputs_follow_from_its_seed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-spec/vectors/mutator");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recording: Recording = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), recording.name);
        assert!(recording.why.ends_with('.'), "{}: `why` is a sentence", recording.name);
        replay(&recording);
        seen += 1;
    }
    assert!(seen >= 13, "only {seen} recordings");
}

/// Does what a worker does, and asks after every execution what it was running.
fn replay(recording: &Recording) {
    // The first generator of the process, and one for all calls.
    let mut generator = Pcg::seeded(recording.fuzzseed, 1);
    let sent = recording.value.as_bytes();
    let values = text::decode(sent).unwrap();
    for call in &recording.calls {
        let mut header = header(&generator, 0);
        let mut candidate = Candidate::new(values.clone(), recording.capacity).unwrap();
        for name in &call.names {
            if header.count % CHAINED_MUTATIONS == 0 {
                candidate = Candidate::new(values.clone(), recording.capacity).unwrap();
                header = self::header(&generator, header.count);
            }
            candidate.mutate(&mut generator).unwrap();
            header.count += 1;
            let input = candidate.values();
            let place = format!("{}, {} of {}", recording.name, header.count, call.limit);
            assert_eq!(text::file_name(&text::encode(&input)), *name, "{place}");
            let memory = Memory { header, value: sent, capacity: recording.capacity };
            let rebuilt = running(rebuild::Call::Fuzz, sent, memory);
            assert_eq!(rebuilt, Ok(Running::Input(input)), "{place}");
        }
        assert_eq!(text::encode(&candidate.values()), call.last.as_bytes(), "{}", recording.name);
        assert_eq!(header.count, call.count);
        assert_eq!(format!("{:#018x}", header.rand_state), call.rand_state);
        assert_eq!(format!("{:#x}", header.rand_inc), call.rand_inc);
    }
}

fn header(generator: &Pcg, count: i64) -> Header {
    let (rand_state, rand_inc) = generator.save();
    Header { count, rand_state, rand_inc, ..Header::default() }
}

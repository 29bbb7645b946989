//! Walking the transcripts that lie there: what is said is valid, and true of the memory.

use std::collections::BTreeSet;

use fuzzd_go::rebuild::{self, Running};
use fuzzd_integration::repository;
use fuzzd_protocol::layout::{HEADER_BYTES, Header, PHASE_IDLE, PHASE_RUNNING};
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, MinimizeReply, PingReply, decode_call, decode_reply, encode_line,
};
use fuzzd_protocol::sparse;
use jsonschema::Validator;

use crate::transcript::{Step, Transcript, all};

/// Scenes of each dialect.
const SCENES: [&str; 6] = ["warm_up", "fuzz", "minimize", "failure", "death", "stop"];

fn validator(name: &str) -> Validator {
    let path = repository().join("proto-spec/schema").join(format!("{name}.json"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn validate(schema: &str, line: &str) {
    let json = serde_json::from_str(line).unwrap();
    let valid = validator(schema).validate(&json).map_err(|error| error.to_string());
    assert_eq!(valid, Ok(()), "{schema}: {line:.200}");
}

/// What is known while a transcript is walked.
struct Walk<'a> {
    transcript: &'a Transcript,
    counters: Option<usize>,
    sent: Vec<u8>,
    call: Option<Call>,
    /// The reply to the call, if it is one to `Fuzz`.
    fuzz_reply: Option<FuzzReply>,
    minimize_reply: Option<MinimizeReply>,
    has_failed: bool,
}

impl<'a> Walk<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        let (counters, sent, call) = (None, Vec::new(), None);
        let (fuzz_reply, minimize_reply, has_failed) = (None, None, false);
        Self { transcript, counters, sent, call, fuzz_reply, minimize_reply, has_failed }
    }

    fn is_native(&self) -> bool {
        self.transcript.dialect == "native"
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Value(value) => {
                assert!(HEADER_BYTES + value.len() <= self.transcript.memory_bytes);
                self.sent.clone_from(value);
            }
            Step::Call(line) => {
                validate("call", line);
                let call = decode_call(line.as_bytes()).unwrap();
                let written = encode_line(&call);
                assert_eq!(written, format!("{line}\n").into_bytes(), "as we write it");
                (self.fuzz_reply, self.minimize_reply) = (None, None);
                self.call = Some(call);
            }
            Step::Reply(line) => self.reply(line),
            Step::Memory { header, value, control } => {
                let header: &[u8; HEADER_BYTES] = header.as_slice().try_into().unwrap();
                let header = Header::from_bytes(header);
                assert_eq!(usize::try_from(header.value_len).unwrap(), value.len());
                if self.is_native() {
                    self.native(header, value, control)
                } else {
                    self.go(header, value)
                }
            }
            Step::Act(_) => {}
            Step::End { status, signal } => self.end(*status, *signal),
        }
    }

    fn reply(&mut self, line: &str) {
        match self.call.as_ref().expect("a reply follows a call") {
            Call::Ping(_) => {
                validate("ping-reply", line);
                let reply: PingReply = decode_reply(line.as_bytes()).unwrap();
                assert_eq!(reply == PingReply::default(), !self.is_native(), "{line}");
                self.counters = reply.counters.map(|counters| usize::try_from(counters).unwrap());
                self.call = None;
            }
            Call::Fuzz(_) => {
                validate("fuzz-reply", line);
                let reply: FuzzReply = decode_reply(line.as_bytes()).unwrap();
                assert_eq!(reply.internal_err, "");
                self.has_failed |= !reply.err.is_empty();
                self.snapshot(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref());
                self.fuzz_reply = Some(reply);
            }
            Call::Minimize(_) => {
                validate("minimize-reply", line);
                let reply: MinimizeReply = decode_reply(line.as_bytes()).unwrap();
                self.has_failed |= !reply.err.is_empty();
                self.snapshot(reply.coverage_sparse.as_deref(), reply.coverage_data.as_deref());
                self.minimize_reply = Some(reply);
            }
            Call::Seed(_) => unreachable!("no transcript has one"),
        }
    }

    /// Coverage comes in the form of the dialect, and is that of the same counters each time.
    fn snapshot(&mut self, in_sparse: Option<&[u8]>, in_dense: Option<&[u8]>) {
        if self.is_native() {
            assert_eq!(in_dense, None);
            let counters = self.counters.expect("Ping told of them");
            let features = in_sparse.map(|bytes| sparse::decode(bytes, counters).unwrap());
            assert!(features.iter().flatten().all(|(_, class)| class.is_power_of_two()));
        } else if let Some(bytes) = in_dense {
            assert_eq!(*self.counters.get_or_insert(bytes.len()), bytes.len());
            assert!(bytes.iter().all(|byte| *byte == 0 || byte.is_power_of_two()));
        }
    }

    fn native(&self, header: Header, value: &[u8], control: &[u8]) {
        let word = |at: usize| u32::from_le_bytes(control[at..at + 4].try_into().unwrap());
        let other = u64::from_le_bytes(control[8..16].try_into().unwrap());
        match (&self.fuzz_reply, &self.minimize_reply) {
            (Some(reply), _) => {
                assert_eq!(word(4), PHASE_IDLE, "nothing runs after a reply");
                assert_eq!((header.count, other), (reply.count, reply.other_count));
                if !reply.err.is_empty() && self.is_warm_up() {
                    assert_eq!(value, self.sent);
                }
            }
            (None, Some(reply)) => {
                assert_eq!((header.count, other), (0, reply.other_count));
                assert!(reply.wrote_to_mem && value.len() <= self.sent.len());
            }
            // It died: the input that was being executed is there.
            (None, None) => {
                assert_eq!(word(4), PHASE_RUNNING);
                assert_eq!((value, other), (self.sent.as_slice(), 1));
            }
        }
        assert_eq!((header.rand_inc, header.raw_in_mem), (0, false));
    }

    fn go(&self, header: Header, value: &[u8]) {
        if let Some(reply) = &self.minimize_reply {
            assert!(reply.wrote_to_mem && !header.raw_in_mem, "{header:?}");
            assert!(fuzzd_go::text::decode(value).is_ok());
            return;
        }
        let call = if self.is_warm_up() { rebuild::Call::Warmup } else { rebuild::Call::Fuzz };
        let capacity = self.transcript.memory_bytes - HEADER_BYTES;
        let memory = rebuild::Memory { header, value, capacity };
        let running = rebuild::running(call, &self.sent, memory).unwrap();
        assert!(matches!(running, Running::Input(_)), "{header:?}");
        if let Some(reply) = &self.fuzz_reply {
            assert_eq!(header.count, reply.count);
        }
    }

    fn is_warm_up(&self) -> bool {
        matches!(self.call, Some(Call::Fuzz(FuzzCall { warmup: true, .. })))
    }

    fn end(&self, status: Option<i32>, signal: Option<i32>) {
        let acts = self.transcript.steps.iter().filter(|step| matches!(step, Step::Act(_)));
        let is_asked = acts.count() > 0;
        if !is_asked {
            assert!(status != Some(0) || signal.is_some(), "a death shows in the status");
        } else if self.is_native() || !self.has_failed {
            assert_eq!((status, signal), (Some(0), None), "an end in good order");
        } else {
            // A Go worker that has told a failure says so in the end, too.
            assert!(status.is_some_and(|status| status != 0));
        }
    }
}

#[test]
fn every_transcript_is_valid_and_true_of_its_memory() {
    let mut names = BTreeSet::new();
    for transcript in all() {
        println!("{}", transcript.name);
        let mut walk = Walk::new(&transcript);
        transcript.steps.iter().for_each(|step| walk.step(step));
        assert!(matches!(transcript.steps.last(), Some(Step::End { .. })), "each one has an end");
        names.insert(transcript.name.clone());
    }
    for dialect in ["native", "go"] {
        for scene in SCENES {
            assert!(names.contains(&format!("{dialect}_{scene}")), "{dialect}_{scene} is missing");
        }
    }
}

#[test]
fn a_transcript_is_read_as_it_was_written() {
    for transcript in all() {
        let again = Transcript::from_file(&transcript.to_file());
        assert_eq!(again.steps, transcript.steps, "{}", transcript.name);
        assert!(!transcript.why.is_empty());
    }
}

//! One transcript as it lies in its file.

use std::path::PathBuf;

use fuzzd_integration::repository;
use serde_json::{Value as Json, json};

/// Something that happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The coordinator put a value into the memory and cleared what a call counts by.
    Value(Vec<u8>),
    /// It sent this line.
    Call(String),
    /// The worker answered with this one.
    Reply(String),
    /// What lay in the memory then.
    Memory { header: Vec<u8>, value: Vec<u8>, control: Vec<u8> },
    /// What the coordinator did to the process: `close fuzz_in`, `SIGINT`.
    Act(&'static str),
    /// The process ended with this exit status, or by this signal.
    End { status: Option<i32>, signal: Option<i32> },
}

/// A file of `proto-spec/transcripts/`.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    pub(crate) name: String,
    /// What is to be seen in it.
    pub(crate) why: String,
    /// `native` or `go`.
    pub(crate) dialect: String,
    /// Bytes of the memory.
    pub(crate) memory_bytes: usize,
    pub(crate) steps: Vec<Step>,
}

/// What the coordinator may do, as it stands in a file.
const ACTS: [&str; 2] = ["close fuzz_in", "SIGINT"];

/// Where they lie.
pub(crate) fn folder() -> PathBuf {
    repository().join("proto-spec/transcripts")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(json: &Json) -> Vec<u8> {
    let hex = json.as_str().expect("bytes are written in hexadecimal digits").as_bytes();
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    hex.chunks(2).map(byte).collect()
}

impl Step {
    fn to_json(&self) -> Json {
        match self {
            Self::Value(value) => json!({ "value_hex": hex(value) }),
            Self::Call(line) => json!({ "call": line }),
            Self::Reply(line) => json!({ "reply": line }),
            Self::Memory { header, value, control } => json!({
                "memory": {
                    "header_hex": hex(header), "value_hex": hex(value), "control_hex": hex(control),
                },
            }),
            Self::Act(what) => json!({ "act": what }),
            Self::End { status, signal } => {
                json!({ "end": { "status": status, "signal": signal } })
            }
        }
    }

    fn from_json(json: &Json) -> Self {
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let number = |json: &Json| json.as_i64().map(|number| i32::try_from(number).unwrap());
        if let Some(line) = text("call") {
            return Self::Call(line);
        }
        if let Some(line) = text("reply") {
            return Self::Reply(line);
        }
        if let Some(act) = text("act") {
            return Self::Act(ACTS.iter().find(|known| **known == act).expect("a known act"));
        }
        if let Some(memory) = json.get("memory") {
            let bytes = |key: &str| unhex(&memory[key]);
            let (header, value) = (bytes("header_hex"), bytes("value_hex"));
            return Self::Memory { header, value, control: bytes("control_hex") };
        }
        if let Some(end) = json.get("end") {
            return Self::End { status: number(&end["status"]), signal: number(&end["signal"]) };
        }
        Self::Value(unhex(&json["value_hex"]))
    }

    /// What kind of step it is, with what is the same in every recording.
    pub(crate) fn course(&self) -> String {
        match self {
            Self::Value(value) => format!("value {}", hex(value)),
            Self::Call(line) => {
                let call: Json = serde_json::from_str(line).unwrap();
                let methods = call.as_object().unwrap().iter();
                let method = methods.filter(|(_, arguments)| !arguments.is_null());
                method.map(|(name, _)| format!("call {name}")).collect()
            }
            Self::Reply(_) => "reply".to_owned(),
            Self::Memory { .. } => "memory".to_owned(),
            Self::Act(what) => format!("act {what}"),
            Self::End { status, signal } => format!("end {status:?} {signal:?}"),
        }
    }
}

impl Transcript {
    pub(crate) fn to_file(&self) -> String {
        let json = json!({
            "name": self.name,
            "why": self.why,
            "dialect": self.dialect,
            "memory_bytes": self.memory_bytes,
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
        });
        format!("{}\n", serde_json::to_string_pretty(&json).unwrap())
    }

    pub(crate) fn from_file(text: &str) -> Self {
        let json: Json = serde_json::from_str(text).expect("a transcript is JSON");
        let text = |key: &str| json[key].as_str().expect("a text").to_owned();
        let memory_bytes = json["memory_bytes"].as_u64().expect("a number");
        Self {
            name: text("name"),
            why: text("why"),
            dialect: text("dialect"),
            memory_bytes: usize::try_from(memory_bytes).unwrap(),
            steps: json["steps"].as_array().expect("a list").iter().map(Step::from_json).collect(),
        }
    }

    pub(crate) fn course(&self) -> Vec<String> {
        self.steps.iter().map(Step::course).collect()
    }
}

/// All that lie there, by name.
pub(crate) fn all() -> Vec<Transcript> {
    let files = std::fs::read_dir(folder()).expect("there are transcripts");
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let transcript = Transcript::from_file(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(&*transcript.name));
        transcript
    };
    paths.into_iter().map(read).collect()
}

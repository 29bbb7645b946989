//! Killed at any instant, a session has everything that it was told is stored.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fuzzd_coordinator::store::{list_bugs, read_bug};
use fuzzd_core::failure::Failure;
use fuzzd_core::ids::Input;
use fuzzd_core::session::{Event, Record};
use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_protocol::value::ValueType;

use crate::support::{CONFIRMED, Place, Running, TEST, entry, hash_name, tree};

/// Where the child finds its directory, and the number it begins with.
const DIR_VARIABLE: &str = "FUZZD_TEST_STORE_KILL";
const FIRST_VARIABLE: &str = "FUZZD_TEST_STORE_KILL_FIRST";

/// How many numbers it commits, if not killed before; without it, it goes on.
pub(crate) const COUNT_VARIABLE: &str = "FUZZD_TEST_STORE_KILL_COUNT";

/// Rounds of killing; each goes on in the directory of the one before.
const ROUNDS: u64 = 8;

/// Numbers committed together.
const CHUNK: u64 = 20;

/// Numbers each round may use.
const NUMBERS_PER_ROUND: u64 = 100_000;

/// SplitMix64 (Steele, Lea, Flood 2014): enough to make inputs and instants differ.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The input that belongs to a number: from a few bytes to some pages.
fn input_of(number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let words = match random.next() % 8 {
        0 => 2_500,
        1..4 => 40,
        _ => 1,
    };
    let mut bytes: Vec<u8> = (0..words).flat_map(|_| random.next().to_le_bytes()).collect();
    bytes.extend(number.to_le_bytes());
    bytes
}

/// Every tenth number is a bug of its own: a crash and its verdict.
fn failure_of(number: u64) -> Option<Failure> {
    let location = format!("src/lib.rs:{number}:1");
    (number % 10 == 9).then(|| Failure::new(FailureKind::Panic, &location, "boom", "details"))
}

fn place_at(dir: &Path) -> Place {
    // Inside, so that a killed child leaves nothing elsewhere.
    let inside = tempfile::tempdir_in(dir).unwrap();
    let mut place = Place::at(inside, dir.join("state"), &[ValueType::Bytes]);
    place.tests[0].testdata = dir.join("testdata");
    place
}

/// Does nothing unless it is run as a child by the test below.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else { return };
    let first: u64 = std::env::var(FIRST_VARIABLE).unwrap().parse().unwrap();
    let count = std::env::var(COUNT_VARIABLE).ok().and_then(|text| text.parse::<u64>().ok());
    let place = place_at(Path::new(&dir));
    println!("\n@started");
    let mut running = place.start();
    for chunk in 0..count.map_or(u64::MAX, |count| count.div_ceil(CHUNK)) {
        let numbers = first + chunk * CHUNK..first + (chunk + 1) * CHUNK;
        commit_all(&mut running, numbers);
    }
    running.close();
}

/// Commits a few numbers as a session would, many at once, tries again what the disk refused, and
/// says what is stored.
fn commit_all(running: &mut Running, numbers: std::ops::Range<u64>) {
    let mut records = Vec::new();
    for number in numbers {
        let bytes = input_of(number);
        match failure_of(number) {
            None => records.push((entry(&bytes, &[(1, 1)]), format!("entry {number}"))),
            Some(failure) => {
                let (signature, input) = (failure.signature(), Input::from(bytes));
                let crash = Record::Crash {
                    test: TEST,
                    signature,
                    input: input.clone(),
                    failure,
                    is_doubtful: false,
                };
                records.push((crash, format!("crash {number}")));
                let bug = Record::Bug { test: TEST, signature, input, verdict: CONFIRMED };
                records.push((bug, format!("bug {number}")));
            }
        }
    }
    while !records.is_empty() {
        for (record, _) in &records {
            running.send(record.clone());
        }
        records.retain(|(_, what)| match running.answer() {
            Event::Stored { .. } => {
                let mut out = std::io::stdout();
                writeln!(out, "@stored {what}").and_then(|()| out.flush()).unwrap();
                false
            }
            Event::StoreFailed { .. } => true,
            other => panic!("{other:?}"),
        });
    }
}

/// The child as a command, with what it is to do.
pub(crate) fn child(program: &str, arguments: &[&str], dir: &Path, first: u64) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["kill::child_that_commits_until_it_is_killed", "--exact", "--nocapture"])
        .env(DIR_VARIABLE, dir)
        .env(FIRST_VARIABLE, first.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Kills the child after `lines` lines; returns everything it said was stored, also what it wrote
/// until it was gone.
pub(crate) fn kill_after(mut child: Child, lines: u64) -> Vec<String> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut stored = Vec::new();
    let mut seen = 0;
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some(rest) = line.strip_prefix('@') {
            if seen == lines {
                child.kill().unwrap();
            }
            seen += 1;
            // A line that the kill cut off says nothing.
            stored.extend(
                rest.strip_prefix("stored ")
                    .and_then(|what| what.strip_suffix('\n'))
                    .map(str::to_owned),
            );
        }
        line.clear();
    }
    child.wait().unwrap();
    stored
}

#[test]
fn everything_that_was_answered_survives_kill_9_at_any_instant() {
    let seed = std::env::var("FUZZD_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed} (FUZZD_TEST_SEED)");
    let mut random = Random(seed);
    let dir = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
    let mut stored = Vec::new();
    for round in 0..ROUNDS {
        let lines = if round % 4 == 3 { random.next() % 3 } else { random.next() % 300 };
        let child = child(&program, &[], dir.path(), round * NUMBERS_PER_ROUND).spawn().unwrap();
        stored.extend(kill_after(child, lines));
        reading_after_a_kill_creates_nothing(dir.path());
        check(dir.path(), &stored, false);
    }
    assert!(stored.len() > 100, "the children did commit: {}", stored.len());
}

fn reading_after_a_kill_creates_nothing(dir: &Path) {
    let names = || tree(dir).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let before = names();
    // A child that was killed at once has not begun a session.
    let _bugs = list_bugs(&dir.join("state"));
    assert_eq!(names(), before);
}

/// Every stored number is there, and nothing is there that is not whole. A disk with faults may
/// have refused testdata: then the bug's file is in the state.
pub(crate) fn check(dir: &Path, stored: &[String], has_faults: bool) {
    let place = place_at(dir);
    let loaded = place.load();
    let told = loaded.notice_texts();
    assert!(told.is_empty(), "nothing is damaged, and nothing is only a file: {told:?}");
    let inputs: std::collections::HashSet<Vec<u8>> = loaded.inputs().into_iter().collect();
    let bugs = &loaded.configs[0].bugs;
    for what in stored {
        let (kind, number) = what.split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let bytes = input_of(number);
        let signature = failure_of(number).map(|failure| failure.signature());
        let bug = bugs.iter().find(|bug| Some(bug.signature) == signature);
        match kind {
            "entry" => assert!(inputs.contains(&bytes), "{what}"),
            "crash" => assert_eq!(bug.unwrap().input.as_ref(), bytes, "{what}"),
            "bug" => {
                let path = bug.unwrap().path.clone();
                check_bug(&place, signature.unwrap(), &bytes, path, has_faults);
            }
            other => panic!("{other}"),
        }
    }
    // Files that were not written before the kill are written now.
    loaded.start().close();
    for (path, bytes) in tree(&place.corpus()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, hash_name(&bytes), "no partial file, no temporary file");
    }
    for (path, _) in tree(place.testdata()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_whole = name.starts_with("panic-") || name.starts_with(".fuzzd-tmp-");
        assert!(is_whole, "{name}");
    }
}

fn check_bug(
    place: &Place,
    signature: Signature,
    bytes: &[u8],
    path: Option<PathBuf>,
    has_faults: bool,
) {
    let path = path.expect("a confirmed bug has a file");
    let is_in_state = path.starts_with(place.state.join("crashes"));
    if !(is_in_state && has_faults) {
        assert_eq!(path, place.testdata().join(format!("panic-{signature}")));
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let inputs = read_bug(&place.state, "module::parse", signature).unwrap();
    assert_eq!((inputs.shown.as_slice(), inputs.originals[0].as_slice()), (bytes, bytes));
}

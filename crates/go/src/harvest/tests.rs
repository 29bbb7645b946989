use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;
use crate::limits::{EXCERPT_BYTES_MAX, OUTPUT_BYTES_MAX};
use crate::process::Output;

fn taken(
    records: Result<Vec<Record>, TooMany>,
    finished: &Finished,
) -> Result<Harvest, HarvestError> {
    let here = Path::new("/");
    let request = Request {
        program: here,
        test: "FuzzX",
        directory: here,
        shim: here,
        timeout: Duration::from_secs(7),
        spawn: process::spawn,
    };
    take(request, records, finished)
}

fn exited(code: i32) -> Finished {
    let ended = Ended::Exited(ExitStatus::from_raw(code << 8));
    Finished { ended, stdout: Output::default(), stderr: Output::default() }
}

fn text(line: &str) -> Vec<u8> {
    format!("go test fuzz v1\n{line}\n").into_bytes()
}

#[test]
fn every_seed_is_taken_once_and_in_order() {
    let records = ["int(3)", "int(1)", "int(3)", "int(2)"].map(|line| Record::Warmup(text(line)));
    let records = [records.as_slice(), &[Record::Fuzz(text("int(3)"))]].concat();
    let harvest = taken(Ok(records), &exited(1)).unwrap();
    assert_eq!(harvest.types, [ValueType::Int]);
    assert_eq!(harvest.seeds, [text("int(3)"), text("int(1)"), text("int(2)")]);
}

#[test]
fn a_rune_is_an_int32() {
    let harvest = taken(Ok(vec![Record::Fuzz(text("rune('x')"))]), &exited(1)).unwrap();
    assert_eq!(harvest, Harvest { types: vec![ValueType::Int32], seeds: Vec::new() });
}

#[test]
fn too_many_seeds_are_an_error_that_says_how_many_are_taken() {
    let error = taken(Err(TooMany), &exited(1)).unwrap_err();
    assert!(matches!(error, HarvestError::TooMany { .. }));
    assert!(error.to_string().starts_with("FuzzX has more than 100000 seeds"), "{error}");
}

#[test]
fn without_the_last_call_the_end_of_the_process_tells_why() {
    let some = || Ok(vec![Record::Warmup(text("int(1)"))]);
    let error = taken(some(), &exited(0)).unwrap_err();
    assert!(matches!(error, HarvestError::Skipped { .. }), "{error}");
    let late = Finished { ended: Ended::TimedOut, ..exited(0) };
    let error = taken(some(), &late).unwrap_err();
    assert!(matches!(error, HarvestError::TimedOut { seconds: 7, .. }), "{error}");
}

#[test]
fn a_failure_carries_the_end_of_both_outputs_only() {
    let mut finished = exited(2);
    finished.stdout.push(&vec![b'a'; 2 * OUTPUT_BYTES_MAX]);
    finished.stdout.push(b"last line");
    finished.stderr.push(&vec![b'b'; OUTPUT_BYTES_MAX]);
    finished.stderr.push(b"panic: as told");
    let error = taken(Ok(Vec::new()), &finished).unwrap_err();
    let HarvestError::Failed { output, .. } = error else { panic!("{error}") };
    assert!(output.contains("aaalast line\n") && output.ends_with("bbbpanic: as told"));
    assert!(output.len() < 2 * EXCERPT_BYTES_MAX + 100, "{} bytes", output.len());
}

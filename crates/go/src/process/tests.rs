#![cfg(target_os = "linux")]

use std::os::unix::process::CommandExt;

use super::*;

/// Long enough for any script here on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn output_and_status_come_back() {
    let finished = run(shell("echo out; echo err >&2; exit 3"), PATIENCE, spawn).unwrap();
    assert_eq!(finished.stdout.bytes, b"out\n");
    assert_eq!(finished.stderr.bytes, b"err\n");
    let Ended::Exited(status) = finished.ended else { panic!("{:?}", finished.ended) };
    assert_eq!(status.code(), Some(3));
}

#[test]
fn a_process_that_does_not_end_is_killed_at_its_deadline() {
    let finished =
        run(shell("echo before; read never </dev/zero"), Duration::from_millis(200), spawn);
    let finished = finished.unwrap();
    assert_eq!(finished.ended, Ended::TimedOut);
    assert_eq!(finished.stdout.bytes, b"before\n");
}

#[test]
fn a_child_that_holds_the_pipes_open_is_not_waited_for() {
    let finished = run(shell("cat /dev/zero >/dev/null & echo done"), PATIENCE, spawn);
    let finished = finished.unwrap();
    assert!(matches!(finished.ended, Ended::Exited(status) if status.success()));
    assert_eq!(finished.stdout.bytes, b"done\n");
}

/// As if the process had left the group it was to lead.
fn spawn_in_our_group(mut command: Command) -> io::Result<Child> {
    let group = rustix::process::getpgrp().as_raw_nonzero().get();
    command.process_group(group).spawn()
}

#[test]
fn a_process_that_is_not_in_its_group_is_killed_at_its_deadline_too() {
    let limit = Duration::from_millis(200);
    let finished = run(shell("exec cat /dev/zero >/dev/null"), limit, spawn_in_our_group).unwrap();
    assert_eq!(finished.ended, Ended::TimedOut);
}

#[test]
fn a_process_is_started_the_way_that_was_given() {
    let how: Spawn = |mut command| command.env("GREETING", "hello").spawn();
    let finished = run(shell("echo $GREETING"), PATIENCE, how).unwrap();
    assert_eq!(finished.stdout.bytes, b"hello\n");
    let no: Spawn = |_| Err(io::ErrorKind::PermissionDenied.into());
    let error = run(shell("true"), PATIENCE, no).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn a_limit_beyond_all_clocks_is_an_error() {
    let error = run(shell("true"), Duration::MAX, spawn).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn more_output_than_the_limit_is_drained_and_said_to_be_cut() {
    let finished = run(shell("head -c 3000000 /dev/zero"), PATIENCE, spawn).unwrap();
    assert!(matches!(finished.ended, Ended::Exited(status) if status.success()));
    assert_eq!(finished.stdout.bytes.len(), OUTPUT_BYTES_MAX);
    assert!(finished.stdout.is_cut() && !finished.stderr.is_cut());
}

/// The numbers from 0, one per line.
fn lines(count: usize) -> Output {
    let mut output = Output::default();
    for number in 0..count {
        output.push(format!("{number}\n").as_bytes());
    }
    output
}

#[test]
fn an_excerpt_is_the_end_of_all_that_was_written() {
    assert_eq!(lines(3).excerpt(), "0\n1\n2");
    for count in [2_000, 200_000] {
        let output = lines(count);
        let excerpt = output.excerpt();
        assert!(excerpt.starts_with("[...] ") && excerpt.len() <= EXCERPT_BYTES_MAX + 6);
        assert!(excerpt.ends_with(&format!("\n{}\n{}", count - 2, count - 1)), "{count}");
        assert_eq!(output.is_cut(), count > 2_000);
    }
}

#[test]
fn an_excerpt_goes_over_the_cut_without_a_gap() {
    let mut output = Output::default();
    output.push(&vec![b'a'; OUTPUT_BYTES_MAX]);
    assert!(!output.is_cut());
    output.push(b"bc");
    assert!(output.is_cut() && output.bytes.len() == OUTPUT_BYTES_MAX);
    assert_eq!(output.excerpt(), format!("[...] {}bc", "a".repeat(EXCERPT_BYTES_MAX - 2)));
}

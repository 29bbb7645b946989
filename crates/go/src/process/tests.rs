#![cfg(target_os = "linux")]

use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn output_and_status_come_back() {
    let finished = run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(30)).unwrap();
    assert_eq!(finished.stdout.bytes, b"out\n");
    assert_eq!(finished.stderr.bytes, b"err\n");
    let Ended::Exited(status) = finished.ended else { panic!("{:?}", finished.ended) };
    assert_eq!(status.code(), Some(3));
}

#[test]
fn a_process_that_does_not_end_is_killed_at_its_deadline() {
    let finished = run(shell("echo before; read never </dev/zero"), Duration::from_millis(200));
    let finished = finished.unwrap();
    assert_eq!(finished.ended, Ended::TimedOut);
    assert_eq!(finished.stdout.bytes, b"before\n");
}

#[test]
fn a_child_that_holds_the_pipes_open_is_not_waited_for() {
    let finished = run(shell("cat /dev/zero >/dev/null & echo done"), Duration::from_secs(30));
    let finished = finished.unwrap();
    assert!(matches!(finished.ended, Ended::Exited(status) if status.success()));
    assert_eq!(finished.stdout.bytes, b"done\n");
}

#[test]
fn more_output_than_the_limit_is_drained_and_dropped() {
    let finished = run(shell("head -c 3000000 /dev/zero"), Duration::from_secs(30)).unwrap();
    assert!(matches!(finished.ended, Ended::Exited(status) if status.success()));
    assert_eq!(finished.stdout.bytes.len(), OUTPUT_BYTES_MAX);
}

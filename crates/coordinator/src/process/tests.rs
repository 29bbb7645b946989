//! What a child is born with, and what happens to it when its parent dies.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::options::TargetSpec;

const PATIENCE: Duration = Duration::from_secs(60);
const COORDINATOR_ENV: &str = "FUZZD_TEST_COORDINATOR";

fn shell(script: &str) -> SpawnRequest {
    let target = TargetSpec {
        name: "shell".into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![("ADDED".into(), "yes".into())],
        cwd: "/usr".into(),
        testdata: "/nonexistent".into(),
        dialect: crate::options::Dialect::Native,
    };
    let memory = std::fs::File::open("/dev/zero").unwrap();
    SpawnRequest::worker(&target, memory.into())
}

async fn spawn(script: &str) -> Spawned {
    Spawner::of_process().unwrap().spawn(shell(script)).await.unwrap()
}

/// Reads a pipe to its end.
fn text(pipe: OwnedFd) -> String {
    std::io::read_to_string(std::fs::File::from(pipe)).unwrap()
}

#[tokio::test]
async fn a_child_has_its_descriptors_and_nothing_else() {
    // Without listing the directory, which would open it.
    let script = "n=0; while [ $n -lt 256 ]; do [ -e /proc/$$/fd/$n ] && open=\"$open $n\"; \
                  n=$((n + 1)); done; echo $open; pwd; echo $ADDED $FUZZD_WORKER; ulimit -c; \
                  readlink /proc/$$/fd/0";
    let spawned = spawn(script).await;
    let lines = text(spawned.stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], "0 1 2 3 4 5");
    assert_eq!(lines[1..], ["/usr", "yes 1", "0", "/dev/null"]);
}

#[tokio::test]
async fn a_worker_of_a_run_has_the_shared_memories_too_and_others_have_not() {
    let script = "for n in 6 7 8; do [ -e /proc/$$/fd/$n ] && open=\"$open $n\"; done; echo $open; \
                  readlink /proc/$$/fd/6 /proc/$$/fd/7";
    let memories = crate::shared::TestMemories::create(1, &[]).unwrap();
    let request = shell(script).with_shared(Some(memories.fds().unwrap()));
    let spawned = Spawner::of_process().unwrap().spawn(request).await.unwrap();
    let lines = text(spawned.stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], "6 7");
    assert!(lines[1..].iter().all(|link| link.starts_with("/memfd:fuzzd-shared")), "{lines:?}");
    assert_eq!(text(spawn(script).await.stdout).trim(), "");
}

#[tokio::test]
async fn a_child_leads_its_group_and_takes_it_along() {
    let mut spawned = spawn("sleep 1000 & echo $!; exit 7").await;
    let group = i32::try_from(spawned.child.pid()).unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(std::fs::File::from(spawned.stdout));
    stdout.read_line(&mut line).unwrap();
    let sleeper = rustix::process::Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    assert_eq!(rustix::process::getpgid(Some(sleeper)).unwrap().as_raw_pid(), group);
    wait(|| spawned.child.has_ended()).await;
    assert_eq!(spawned.child.reap(), Some(ExitStatus::Exited(7)));
    assert_eq!(spawned.child.reap(), Some(ExitStatus::Unknown), "reaped once only");
    wait(|| is_gone(sleeper.as_raw_pid())).await;
}

#[tokio::test]
async fn a_dropped_child_is_killed() {
    let spawned = spawn("sleep 1000").await;
    let pid = i32::try_from(spawned.child.pid()).unwrap();
    drop(spawned);
    wait(|| is_gone(pid)).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_that_names_it() {
    let target = TargetSpec {
        name: "none".into(),
        program: "/nonexistent/program".into(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: "/".into(),
        testdata: "/".into(),
        dialect: crate::options::Dialect::Native,
    };
    let memory = std::fs::File::open("/dev/zero").unwrap();
    let request = SpawnRequest::worker(&target, memory.into());
    let error = Spawner::of_process().unwrap().spawn(request).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/program"), "{error}");
}

/// A coordinator to be killed: spawns a worker, names it, and waits. Nothing in an ordinary run.
#[tokio::test]
async fn be_a_coordinator() {
    if std::env::var_os(COORDINATOR_ENV).is_none() {
        return;
    }
    let spawned = spawn("trap '' INT TERM HUP; exec sleep 1000").await;
    println!("worker {}", spawned.child.pid());
    std::future::pending().await
}

#[tokio::test]
async fn a_worker_does_not_outlive_a_coordinator_that_is_killed() {
    let (mut coordinator, worker) = coordinator_with_worker("true");
    assert!(!is_gone(worker));
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    wait(|| is_gone(worker)).await;
}

#[tokio::test]
async fn the_coordinator_may_open_more_files_than_its_workers() {
    let (mut coordinator, worker) = coordinator_with_worker("ulimit -Sn 200");
    let soft_limit = |pid: i32| {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        files.unwrap().split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let own = i32::try_from(coordinator.id()).unwrap();
    let limits = (soft_limit(own), soft_limit(worker));
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    assert!(limits.0 > 200 && limits.1 == 200, "{limits:?}");
}

/// Starts `be_a_coordinator` after a line of shell; returns it and its worker.
fn coordinator_with_worker(line: &str) -> (std::process::Child, i32) {
    let mut coordinator = Command::new("/bin/sh")
        .args(["-c", &format!("{line}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["process::tests::be_a_coordinator", "--exact", "--nocapture"])
        .env(COORDINATOR_ENV, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(coordinator.stdout.take().unwrap());
    let mut lines = stdout.lines().map_while(Result::ok);
    let worker = lines
        .find_map(|line| line.split_once("worker ").and_then(|(_, pid)| pid.trim().parse().ok()));
    (coordinator, worker.expect("the coordinator names its worker"))
}

fn is_gone(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

async fn wait(until: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    while !until() {
        assert!(Instant::now() < end, "nothing happened");
        tick.tick().await;
    }
}

#[tokio::test]
async fn another_executable_than_the_one_that_was_probed_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("program");
    let link = |to: &str| {
        let beside = directory.path().join("beside");
        std::os::unix::fs::symlink(to, &beside).unwrap();
        std::fs::rename(&beside, &program).unwrap();
    };
    link("/bin/cat");
    let build = std::sync::Arc::new(crate::build_id::Build::of(&program).unwrap());
    let target = TargetSpec {
        name: "program".into(),
        program: program.clone(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: "/".into(),
        testdata: "/nonexistent".into(),
        dialect: crate::options::Dialect::Native,
    };
    let start = async || {
        let memory = std::fs::File::open("/dev/zero").unwrap();
        let request = SpawnRequest::worker(&target, memory.into()).of_build(Some(build.clone()));
        Spawner::of_process().unwrap().spawn(request).await
    };
    assert!(start().await.is_ok());
    link("/bin/sh");
    let error = start().await.unwrap_err();
    assert!(matches!(error, SpawnError::Replaced(_)), "{error}");
}

#[tokio::test]
async fn a_program_that_is_no_worker_starts_on_the_same_thread() {
    let started = crate::blocking::blocking(|| {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", "ulimit -c; exit 3"]).stdout(std::process::Stdio::piped());
        spawn_program(command)?.wait_with_output()
    });
    let output = started.await.unwrap().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(3), b"0\n".to_vec()));
    let missing =
        crate::blocking::blocking(|| spawn_program(std::process::Command::new("/no/such/program")));
    assert!(missing.await.unwrap().is_err());
}

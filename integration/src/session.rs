//! A running `fuzzd`: its events, its signals, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::{BUILD_DEADLINE, DEADLINE};
use crate::process::{COOKIE_ENV, Found, Watch, census, kill_all, survivors};

/// A started program of the fuzzd family. Killed with everything it started when dropped.
#[derive(Debug)]
pub struct TestSession {
    child: Child,
    watch: Watch,
    cookie: String,
    lines: Receiver<String>,
    /// Every line of stdout so far.
    seen: Vec<String>,
    stdout: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: ExitStatus,
    /// Lines of stdout.
    pub lines: Vec<String>,
    /// Everything it wrote to stderr.
    pub stderr: String,
}

/// A text that no other process on this machine has in its environment.
fn new_cookie() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos());
    format!("{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl TestSession {
    /// Starts `command`, which writes JSON events to stdout.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let cookie = new_cookie();
        command.env(COOKIE_ENV, &cookie);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let pid = Pid::from_child(&child);
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let (sender, lines) = channel();
        let stdout = std::thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut all = Vec::new();
            // What came before an error is kept.
            stderr.read_to_end(&mut all).unwrap_or_default();
            all
        });
        Self {
            child,
            watch: Watch::new(pid),
            cookie,
            lines,
            seen: Vec::new(),
            stdout: Some(stdout),
            stderr: Some(stderr),
        }
    }

    /// The process id of the coordinator.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.watch.pid
    }

    /// Waits for the next event that `is_wanted`, and returns it.
    pub fn wait_until(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!(
                    "no event: {what}; stdout so far:\n{}\n{}",
                    self.seen.join("\n"),
                    self.end()
                );
            };
            self.seen.push(line.clone());
            let event = parse(&line);
            if is_wanted(&event) {
                return event;
            }
        }
    }

    /// Waits for the next event with this name.
    pub fn wait_for(&mut self, name: &str) -> Value {
        self.wait_until(name, |event| event["event"] == name)
    }

    /// Waits until something was executed.
    pub fn wait_for_executions(&mut self) -> Value {
        self.wait_until("a status with executions", |event| {
            event["event"] == "status" && event["execs"].as_u64() > Some(0)
        })
    }

    /// Sends a signal to the coordinator alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the coordinator can be signalled");
    }

    /// The worker processes that live now, with what they have started.
    #[must_use]
    pub fn workers(&self) -> Vec<Found> {
        census(&self.cookie).into_iter().filter(|found| found.is_worker).collect()
    }

    /// Waits for the end of the coordinator, and checks that nothing of it is left running.
    #[must_use]
    pub fn wait(self) -> Outcome {
        self.wait_at_most(DEADLINE)
    }

    /// As [`wait`](Self::wait), with a promise about the time.
    #[must_use]
    pub fn wait_at_most(mut self, patience: Duration) -> Outcome {
        if !self.watch.has_ended_within(patience) {
            panic!("no end after {patience:?}; stdout so far:\n{}\n{}", self.rest(), self.end());
        }
        let left = survivors(&self.cookie, Duration::from_secs(2));
        let outcome = self.reap();
        assert!(left.is_empty(), "still running: {left:?}\n{outcome:?}");
        outcome
    }

    /// The end of a coordinator that was killed: everything it had started must be gone soon, its
    /// direct children within `patience`.
    #[must_use]
    pub fn wait_for_orphans(mut self, children: &[Watch], patience: Duration) -> Outcome {
        assert!(self.watch.has_ended_within(DEADLINE), "the coordinator was killed and lives");
        let deadline = Instant::now() + patience;
        for child in children {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                child.has_ended_within(left),
                "process {:?} outlives its coordinator",
                child.pid
            );
        }
        self.reap()
    }

    fn reap(&mut self) -> Outcome {
        kill_all(&self.cookie);
        let status = self.child.wait().expect("a child that has ended can be reaped");
        if let Some(stdout) = self.stdout.take() {
            stdout.join().expect("the reader of stdout does not panic");
        }
        self.rest();
        let stderr = self.stderr.take().map(|stderr| stderr.join().unwrap_or_default());
        let stderr = String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned();
        Outcome { status, lines: std::mem::take(&mut self.seen), stderr }
    }

    /// Takes what has arrived on stdout; all of it so far.
    fn rest(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// Kills everything and returns stderr, for the message of a failed test.
    fn end(&mut self) -> String {
        let outcome = self.reap();
        format!("{:?}, stderr:\n{}", outcome.status, outcome.stderr)
    }
}

impl Drop for TestSession {
    fn drop(&mut self) {
        // It may have ended, and been reaped, long ago.
        self.child.kill().unwrap_or_default();
        kill_all(&self.cookie);
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// Runs a program to its end. Builds may be part of it.
#[must_use]
pub fn run_to_end(command: Command) -> Outcome {
    TestSession::start(command).wait_at_most(BUILD_DEADLINE)
}

fn parse(line: &str) -> Value {
    let event: Value = serde_json::from_str(line)
        .unwrap_or_else(|error| panic!("stdout has a line that is not JSON ({error}): {line:?}"));
    assert!(event["event"].is_string(), "an event has its name: {line}");
    assert!(event["t_ms"].is_u64(), "an event has its time: {line}");
    event
}

impl Outcome {
    /// The exit code; a death by a signal has none.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails with everything there is to know unless the exit code is `code`.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code(), Some(code), "{}", self.all());
        self
    }

    /// Stdout and stderr, for messages.
    #[must_use]
    pub fn all(&self) -> String {
        format!("{:?}\nstdout:\n{}\nstderr:\n{}", self.status, self.lines.join("\n"), self.stderr)
    }

    /// Every event, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.lines.iter().map(|line| parse(line)).collect()
    }

    /// Every event with this name.
    #[must_use]
    pub fn events_named(&self, name: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == name).collect()
    }

    /// The one new bug of the session.
    #[track_caller]
    #[must_use]
    pub fn only_bug(&self) -> Value {
        let mut bugs = self.events_named("bug");
        assert_eq!(bugs.len(), 1, "one bug, not {}:\n{}", bugs.len(), self.all());
        bugs.remove(0)
    }

    /// The last event of the session.
    #[track_caller]
    #[must_use]
    pub fn finished(&self) -> Value {
        let mut finished = self.events_named("finished");
        assert_eq!(finished.len(), 1, "a session ends once:\n{}", self.all());
        finished.remove(0)
    }
}

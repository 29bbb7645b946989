//! A worker as a process: what is left of it in memory when it dies, and how it ends.
//!
//! The worker is this test binary itself, started as a coordinator would start it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known to be tests")]

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, PingCall, PingReply, decode_reply, encode_line,
};
use fuzzd_protocol::value::ValueType;
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, INTERNAL_ERROR_EXIT, MEMORY_FD, WORKER_ENV, layout};
use fuzzd_shm::SharedMemory;
use fuzzd_worker::{Target, Verdict};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

const CAPACITY: usize = 4096;
const CONTROL: usize = layout::control_offset(CAPACITY);

/// No single event of these tests takes this long on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Misbehaves as the input says.
struct Zoo;

impl Target for Zoo {
    fn types(&self) -> &[ValueType] {
        &[ValueType::Bytes]
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn run(&self, input: &[u8]) -> Verdict {
        match input {
            b"hang" => loop {
                std::hint::spin_loop();
            },
            b"abort" => std::process::abort(),
            b"exit" => std::process::exit(0),
            b"overflow" => drop(recurse(1)),
            b"thread" => {
                let thread = std::thread::spawn(|| panic!("in another thread"));
                assert!(thread.join().is_err());
            }
            b"threads" => {
                for _ in 0..40 {
                    let thread = std::thread::spawn(|| panic!("in another thread"));
                    assert!(thread.join().is_err());
                }
            }
            b"double" => {
                let _panics = PanicsWhenDropped;
                panic!("the first panic");
            }
            _ => {}
        }
        Verdict::Pass
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("the second panic");
    }
}

fn recurse(depth: u64) -> Vec<u64> {
    let mut all = vec![depth; 4];
    if depth < u64::MAX {
        all.extend(recurse(std::hint::black_box(depth + 1)));
    }
    all
}

/// Not a test: what the other tests start as a worker.
#[test]
fn worker_process() {
    if fuzzd_worker::is_worker() {
        fuzzd_worker::serve_and_exit(&Zoo);
    }
}

struct Worker {
    child: Child,
    memory: SharedMemory,
    calls: Option<PipeWriter>,
    replies: Option<BufReader<PipeReader>>,
}

impl Worker {
    fn spawn_with(memory_fd: Option<OwnedFd>) -> Self {
        let memory = SharedMemory::create(layout::memory_bytes(CAPACITY)).unwrap();
        let memory_fd = memory_fd.unwrap_or_else(|| memory.fd().try_clone_to_owned().unwrap());
        let (fuzz_in, calls) = std::io::pipe().unwrap();
        let (replies, fuzz_out) = std::io::pipe().unwrap();
        let mapping = |parent_fd: OwnedFd, child_fd| FdMapping { parent_fd, child_fd };
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["worker_process", "--exact", "--nocapture", "--test-threads=1"])
            .env(WORKER_ENV, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .fd_mappings(vec![
                mapping(fuzz_in.into(), FUZZ_IN_FD),
                mapping(fuzz_out.into(), FUZZ_OUT_FD),
                mapping(memory_fd, MEMORY_FD),
            ])
            .unwrap()
            .spawn()
            .unwrap();
        let replies = Some(BufReader::new(replies));
        Self { child, memory, calls: Some(calls), replies }
    }

    /// A worker that has answered Ping.
    fn spawn() -> Self {
        let mut worker = Self::spawn_with(None);
        let call = PingCall {
            proto: Some(1),
            control_offset: Some(CONTROL as u64),
            ..PingCall::default()
        };
        worker.send(&encode_line(&Call::Ping(call)));
        let reply: PingReply = worker.reply();
        assert_eq!(reply.types, ["[]byte"]);
        worker
    }

    fn send(&mut self, line: &[u8]) {
        self.calls.as_mut().unwrap().write_all(line).unwrap();
    }

    fn send_warm_up(&mut self, input: &[u8]) {
        let region = self.memory.region();
        region.write(layout::HEADER_BYTES, input).unwrap();
        region.store_u64(layout::VALUE_LEN, input.len() as u64).unwrap();
        self.send(&encode_line(&Call::Fuzz(FuzzCall { warmup: true, ..FuzzCall::default() })));
    }

    fn reply<T: DeserializeOwned>(&mut self) -> T {
        let mut line = Vec::new();
        self.replies.as_mut().unwrap().read_until(b'\n', &mut line).unwrap();
        decode_reply(&line).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end; gives the status and what was written to stderr.
    /// Whether every thread waits for something.
    fn sleeps(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let stats = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")));
        // The state follows the name, which stands in parentheses.
        let is_asleep = |stat: String| stat.rsplit_once(')').unwrap().1.starts_with(" S");
        stats.flatten().all(is_asleep)
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap(), stderr)
    }

    /// What lies in memory: the value, the phase, the number of other executions.
    fn left_behind(&self) -> (Vec<u8>, u32, u64) {
        let region = self.memory.region();
        let len = region.load_u64(layout::VALUE_LEN).unwrap();
        let mut value = vec![0; usize::try_from(len).unwrap()];
        region.read(layout::HEADER_BYTES, &mut value).unwrap();
        let phase = region.load_u32(CONTROL + layout::PHASE).unwrap();
        (value, phase, region.load_u64(CONTROL + layout::OTHER_COUNT).unwrap())
    }
}

/// Looks at `event` until it is true.
fn wait_for(what: &str, mut event: impl FnMut() -> bool) {
    let started = Instant::now();
    while !event() {
        assert!(started.elapsed() < DEADLINE, "no {what}");
        std::thread::yield_now();
    }
}

/// Runs an input that ends the process; gives the status and stderr.
fn deadly(input: &[u8]) -> (ExitStatus, String) {
    let mut worker = Worker::spawn();
    worker.send_warm_up(input);
    let status = worker.child.wait().unwrap();
    assert_eq!(worker.left_behind(), (input.to_vec(), layout::PHASE_RUNNING, 1));
    (status, worker.end().1)
}

#[test]
fn a_killed_worker_leaves_its_input_in_memory() {
    let mut worker = Worker::spawn();
    worker.send_warm_up(b"hang");
    let phase = CONTROL + layout::PHASE;
    let running = Ok(layout::PHASE_RUNNING);
    wait_for("execution", || worker.memory.region().load_u32(phase) == running);
    worker.signal(Signal::KILL);
    assert_eq!(worker.child.wait().unwrap().signal(), Some(9));
    assert_eq!(worker.left_behind(), (b"hang".to_vec(), layout::PHASE_RUNNING, 1));
}

#[test]
fn an_aborting_input_is_left_in_memory() {
    assert_eq!(deadly(b"abort").0.signal(), Some(6));
}

#[test]
fn an_exiting_input_is_left_in_memory() {
    assert_eq!(deadly(b"exit").0.code(), Some(0));
}

#[test]
fn a_stack_overflow_leaves_its_input_in_memory() {
    let (status, stderr) = deadly(b"overflow");
    assert!(status.signal().is_some());
    assert!(stderr.contains("overflowed its stack"), "{stderr}");
}

#[test]
fn a_panic_that_cannot_be_caught_is_told_on_stderr() {
    let (status, stderr) = deadly(b"double");
    assert_eq!(status.signal(), Some(6));
    for told in ["the first panic", "the second panic", "panicked at "] {
        assert!(stderr.contains(told), "{stderr}");
    }
}

#[test]
fn panics_of_other_threads_are_printed_and_are_no_failure() {
    let mut worker = Worker::spawn();
    worker.send_warm_up(b"thread");
    let reply: FuzzReply = worker.reply();
    assert_eq!(reply.err, "");
    worker.calls = None;
    let (status, stderr) = worker.end();
    assert_eq!(status.code(), Some(0));
    assert!(stderr.contains("in another thread"), "{stderr}");
}

#[test]
fn only_the_first_panics_of_other_threads_are_printed_in_full() {
    let mut worker = Worker::spawn();
    worker.send_warm_up(b"threads");
    let reply: FuzzReply = worker.reply();
    assert_eq!(reply.err, "");
    worker.calls = None;
    let stderr = worker.end().1;
    assert_eq!(stderr.matches("in another thread").count(), 40, "{stderr}");
    assert_eq!(stderr.matches("thread '<unnamed>'").count(), 16, "{stderr}");
}

#[test]
fn a_worker_ends_when_its_calls_do() {
    let mut worker = Worker::spawn();
    worker.calls = None;
    let (status, stderr) = worker.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_idle_worker_ends_at_an_interrupt() {
    let mut worker = Worker::spawn();
    worker.send(&encode_line(&Call::Ping(PingCall::default())));
    let _reply: PingReply = worker.reply();
    wait_for("sleep of all threads", || worker.sleeps());
    // Once: libtest waits on a thread of its own, and the signal may come to that one.
    worker.signal(Signal::INT);
    wait_for("end", || worker.child.try_wait().unwrap().is_some());
    assert_eq!(worker.end().0.code(), Some(0));
}

#[test]
fn a_fuzzing_worker_answers_at_an_interrupt_and_ends() {
    let mut worker = Worker::spawn();
    worker.send(&encode_line(&Call::Fuzz(FuzzCall::default())));
    wait_for("execution", || worker.memory.region().load_u64(layout::COUNT).unwrap() > 1000);
    worker.signal(Signal::INT);
    let reply: FuzzReply = worker.reply();
    assert!(reply.count > 1000);
    assert_eq!((reply.err.as_str(), reply.internal_err.as_str()), ("", ""));
    assert_eq!(worker.end().0.code(), Some(0));
}

#[test]
fn nobody_reading_ends_a_worker_quietly() {
    let mut worker = Worker::spawn();
    worker.replies = None;
    let ping = encode_line(&Call::Ping(PingCall::default()));
    // A child that another test is just starting may hold the other end until it execs, so that
    // the first replies still find a reader.
    wait_for("end of the worker", || {
        let is_sent = worker.calls.as_mut().unwrap().write_all(&ping).is_ok();
        worker.child.try_wait().unwrap().is_some() || !is_sent
    });
    let (status, stderr) = worker.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn garbage_ends_a_worker_with_a_sentence() {
    let mut worker = Worker::spawn();
    worker.send(b"garbage\n");
    let (status, stderr) = worker.end();
    assert_eq!(status.code(), Some(INTERNAL_ERROR_EXIT));
    assert!(stderr.starts_with("fuzzd worker: cannot understand a call"), "{stderr}");
}

#[test]
fn a_memory_that_is_none_ends_a_worker_with_a_sentence() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let (status, stderr) = Worker::spawn_with(Some(reader.into())).end();
    assert_eq!(status.code(), Some(INTERNAL_ERROR_EXIT));
    assert!(stderr.starts_with("fuzzd worker: cannot start"), "{stderr}");
}

//! A worker that does what its script says, for the tests of the coordinator.
//!
//! The test binary itself is the program: [`target`] starts it again for one test, [`be_a_worker`],
//! which does nothing in an ordinary test run. It speaks the protocol well up to the point where
//! its script goes wrong. What it does is told by the script, not by the input, so that any bytes
//! can be used.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio, abort, exit};
use std::time::{Duration, Instant};

use fuzzd_protocol::line::LineDecoder;
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, MinimizeReply, PingReply, SeedReply, decode_call, encode_line,
};
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, LINE_BYTES_MAX, MEMORY_FD, caps, layout, sparse};
use fuzzd_shm::{Region, SharedMemory, take_inherited_fd};

use crate::options::TargetSpec;

pub(crate) mod plans;

use plans::Shared;

struct Worker {
    script: String,
    calls: File,
    replies: File,
    memory: SharedMemory,
    control: usize,
    /// Of a script with plans.
    shared: Option<Shared>,
    /// A call was answered.
    is_second: bool,
}

const SCRIPT_ENV: &str = "FUZZD_TEST_SCRIPT";

/// Number of counters it announces.
pub(crate) const COUNTERS: u64 = 16;

/// What a mutation of it makes.
pub(crate) const MUTATED: &[u8] = b"\x00\xffmutated\n";

/// How to start it with a script.
pub(crate) fn target(script: &str) -> TargetSpec {
    through_shell(script, "exec \"$0\" \"$@\"")
}

/// The same, but SIGINT and SIGTERM do nothing to it.
pub(crate) fn stubborn(script: &str) -> TargetSpec {
    through_shell(script, "trap '' INT TERM; exec \"$0\" \"$@\"")
}

/// By way of a shell, whose executable is small: an unoptimized build takes a second for the build
/// id of the test binary.
fn through_shell(script: &str, line: &str) -> TargetSpec {
    let mut args = vec!["-c".into(), line.into(), std::env::current_exe().unwrap().into()];
    let test = ["scripted_worker::be_a_worker", "--exact", "--nocapture", "--test-threads=1"];
    args.extend(test.map(Into::into));
    TargetSpec {
        name: script.into(),
        program: "/bin/sh".into(),
        args,
        env: vec![(SCRIPT_ENV.into(), script.into())],
        cwd: "/".into(),
        testdata: "/nonexistent".into(),
        dialect: crate::options::Dialect::Native,
    }
}

#[test]
fn be_a_worker() {
    let Ok(script) = std::env::var(SCRIPT_ENV) else { return };
    match script.as_str() {
        "dies_before_ping" => {
            eprintln!("no library: libmissing.so");
            exit(3);
        }
        "silent" => wait_for_ever(),
        _ => {}
    }
    let fd = |number| take_inherited_fd(number).expect("the coordinator passes this descriptor");
    let mut worker = Worker {
        script,
        calls: fd(FUZZ_IN_FD).into(),
        replies: fd(FUZZ_OUT_FD).into(),
        memory: SharedMemory::adopt(fd(MEMORY_FD)).expect("fd 5 is a memory"),
        control: 0,
        shared: None,
        is_second: false,
    };
    worker.serve();
    if worker.script == "ignores_close" {
        wait_for_ever();
    }
    exit(0);
}

impl Worker {
    fn serve(&mut self) {
        let mut lines = LineDecoder::new(LINE_BYTES_MAX);
        let mut buffer = [0; 4096];
        loop {
            let length = self.calls.read(&mut buffer).expect("fuzz_in can be read");
            if length == 0 {
                return;
            }
            lines.push(&buffer[..length]);
            while let Some(line) = lines.next_line().expect("lines are short") {
                match decode_call(&line).expect("the coordinator sends calls") {
                    Call::Ping(ping) => {
                        let offset = ping.control_offset.expect("the coordinator names it");
                        self.control = usize::try_from(offset).expect("it fits");
                        // The probe offers nothing.
                        let is_offered = ping.map && self.script.starts_with("plan_");
                        self.shared = is_offered.then(|| Shared::adopt(&ping));
                        self.ping();
                    }
                    Call::Fuzz(call) if self.has_plans() && !call.warmup => self.fuzz_plan(&call),
                    Call::Fuzz(call) => self.fuzz(&call),
                    Call::Minimize(_) => self.minimize(),
                    Call::Seed(call) => {
                        self.put(format!("seed {}", call.index).as_bytes());
                        let reply = SeedReply { total: 2, ..SeedReply::default() };
                        self.reply(&encode_line(&reply));
                    }
                }
            }
        }
    }

    fn has_plans(&self) -> bool {
        self.shared.is_some()
    }

    fn region(&self) -> &Region {
        self.memory.region()
    }

    fn put(&self, input: &[u8]) {
        self.region().write(layout::HEADER_BYTES, input).expect("it fits");
        self.region().store_u64(layout::VALUE_LEN, input.len() as u64).expect("it fits");
    }

    fn is_mutated(&self) -> bool {
        let mut input = [0; MUTATED.len()];
        self.region().read(layout::HEADER_BYTES, &mut input).expect("it fits");
        let length = self.region().load_u64(layout::VALUE_LEN);
        input == MUTATED && length == Ok(MUTATED.len() as u64)
    }

    fn reply(&mut self, line: &[u8]) {
        self.replies.write_all(line).expect("fuzz_out can be written");
    }

    fn ping(&mut self) {
        if self.script == "go" {
            return self.reply(b"{}\n");
        }
        let announced = [caps::INPUT_IN_MEMORY, caps::COVERAGE_SPARSE, caps::SEEDS, caps::IGNORE];
        let plans: &[&str] = if self.has_plans() { &[caps::PLAN, caps::MAP] } else { &[] };
        let reply = PingReply {
            proto: Some(1),
            caps: announced.iter().chain(plans).map(|&cap| cap.to_owned()).collect(),
            counters: (self.script != "blind").then_some(COUNTERS),
            build_id: None,
            types: vec!["[]byte".into()],
            seeds: 2,
            tests: Vec::new(),
            functions: None,
        };
        self.reply(&encode_line(&reply));
        match self.script.as_str() {
            "exits_when_idle" => exit(0),
            "talks_when_idle" => self.reply(b"{}\n"),
            _ => {}
        }
    }

    /// Begins one execution of what a mutation made of the input.
    fn begin_execution(&self, is_new: bool) {
        if is_new {
            self.put(MUTATED);
            self.region().add_u64(layout::COUNT, 1).expect("it exists");
        } else {
            let other = self.control + layout::OTHER_COUNT;
            self.region().add_u64(other, 1).expect("it exists");
        }
        let phase = self.control + layout::PHASE;
        self.region().store_u32(phase, layout::PHASE_RUNNING).expect("it exists");
    }

    fn fuzz(&mut self, call: &FuzzCall) {
        if self.script == "dies_before_execution" {
            abort();
        }
        self.begin_execution(!call.warmup);
        self.misbehave();
        let mut reply = FuzzReply { count: i64::from(!call.warmup), ..FuzzReply::default() };
        reply.other_count = u64::from(call.warmup);
        match self.script.as_str() {
            "find" => reply.coverage_sparse = Some(sparse::encode(&[(3, 1), (7, 8)])),
            "bad_coverage" => reply.coverage_sparse = Some(sparse::encode(&[(99, 1)])),
            "lies" => reply.count = i64::MAX,
            "rejects" => reply.rejected = true,
            "internal_err" => reply.internal_err = "out of order".into(),
            "long_call" => reply.count = self.count_until_stopped(),
            "err" => reply.err = "it does not add up".into(),
            _ if call.warmup => reply.coverage_sparse = Some(sparse::encode(&[(1, 2)])),
            _ => {}
        }
        let mut line = encode_line(&reply);
        if self.script == "two_lines" {
            line.extend_from_slice(b"{}\n");
        }
        self.reply(&line);
        if self.script == "exits_after_reply" {
            exit(0);
        }
    }

    fn minimize(&mut self) {
        self.begin_execution(false);
        self.put(b"small");
        let coverage_sparse = Some(sparse::encode(&[(1, 2)]));
        let reply = MinimizeReply {
            wrote_to_mem: true,
            coverage_sparse,
            other_count: 4,
            ..MinimizeReply::default()
        };
        self.reply(&encode_line(&reply));
    }

    fn misbehave(&mut self) {
        match self.script.as_str() {
            "abort" => abort(),
            "abort_if_mutated" if self.is_mutated() => abort(),
            "hang_if_mutated" if self.is_mutated() => wait_for_ever(),
            "exit_0" => exit(0),
            "panic_abort" => {
                let hook = std::panic::take_hook();
                std::panic::set_hook(Box::new(move |info| {
                    hook(info);
                    abort();
                }));
                panic!("byte {} is odd", 7);
            }
            "sigkill" => signal_self("KILL"),
            "sigsegv" => signal_self("SEGV"),
            "sigstop" => signal_self("STOP"),
            "hang" => wait_for_ever(),
            "eats_memory" => {
                let mut eaten = Vec::new();
                loop {
                    eaten.push(vec![1u8; 8 << 20]);
                    pause(Duration::from_millis(5));
                }
            }
            "closes_fuzz_out" => {
                self.replies = File::open("/dev/null").expect("it exists");
                wait_for_ever();
            }
            "garbage" => {
                self.reply(b"\x00\x01 hello\n");
                wait_for_ever();
            }
            "endless_line" => loop {
                self.reply(&[b'x'; 65536]);
            },
            "half_line_then_abort" => {
                self.reply(b"{\"Count\":1");
                abort();
            }
            "half_line_then_waits" => {
                self.reply(b"{\"Count\":1");
                wait_for_ever();
            }
            "stdout_flood" => {
                let mut stdout = std::io::stdout().lock();
                for _ in 0..100 {
                    stdout.write_all(&[b'y'; 1 << 20]).expect("stdout is drained");
                }
                stdout.write_all(b"flood over\n").expect("stdout is drained");
                drop(stdout);
                abort();
            }
            "grandchild" => {
                let mut sleeper = Command::new("sleep");
                // It inherits stdout and stderr and outlives its parent.
                let child = sleeper.arg("1000").stdin(Stdio::null()).spawn().expect("sleep starts");
                eprintln!("grandchild {}", child.id());
                abort();
            }
            "overwrites_length" => {
                self.region().store_u64(layout::VALUE_LEN, u64::MAX).expect("it exists");
                abort();
            }
            _ => {}
        }
    }

    /// A call that gets on and ends when it is asked to, as a good worker does.
    fn count_until_stopped(&self) -> i64 {
        let end = Instant::now() + Duration::from_secs(60);
        let mut count = 1;
        let stop = self.control + layout::STOP;
        while self.region().load_u32(stop) == Ok(0) && Instant::now() < end {
            self.begin_execution(true);
            count += 1;
            pause(Duration::from_micros(100));
        }
        count
    }
}

/// Until it works: the standard library's own handler takes the first SIGSEGV for a stack overflow,
/// finds that it is none, and lets the next one through.
fn signal_self(name: &str) -> ! {
    let pid = std::process::id().to_string();
    loop {
        Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill starts");
        pause(Duration::from_millis(10));
    }
}

fn pause(time: Duration) {
    std::thread::park_timeout(time);
}

fn wait_for_ever() -> ! {
    loop {
        pause(Duration::from_secs(3600));
    }
}

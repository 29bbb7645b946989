//! Recording: the same scenes with a Go worker and with ours.
//!
//! What differs from one recording to the next is left alone: times, the choices of a generator,
//! the number of counters. The course is the same, and is compared.

use std::path::Path;
use std::process::Command;

use fuzzd_go::coverage;
use fuzzd_integration::{go, zoo_executable};
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, MinimizeCall, PingCall, PingReply, decode_reply,
};
use fuzzd_protocol::{PROTOCOL_VERSION, sparse};

use crate::driver::Driver;
use crate::transcript::{Transcript, folder};

/// Room for the value. Go's mutator needs some of it for itself.
const CAPACITY: usize = 4096;

/// Seed of native calls; of Go's generator it is in the environment.
const SEED: u64 = 1;

/// Executions until something is found, at most.
const EXECS: i64 = 100_000;

/// Whom a scene is played with, and what it is given.
struct Cast {
    dialect: &'static str,
    /// Makes a command that starts a worker.
    command: Box<dyn Fn() -> Command>,
    /// The same, of a fuzz test in which there is something to find, and that seldom fails.
    steady: Box<dyn Fn() -> Command>,
    /// The same, of one that some input ends.
    mortal: Box<dyn Fn() -> Command>,
    passing: Vec<u8>,
    failing: Vec<u8>,
    deadly: Vec<u8>,
}

impl Cast {
    fn is_native(&self) -> bool {
        self.dialect == "native"
    }

    /// A worker that has answered `Ping`.
    fn worker(&self, command: Command) -> (Driver, PingReply) {
        let mut driver = Driver::start(command, CAPACITY, self.is_native());
        let call = match self.is_native() {
            true => PingCall {
                proto: Some(PROTOCOL_VERSION),
                control_offset: driver.control_offset(),
                ..PingCall::default()
            },
            // What the coordinator sends when it does not know yet whom it talks to.
            false => PingCall { proto: Some(PROTOCOL_VERSION), ..PingCall::default() },
        };
        driver.send(&Call::Ping(call));
        let reply = decode_reply(&driver.reply().unwrap()).unwrap();
        (driver, reply)
    }

    fn transcript(&self, scene: &str, why: &str, driver: Driver) -> Transcript {
        Transcript {
            name: format!("{}_{scene}", self.dialect),
            why: why.to_owned(),
            dialect: self.dialect.to_owned(),
            memory_bytes: driver.memory_bytes(),
            steps: driver.steps.clone(),
        }
    }
}

fn fuzz(driver: &mut Driver, value: &[u8], call: FuzzCall) -> Option<FuzzReply> {
    driver.put(value);
    driver.send(&Call::Fuzz(call));
    let line = driver.reply()?;
    driver.look();
    Some(decode_reply(&line).unwrap())
}

fn warm_up() -> FuzzCall {
    FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() }
}

/// Its coverage, in the form that the next call names it in.
fn known(cast: &Cast, ping: &PingReply, reply: &FuzzReply, call: &mut FuzzCall) {
    if cast.is_native() {
        let counters = usize::try_from(ping.counters.unwrap()).unwrap();
        let snapshot = reply.coverage_sparse.clone().unwrap();
        assert!(sparse::decode(&snapshot, counters).is_ok());
        call.coverage_delta = Some(snapshot);
    } else {
        call.coverage_data = reply.coverage_data.clone();
    }
}

fn seed(cast: &Cast) -> Option<u64> {
    cast.is_native().then_some(SEED)
}

fn scenes(cast: &Cast) -> Vec<Transcript> {
    vec![warmed_up(cast), fuzzed(cast), minimized(cast), failed(cast), died(cast), stopped(cast)]
}

fn warmed_up(cast: &Cast) -> Transcript {
    let (mut driver, _) = cast.worker((cast.command)());
    fuzz(&mut driver, &cast.passing, warm_up()).unwrap();
    driver.close();
    driver.end();
    cast.transcript("warm_up", "One execution of a value, and the end in good order.", driver)
}

fn fuzzed(cast: &Cast) -> Transcript {
    let (mut driver, ping) = cast.worker((cast.steady)());
    let reply = fuzz(&mut driver, &cast.passing, warm_up()).unwrap();
    // With nothing in the mask the first input would be a find.
    let mut call = FuzzCall { limit: 5, seed: seed(cast), ..FuzzCall::default() };
    let all = FuzzCall {
        coverage_delta: every_feature(&ping),
        coverage_data: reply.coverage_data.as_ref().map(|snapshot| vec![0xff; snapshot.len()]),
        ..call.clone()
    };
    known(cast, &ping, &reply, &mut call);
    call.limit = EXECS;
    let found = fuzz(&mut driver, &cast.passing, call).unwrap();
    let has_find = found.coverage_sparse.is_some() || found.coverage_data.is_some();
    assert!(has_find && found.err.is_empty(), "{found:?}");
    let nothing = fuzz(&mut driver, &cast.passing, all).unwrap();
    assert_eq!(nothing.count, 5);
    driver.close();
    driver.end();
    let why = "A find: the mask is what the warm-up told. Then five executions without one: the \
               mask is everything.";
    cast.transcript("fuzz", why, driver)
}

fn minimized(cast: &Cast) -> Transcript {
    let (mut driver, ping) = cast.worker((cast.command)());
    let snapshot = fuzz(&mut driver, &cast.passing, warm_up()).unwrap();
    driver.put(&cast.passing);
    let mut call = MinimizeCall { limit: 50, ..MinimizeCall::default() };
    if cast.is_native() {
        let counters = usize::try_from(ping.counters.unwrap()).unwrap();
        let bytes = snapshot.coverage_sparse.unwrap();
        let features = sparse::decode(&bytes, counters).unwrap();
        call.keep_sparse = Some(sparse::encode(&features));
    } else {
        let bytes = snapshot.coverage_data.unwrap();
        let features = coverage::features(&bytes, None).unwrap();
        call.keep_coverage = Some(coverage::dense(&features, bytes.len()));
    }
    driver.send(&Call::Minimize(call));
    driver.reply().unwrap();
    driver.look();
    driver.put(&cast.failing);
    driver.send(&Call::Minimize(MinimizeCall { limit: 500, ..MinimizeCall::default() }));
    driver.reply().unwrap();
    driver.look();
    driver.close();
    driver.end();
    let why = "Smaller inputs: first one with the same coverage, then one that fails as well.";
    cast.transcript("minimize", why, driver)
}

fn failed(cast: &Cast) -> Transcript {
    let (mut driver, _) = cast.worker((cast.command)());
    let reply = fuzz(&mut driver, &cast.failing, warm_up()).unwrap();
    assert!(!reply.err.is_empty());
    fuzz(&mut driver, &cast.passing, warm_up()).unwrap();
    driver.close();
    driver.end();
    let why = "A failure that the worker survives is told in Err; it goes on. (A Go worker that \
               told one exits with 70 in the end.)";
    let why = if cast.is_native() { why.split(" (").next().unwrap() } else { why };
    cast.transcript("failure", why, driver)
}

fn died(cast: &Cast) -> Transcript {
    let (mut driver, _) = cast.worker((cast.mortal)());
    let reply = fuzz(&mut driver, &cast.deadly, warm_up());
    assert!(reply.is_none());
    driver.look();
    driver.end();
    let why = "An input ends the process: no reply, and the input is what the memory says.";
    cast.transcript("death", why, driver)
}

fn stopped(cast: &Cast) -> Transcript {
    let (mut driver, ping) = cast.worker((cast.steady)());
    driver.put(&cast.passing);
    let call = FuzzCall {
        timeout_ns: 60_000_000_000,
        // A Go worker that was sent no mask finds nothing.
        coverage_delta: every_feature(&ping),
        seed: seed(cast),
        max_len: cast.is_native().then_some(1),
        ..FuzzCall::default()
    };
    driver.send(&Call::Fuzz(call));
    driver.wait_for_executions();
    driver.interrupt();
    driver.reply().unwrap();
    driver.look();
    driver.end();
    let why = "SIGINT in a call: the reply comes at once, and the worker exits.";
    cast.transcript("stop", why, driver)
}

/// Everything a native worker can find, so that it finds nothing more.
fn every_feature(ping: &PingReply) -> Option<Vec<u8>> {
    let counters = u32::try_from(ping.counters?).unwrap();
    let every: Vec<(u32, u8)> = (0..counters).map(|index| (index, 0xff)).collect();
    Some(sparse::encode(&every))
}

/// Keeps the recording, or compares its course with what lies there.
fn settle(recorded: Vec<Transcript>) {
    let is_recording = std::env::var_os("FUZZD_RECORD").is_some_and(|value| value == "1");
    for transcript in recorded {
        let path = folder().join(format!("{}.json", transcript.name));
        if is_recording {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, transcript.to_file()).unwrap();
            continue;
        }
        let file = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; scripts/record-transcripts makes it", path.display())
        });
        let there = Transcript::from_file(&file);
        assert_eq!(transcript.course(), there.course(), "{}", transcript.name);
    }
}

fn zoo(test: &'static str) -> Command {
    let mut command = Command::new(zoo_executable());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command
}

fn steps(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["-test.fuzzworker", "-test.paniconexit0", "-test.fuzzcachedir=/nonexistent"])
        .args(["-test.run=^$", "-test.fuzz=^FuzzSteps$"])
        .env("GODEBUG", format!("fuzzseed={SEED}"));
    command
}

#[test]
fn our_worker_plays_every_scene_as_recorded() {
    settle(scenes(&Cast {
        dialect: "native",
        command: Box::new(|| zoo("panics_anywhere")),
        steady: Box::new(|| zoo("stairs")),
        mortal: Box::new(|| zoo("three_bugs")),
        passing: b"a text".to_vec(),
        failing: b"a text with a mark! in it".to_vec(),
        deadly: b"# ends it".to_vec(),
    }));
}

#[test]
fn a_go_worker_plays_every_scene_as_recorded() {
    let Some(binary) = go::steps_binary() else { return };
    let value = |text: &str| format!("go test fuzz v1\n[]byte(\"{text}\")\n").into_bytes();
    settle(scenes(&Cast {
        dialect: "go",
        command: Box::new(|| steps(binary)),
        steady: Box::new(|| steps(binary)),
        mortal: Box::new(|| steps(binary)),
        passing: value("a text"),
        failing: value("wif and more of it"),
        deadly: value("wid and more of it"),
    }));
}

//! Asking a worker what it is: one process, `Ping`, its seeds, and its end.
//!
//! Runs before a session exists, so it drives a client by itself. Must not execute any input.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::session::StopRequestKind;
use fuzzd_protocol::input::canonical;
use fuzzd_protocol::message::{self, Call, SeedCall, SeedReply};
use fuzzd_protocol::value::ValueType;

use crate::build_id::Build;
use crate::limits::{PING_DEADLINE, REAP_DEADLINE, SEED_DEADLINE, SEEDS_BYTES_MAX};
use crate::options::TargetSpec;
use crate::process::{ExitStatus, GroupSignal, Spawner};
use crate::worker::client::{ClientEvent, LaunchError, WorkerClient};
use crate::worker::death::start_failure;
use crate::worker::ping::{Announced, PingError, ping_line, read_ping, shortened};
use crate::worker::state::{StopLadder, StopStep};

/// What a worker said of itself.
#[derive(Debug)]
pub(crate) struct Probed {
    pub(crate) types: Vec<ValueType>,
    /// 0: not instrumented.
    pub(crate) counters: usize,
    /// Names of the program's fuzz tests; empty: it has no names.
    pub(crate) tests: Vec<String>,
    /// The counters that begin a function, ascending; empty: not known.
    pub(crate) functions: Vec<u32>,
    /// The seeds declared in code, in memory form.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Seeds that could not be had: their number, and why.
    pub(crate) skipped: Vec<(u64, String)>,
    /// Words to put into inputs. A native worker has its own.
    pub(crate) words: Vec<Vec<u8>>,
}

/// Why a worker could not be asked.
#[derive(Debug)]
pub(crate) enum WorkerProbeError {
    /// There is no process.
    Launch(LaunchError),
    /// It answered what cannot be worked with.
    Ping(PingError),
    /// It ended, kept silent or broke the protocol; a sentence with the tail of its stderr.
    Failed(String),
}

/// Starts a worker, asks, and ends it. Seeds larger than `capacity` bytes are skipped.
pub(crate) async fn probe_worker(
    spawner: &Spawner,
    target: &TargetSpec,
    build: Arc<Build>,
    capacity: usize,
) -> Result<Probed, WorkerProbeError> {
    let launched = WorkerClient::launch(spawner, target, Some(build), capacity, None).await;
    let mut client = launched.map_err(WorkerProbeError::Launch)?;
    match ask(&mut client).await {
        Ok(probed) => {
            end(&mut client).await;
            Ok(probed)
        }
        Err(Refusal::Ping(error)) => {
            kill(&mut client).await;
            Err(WorkerProbeError::Ping(error))
        }
        Err(Refusal::Broken(what)) => {
            let status = kill(&mut client).await;
            let stderr = client.output().stderr;
            Err(WorkerProbeError::Failed(start_failure(&what, status, &stderr)))
        }
    }
}

enum Refusal {
    Ping(PingError),
    Broken(String),
}

async fn ask(client: &mut WorkerClient) -> Result<Probed, Refusal> {
    let line = ping_line(client.memory(), true);
    let answer = exchange(client, line, "Ping", PING_DEADLINE).await.map_err(Refusal::Broken)?;
    let Announced { types, counters, seeds: total, tests, functions, .. } =
        read_ping(&answer, client.memory()).map_err(Refusal::Ping)?;
    let (mut seeds, mut skipped) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for index in 0..total {
        match seed(client, index, &types).await.map_err(Refusal::Broken)? {
            Ok(seed) if bytes + seed.len() <= SEEDS_BYTES_MAX => {
                bytes += seed.len();
                seeds.push(seed);
            }
            Ok(_) => skipped.push((index, "all seeds together are too large".to_owned())),
            Err(reason) => skipped.push((index, reason)),
        }
    }
    Ok(Probed { types, counters, tests, functions, seeds, skipped, words: Vec::new() })
}

/// One seed; the inner error is a seed that cannot be had from a worker that is well.
async fn seed(
    client: &mut WorkerClient,
    index: u64,
    types: &[ValueType],
) -> Result<Result<Vec<u8>, String>, String> {
    client.memory().begin_call(&[]).map_err(|error| error.to_string())?;
    let line = message::encode_line(&Call::Seed(SeedCall { index }));
    let answer = exchange(client, line, "Seed", SEED_DEADLINE).await?;
    let reply: SeedReply = message::decode_reply(&answer).map_err(|error| {
        format!("its answer to Seed is not one: {}", shortened(&error.to_string()))
    })?;
    if !reply.internal_err.is_empty() {
        return Ok(Err(shortened(&reply.internal_err)));
    }
    let seed = client.memory().input().map_err(|error| error.to_string())?;
    Ok(Ok(canonical(types, &seed)))
}

/// Sends a line and waits for the answer.
async fn exchange(
    client: &mut WorkerClient,
    line: Vec<u8>,
    method: &str,
    limit: Duration,
) -> Result<Vec<u8>, String> {
    client.send(line);
    let mut deadline = Instant::now() + limit;
    loop {
        match client.next().await {
            ClientEvent::Line(line) => return Ok(line),
            ClientEvent::Exited => {
                // Its last words are read before anybody asks for them.
                client.take_rest();
                return Err(format!("it ended before it answered {method}"));
            }
            ClientEvent::Garbage(reason) => return Err(reason),
            // If it is dying, the end of the process is told soon.
            ClientEvent::PipeClosed => {
                deadline = deadline.min(Instant::now() + crate::limits::PIPE_CLOSED_GRACE);
            }
            ClientEvent::Tick { now, gap } => {
                deadline += gap;
                if now >= deadline {
                    return Err(format!("it did not answer {method} within {limit:?}"));
                }
            }
        }
    }
}

/// Ends a worker that is well, by the ladder.
async fn end(client: &mut WorkerClient) {
    let (mut ladder, steps) = StopLadder::begin(StopRequestKind::Ladder, false, Instant::now());
    for &step in steps {
        carry_out(client, step);
    }
    loop {
        match client.next().await {
            ClientEvent::Exited => {
                client.reap();
                return;
            }
            ClientEvent::Tick { now, gap } => match ladder.tick(now, gap) {
                Some(StopStep::Abandon) => return,
                Some(step) => carry_out(client, step),
                None => {}
            },
            ClientEvent::Line(_) | ClientEvent::Garbage(_) | ClientEvent::PipeClosed => {}
        }
    }
}

fn carry_out(client: &mut WorkerClient, step: StopStep) {
    match step {
        StopStep::CloseInput => client.close_input(),
        StopStep::Interrupt => client.interrupt(),
        StopStep::Kill => client.signal(GroupSignal::Kill),
        // The process is dropped by the caller, which kills and reaps it if that is possible.
        StopStep::Abandon => {}
    }
}

async fn kill(client: &mut WorkerClient) -> ExitStatus {
    if let Some(status) = client.reap() {
        return status;
    }
    client.signal(GroupSignal::Kill);
    let deadline = Instant::now() + REAP_DEADLINE;
    while Instant::now() < deadline {
        match client.next().await {
            ClientEvent::Exited => {
                client.take_rest();
                break;
            }
            ClientEvent::Line(_)
            | ClientEvent::Garbage(_)
            | ClientEvent::PipeClosed
            | ClientEvent::Tick { .. } => {}
        }
    }
    client.reap().unwrap_or(ExitStatus::Unknown)
}

//! Serving calls.
//!
//! Owns the state of a worker between calls, and what each method answers.
//!
//! ```text
//! Waiting ── line ──► Answering ── reply written ──► Waiting
//!    ├─ fuzz_in closed, SIGINT, fuzz_out closed ──► ended, exit 0
//!    └─ a line that is no call, a pipe that fails ─► ended, exit 70
//! ```

use std::sync::atomic::AtomicBool;

use fuzzd_protocol::message::{
    Call, FuzzReply, MessageError, MinimizeReply, PingCall, PingReply, SeedCall, SeedReply,
    decode_call, encode_line,
};
use fuzzd_protocol::{ARENA_FD, MAP_FD, PROTOCOL_VERSION, caps, input};
use fuzzd_shm::{ReadOnlyMemory, Region, RingWriter, ShmError};

use crate::comm::{CommError, Pipes};
use crate::counters::Counters;
use crate::engine::Engine;
use crate::memory::{MemoryError, NoControl, WorkerMemory};
use crate::runner::Runner;
use crate::shared::{Arena, SharedError, SharedMap};
use crate::target::Target;
use crate::{build_id, fuzz, minimize};

#[cfg(test)]
pub(crate) mod tests;

/// Why a worker ends with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The pipes to the coordinator, or the shared memory, could not be had.
    #[error("cannot start: {0}")]
    Start(#[from] fuzzd_shm::ShmError),
    /// The memory does not have the parts it should have.
    #[error("cannot use the shared memory: {0}")]
    Memory(#[from] MemoryError),
    /// What the coordinator shares with all workers cannot be used.
    #[error("cannot use what the coordinator shares: {0}")]
    Shared(#[from] SharedError),
    /// The pipes failed.
    #[error(transparent)]
    Comm(#[from] CommError),
    /// A line is no call.
    #[error("cannot understand a call: {0}")]
    Message(#[from] MessageError),
}

/// A worker.
pub(crate) struct Server<'a> {
    region: &'a Region,
    no_control: &'a NoControl,
    runner: Runner<'a>,
    engine: Engine<'a>,
    seeds: Vec<Vec<u8>>,
    /// Gives the read-only memory at a descriptor, once each.
    shared: &'a dyn Fn(i32) -> Result<ReadOnlyMemory, ShmError>,
    /// Whether the coordinator named a version: only then do we know what it expects of us.
    negotiated: bool,
}

impl<'a> Server<'a> {
    /// A worker for `target` over a memory.
    pub(crate) fn new(
        target: &'a dyn Target,
        region: &'a Region,
        no_control: &'a NoControl,
        counters: Counters,
        interrupted: &'a AtomicBool,
        shared: &'a dyn Fn(i32) -> Result<ReadOnlyMemory, ShmError>,
    ) -> Result<Self, ServeError> {
        let memory = WorkerMemory::new(region, None, no_control)?;
        let runner = Runner::new(target, memory, counters, interrupted);
        let engine = Engine::new(&runner.types);
        let seeds = target.seeds();
        let seeds = seeds.iter().map(|seed| input::canonical(&runner.types, seed)).collect();
        Ok(Self { region, no_control, runner, engine, seeds, shared, negotiated: false })
    }

    /// Answers calls until there are no more.
    pub(crate) fn serve(&mut self, pipes: &mut Pipes<'_>) -> Result<(), ServeError> {
        while let Some(line) = pipes.read_line()? {
            let reply = self.answer(decode_call(&line)?)?;
            if !pipes.write_line(&reply)? {
                break;
            }
        }
        Ok(())
    }

    /// Carries one call out and gives the line of its reply.
    pub(crate) fn answer(&mut self, call: Call) -> Result<Vec<u8>, ServeError> {
        Ok(match call {
            Call::Ping(call) => encode_line(&self.ping(&call)?),
            Call::Fuzz(call) if self.negotiated => {
                encode_line(&fuzz::fuzz(&mut self.runner, &mut self.engine, &call))
            }
            Call::Fuzz(_) => encode_line(&FuzzReply {
                internal_err: "this worker does not speak the Go dialect: the Ping call must \
                               name a version"
                    .to_owned(),
                ..FuzzReply::default()
            }),
            Call::Minimize(call) if self.negotiated => {
                encode_line(&minimize::minimize(&mut self.runner, &call))
            }
            Call::Minimize(_) => encode_line(&MinimizeReply::default()),
            Call::Seed(call) => encode_line(&self.seed(&call)),
        })
    }

    fn ping(&mut self, call: &PingCall) -> Result<PingReply, ServeError> {
        if call.proto.is_none() {
            return Ok(PingReply::default());
        }
        self.runner.memory = WorkerMemory::new(self.region, call.control_offset, self.no_control)?;
        self.negotiated = true;
        let mut caps = vec![
            caps::INPUT_IN_MEMORY,
            caps::COVERAGE_SPARSE,
            caps::IGNORE,
            caps::SEEDS,
            caps::SEARCH,
            caps::PROFILE,
        ];
        if cfg!(target_os = "linux") {
            caps.push(caps::FORK);
        }
        if call.control_offset.is_some() {
            caps.push(caps::CONTROL);
        }
        if self.adopt_plan(call)? {
            caps.push(caps::PLAN);
        }
        if call.map {
            let memory = (self.shared)(MAP_FD).map_err(SharedError::from)?;
            self.engine.map = Some(SharedMap::new(memory, self.runner.counters.len())?);
            caps.push(caps::MAP);
        }
        let types = &self.runner.types;
        Ok(PingReply {
            // The only version so far is the lowest, and the highest.
            proto: Some(PROTOCOL_VERSION),
            caps: caps.into_iter().map(str::to_owned).collect(),
            counters: Some(self.runner.counters.len() as u64),
            build_id: Some(build_id::of_this_process()).filter(|id| !id.is_empty()),
            types: types.iter().map(|value_type| value_type.name().to_owned()).collect(),
            seeds: self.seeds.len() as u64,
            // One process of a test executable is one fuzz test; its names are found otherwise.
            tests: Vec::new(),
            functions: call.functions.then(|| self.engine.function_starts()).flatten(),
        })
    }

    /// Takes over what calls with a plan need, if the coordinator offers all of it.
    fn adopt_plan(&mut self, call: &PingCall) -> Result<bool, ServeError> {
        let (Some(offset), Some(bytes), true) = (call.ring_offset, call.ring_bytes, call.arena)
        else {
            return Ok(false);
        };
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let ring = RingWriter::new(self.region, number(offset), number(bytes));
        self.engine.ring = Some(ring.map_err(SharedError::from)?);
        if self.engine.arena.is_none() {
            let memory = (self.shared)(ARENA_FD).map_err(SharedError::from)?;
            self.engine.arena = Some(Arena::new(memory)?);
        }
        Ok(true)
    }

    fn seed(&mut self, call: &SeedCall) -> SeedReply {
        let total = self.seeds.len() as u64;
        let seed = usize::try_from(call.index).ok().and_then(|index| self.seeds.get(index));
        let capacity = self.runner.memory.capacity();
        let internal_err = match seed {
            None => format!("there is no seed {}, only {total}", call.index),
            Some(seed) if seed.len() > capacity => {
                format!("seed {} has {} bytes, the memory {capacity}", call.index, seed.len())
            }
            Some(seed) => {
                self.runner.begin_call();
                self.runner.put(seed);
                self.runner.end_call();
                String::new()
            }
        };
        SeedReply { total, internal_err }
    }
}

//! One live worker process: its pipes, its memory, and what happens on them.
//!
//! Owns the process with everything that belongs to it. Every wait is for readiness only and all
//! progress is kept here, so [`WorkerClient::next`] can be cancelled at any time: a line is never
//! written or read by half and forgotten. Must not know calls, stops or deadlines (see `task`).

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fuzzd_core::death::OutputTail;
use fuzzd_protocol::LINE_BYTES_MAX;
use fuzzd_protocol::line::{LineDecoder, LineError};
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Interval, MissedTickBehavior};

use crate::build_id::Build;
use crate::clock;
use crate::error::why;
use crate::limits::{
    OUTPUT_RING_BYTES, PIPE_READ_BYTES, STDERR_SHOWN_BYTES, STDOUT_SHOWN_BYTES, WATCH_TICK,
};
use crate::options::{Dialect, TargetSpec};
use crate::process::{
    Child, ExitStatus, GroupSignal, SpawnError, SpawnRequest, Spawned, Spawner, watch_end,
};
use crate::shared::TestMemories;
use crate::worker::gauge::{Activity, RssGauge};
use crate::worker::memory::WorkerMemory;
use crate::worker::output::OutputPipe;

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// The process would not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// There is no memory to share.
    #[error("make the memory of a worker: {0}{why}", why = why(.0))]
    Memory(#[from] fuzzd_shm::ShmError),
    /// A descriptor could not be set up.
    #[error("set up the descriptors of a worker: {0}")]
    Descriptors(#[from] io::Error),
}

/// What happened to a process or on its pipes.
#[derive(Debug)]
pub(super) enum ClientEvent {
    /// The process ended. It is not reaped yet; told once.
    Exited,
    /// A complete line arrived on fuzz_out, and nothing after it.
    Line(Vec<u8>),
    /// What arrived on fuzz_out cannot be a reply; a sentence on why.
    Garbage(String),
    /// The process closed fuzz_in or fuzz_out; told once.
    PipeClosed,
    /// A moment passed. `gap` is time in which the coordinator itself did not run.
    Tick { now: Instant, gap: Duration },
}

#[derive(Debug)]
enum FuzzIn {
    /// Open, with what still has to be written.
    Open {
        pipe: Sender,
        outgoing: Vec<u8>,
        written: usize,
    },
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(super) struct WorkerClient {
    child: AsyncFd<Child>,
    is_exit_told: bool,
    is_close_told: bool,
    fuzz_in: FuzzIn,
    fuzz_out: Option<Receiver>,
    decoder: LineDecoder,
    has_partial_line: bool,
    stdout: OutputPipe,
    stderr: OutputPipe,
    memory: WorkerMemory,
    /// What it shares with the other workers of its fuzz test.
    common: Option<Arc<TestMemories>>,
    rss: Option<RssGauge>,
    ticks: Interval,
    tick: Duration,
    last_tick: Instant,
}

enum Ready {
    Exit,
    Tick,
    FuzzOut,
    FuzzIn,
    Stderr,
    Stdout,
}

impl WorkerClient {
    /// Starts a worker of `target` that can be given inputs of at most `capacity` bytes. With a
    /// `build`, the executable must still be that one. It is given the memories that are `common`
    /// to all workers of its fuzz test, if there are any; a Go worker could not use them.
    pub(super) async fn launch(
        spawner: &Spawner,
        target: &TargetSpec,
        build: Option<Arc<Build>>,
        capacity: usize,
        common: Option<Arc<TestMemories>>,
    ) -> Result<Self, LaunchError> {
        let (memory, common) = match (&target.dialect, common) {
            (Dialect::Go(_), _) => (WorkerMemory::create_plain(capacity)?, None),
            (Dialect::Native, common @ Some(_)) => {
                (WorkerMemory::create_with_ring(capacity)?, common)
            }
            (Dialect::Native, None) => (WorkerMemory::create(capacity)?, None),
        };
        let fds = common.as_ref().map(|common| common.fds()).transpose()?;
        let request = SpawnRequest::worker(target, memory.fd_for_worker()?);
        let request = request.of_build(build).with_shared(fds);
        let Spawned { child, fuzz_in, fuzz_out, stdout, stderr } = spawner.spawn(request).await?;
        let mut ticks = tokio::time::interval(WATCH_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let pipe = Sender::from_owned_fd(fuzz_in)?;
        Ok(Self {
            rss: RssGauge::open(child.pid()).ok(),
            child: watch_end(child)?,
            is_exit_told: false,
            is_close_told: false,
            fuzz_in: FuzzIn::Open { pipe, outgoing: Vec::new(), written: 0 },
            fuzz_out: Some(Receiver::from_owned_fd(fuzz_out)?),
            decoder: LineDecoder::new(LINE_BYTES_MAX),
            has_partial_line: false,
            stdout: OutputPipe::new(stdout)?,
            stderr: OutputPipe::new(stderr)?,
            memory,
            common,
            ticks,
            tick: WATCH_TICK,
            last_tick: Instant::now(),
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.get_ref().pid()
    }

    pub(super) fn memory(&self) -> &WorkerMemory {
        &self.memory
    }

    /// Sets the time between two ticks. A shorter one holds from now on, a longer one from the next
    /// tick: changing it again and again puts no tick off.
    pub(super) fn set_tick(&mut self, tick: Duration) {
        if tick < self.tick {
            self.ticks.reset_after(tick);
        }
        self.tick = tick;
    }

    /// The next tick comes after `tick`, whatever was to come: something begins now whose deadlines
    /// are the only ones that count.
    pub(super) fn restart_ticks(&mut self, now: Instant, tick: Duration) {
        self.ticks.reset_after(tick);
        (self.tick, self.last_tick) = (tick, now);
    }

    /// Its own resident memory; `None` if the system does not say.
    pub(super) fn rss_bytes(&self) -> Option<u64> {
        let common = self.common.as_ref().map_or(0, |common| common.resident_max());
        self.rss.as_ref().and_then(|rss| rss.read(common))
    }

    /// What the process does; `None` if the system does not say.
    pub(super) fn activity(&self) -> Option<Activity> {
        Activity::read(self.child.get_ref().pid())
    }

    /// A part of a line has arrived on fuzz_out.
    pub(super) fn has_partial_line(&self) -> bool {
        self.has_partial_line
    }

    /// Whether the process has ended, told or not.
    pub(super) fn has_ended(&self) -> bool {
        self.child.get_ref().has_ended()
    }

    /// The signal that the process is stopped by right now, if it is.
    pub(super) fn stopped_by(&self) -> Option<i32> {
        self.child.get_ref().stopped_by()
    }

    /// Whether fuzz_out holds bytes that nobody asked for: they would pass for the next reply.
    pub(super) fn has_unread(&self) -> bool {
        let unread = self.fuzz_out.as_ref().map(rustix::io::ioctl_fionread);
        matches!(unread, Some(Ok(1..)))
    }

    /// Queues a line. The one before must have been answered, so that it was read.
    pub(super) fn send(&mut self, line: Vec<u8>) {
        if let FuzzIn::Open { outgoing, written, .. } = &mut self.fuzz_in {
            (*outgoing, *written) = (line, 0);
        }
        // Each reply starts a new line.
        self.decoder = LineDecoder::new(LINE_BYTES_MAX);
        self.has_partial_line = false;
    }

    /// Closes fuzz_in, whatever still had to be written.
    pub(super) fn close_input(&mut self) {
        self.fuzz_in = FuzzIn::Closed;
    }

    /// Sends SIGINT to the process alone.
    pub(super) fn interrupt(&self) {
        self.child.get_ref().interrupt();
    }

    /// Signals the process and its whole group.
    pub(super) fn signal(&self, signal: GroupSignal) {
        self.child.get_ref().signal_group(signal);
    }

    /// The newest output of the target.
    pub(super) fn output(&self) -> OutputTail {
        OutputTail {
            stderr: self.stderr.tail(STDERR_SHOWN_BYTES),
            stdout: self.stdout.tail(STDOUT_SHOWN_BYTES),
        }
    }

    /// All output of the target that is kept: Go begins its last words with what matters most.
    pub(super) fn whole_output(&self) -> OutputTail {
        OutputTail {
            stderr: self.stderr.tail(OUTPUT_RING_BYTES),
            stdout: self.stdout.tail(STDOUT_SHOWN_BYTES),
        }
    }

    /// Waits for the next thing to happen, and keeps the pipes moving. Cancel-safe.
    pub(super) async fn next(&mut self) -> ClientEvent {
        loop {
            match self.ready().await {
                Ready::Exit => {
                    self.is_exit_told = true;
                    return ClientEvent::Exited;
                }
                Ready::Tick => {
                    let now = Instant::now();
                    let gap = clock::gap(self.last_tick, now, self.tick);
                    self.last_tick = now;
                    if self.tick != WATCH_TICK {
                        self.ticks.reset_after(self.tick);
                    }
                    return ClientEvent::Tick { now, gap };
                }
                Ready::FuzzOut => {
                    if let Some(event) = self.read_some() {
                        return event;
                    }
                }
                Ready::FuzzIn => {
                    if let Some(event) = self.write_some() {
                        return event;
                    }
                }
                Ready::Stderr => self.stderr.drain_some(),
                Ready::Stdout => self.stdout.drain_some(),
            }
        }
    }

    /// Biased: the end of the process and the clock come before floods.
    async fn ready(&mut self) -> Ready {
        let unwritten = match &self.fuzz_in {
            FuzzIn::Open { pipe, outgoing, written } if *written < outgoing.len() => Some(pipe),
            FuzzIn::Open { .. } | FuzzIn::Closed => None,
        };
        tokio::select! {
            biased;
            () = exited(&self.child), if !self.is_exit_told => Ready::Exit,
            _ = self.ticks.tick() => Ready::Tick,
            () = readable(self.fuzz_out.as_ref()) => Ready::FuzzOut,
            () = writable(unwritten) => Ready::FuzzIn,
            () = self.stderr.readable() => Ready::Stderr,
            () = self.stdout.readable() => Ready::Stdout,
        }
    }

    fn read_some(&mut self) -> Option<ClientEvent> {
        let pipe = self.fuzz_out.as_ref()?;
        let mut buffer = [0; PIPE_READ_BYTES];
        match pipe.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(0) | Err(_) => {
                self.fuzz_out = None;
                self.pipe_closed()
            }
            Ok(length) => self.decode(&buffer[..length]),
        }
    }

    fn decode(&mut self, bytes: &[u8]) -> Option<ClientEvent> {
        self.decoder.push(bytes);
        self.has_partial_line = true;
        let line = match self.decoder.next_line() {
            Ok(None) => return None,
            Ok(Some(line)) => line,
            Err(error @ (LineError::TooLong { .. } | LineError::TruncatedAtEof { .. })) => {
                return Some(ClientEvent::Garbage(error.to_string()));
            }
        };
        self.has_partial_line = false;
        if matches!(self.decoder.next_line(), Ok(None)) && self.decoder.finish().is_ok() {
            return Some(ClientEvent::Line(line));
        }
        Some(ClientEvent::Garbage("it wrote more than one line".into()))
    }

    fn write_some(&mut self) -> Option<ClientEvent> {
        let FuzzIn::Open { pipe, outgoing, written } = &mut self.fuzz_in else { return None };
        match pipe.try_write(&outgoing[*written..]) {
            Ok(length) => {
                *written += length;
                None
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => {
                self.close_input();
                self.pipe_closed()
            }
        }
    }

    fn pipe_closed(&mut self) -> Option<ClientEvent> {
        let is_first = !self.is_close_told;
        self.is_close_told = true;
        is_first.then_some(ClientEvent::PipeClosed)
    }

    /// After [`ClientEvent::Exited`]: takes what the process left in its pipes, and the line it
    /// may have completed. Does not wait for the pipes to close.
    pub(super) fn take_rest(&mut self) -> Option<Vec<u8>> {
        self.stderr.drain_rest();
        self.stdout.drain_rest();
        let mut buffer = [0; PIPE_READ_BYTES];
        // A grandchild may go on writing; the decoder ends that at the longest line.
        while let Some(pipe) = &self.fuzz_out {
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(length) => match self.decode(&buffer[..length]) {
                    None => {}
                    Some(ClientEvent::Line(line)) => return Some(line),
                    Some(_) => return None,
                },
            }
        }
        None
    }

    /// Kills what is left of the group and reaps the process. `None`: it still runs.
    pub(super) fn reap(&mut self) -> Option<ExitStatus> {
        self.child.get_mut().reap()
    }

    /// Gives up a process that is stuck in the kernel, to be reaped later.
    pub(super) fn abandon(self) -> Child {
        self.child.into_inner()
    }
}

async fn exited(child: &AsyncFd<Child>) {
    loop {
        match child.readable().await {
            Ok(_) if child.get_ref().has_ended() => return,
            Ok(mut guard) => guard.clear_ready(),
            // The runtime is going down: so are we.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn readable(pipe: Option<&Receiver>) {
    match pipe {
        // An error shows again when the pipe is read.
        Some(pipe) => drop(pipe.readable().await),
        None => std::future::pending().await,
    }
}

async fn writable(pipe: Option<&Sender>) {
    match pipe {
        Some(pipe) => drop(pipe.writable().await),
        None => std::future::pending().await,
    }
}

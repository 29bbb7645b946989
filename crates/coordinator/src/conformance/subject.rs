//! One worker process under examination.
//!
//! Owns: starting it as a coordinator would, its memory, single calls, and what is noted of every
//! answer besides. Must not judge what the answers mean (the checks do).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fuzzd_protocol::layout::ring::RING_BYTES;
use fuzzd_protocol::layout::{self, HEADER_BYTES};
use fuzzd_protocol::message::{
    Call, FuzzCall, FuzzReply, MinimizeCall, MinimizeReply, PingCall, SeedCall, SeedReply,
    decode_reply, encode_line,
};
use fuzzd_protocol::{INTERNAL_ERROR_EXIT, PROTOCOL_VERSION};
use fuzzd_shm::SharedMemory;
use rustix::process::Signal;
use serde::de::DeserializeOwned;

use super::limits::{
    END_DEADLINE, EXECUTING_DEADLINE, KILL_DEADLINE, LOOK_EVERY, REPLY_DEADLINE, START_DEADLINE,
    STDERR_SHOWN_BYTES,
};
use super::noted::{Noted, shown};
use super::pump::{Heard, Pump};
use super::{Checked, ConformanceError, Trouble, failed};
use crate::options::TargetSpec;
use crate::process::{ExitStatus, GroupSignal, SpawnRequest, Spawner};
use crate::shared::TestMemories;

mod memory;

/// What a worker is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Equipment<'a> {
    /// Bytes for the value, at most.
    pub(super) room: usize,
    /// There is a control block behind the value.
    pub(super) has_control: bool,
    /// There is a ring behind the control block, and these memories at fds 6 and 7.
    pub(super) shared: Option<&'a TestMemories>,
}

/// Starts processes of one program.
pub(super) struct Starter {
    pub(super) target: TargetSpec,
    pub(super) spawner: Spawner,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) noted: Rc<RefCell<Noted>>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Reply(T),
    /// The process ended instead.
    Died(ExitStatus),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) pump: Pump,
    memory: SharedMemory,
    room: usize,
    control: Option<usize>,
    has_ring: bool,
    noted: Rc<RefCell<Noted>>,
    /// It has answered once: from then on it has less time.
    is_up: bool,
}

impl Starter {
    /// Starts a process.
    pub(super) fn start(&self, equipment: Equipment<'_>) -> Checked<Subject> {
        let Equipment { room, has_control, shared } = equipment;
        let bytes = match (has_control, shared.is_some()) {
            (false, _) => HEADER_BYTES + room,
            (true, false) => layout::memory_bytes(room),
            (true, true) => layout::memory_bytes_with_ring(room),
        };
        let memory = SharedMemory::create(bytes).map_err(ConformanceError::Memory)?;
        let passed = memory.fd().try_clone_to_owned().map_err(ConformanceError::System)?;
        let fds = shared.map(TestMemories::fds).transpose().map_err(ConformanceError::System)?;
        let request = SpawnRequest::worker(&self.target, passed).with_shared(fds);
        let spawned = self.runtime.block_on(self.spawner.spawn(request));
        let spawned = spawned.map_err(|error| ConformanceError::NotStarted(error.to_string()))?;
        Ok(Subject {
            pump: Pump::new(spawned).map_err(ConformanceError::System)?,
            memory,
            room,
            control: has_control.then(|| layout::control_offset(room)),
            has_ring: has_control && shared.is_some(),
            noted: Rc::clone(&self.noted),
            is_up: false,
        })
    }
}

impl Subject {
    /// The `Ping` that offers all it was given.
    pub(super) fn ping_call(&self) -> PingCall {
        let ring_offset = self.has_ring.then(|| layout::ring_offset(self.room) as u64);
        PingCall {
            proto: Some(PROTOCOL_VERSION),
            control_offset: self.control.map(|offset| offset as u64),
            ring_offset,
            ring_bytes: ring_offset.map(|_| RING_BYTES as u64),
            arena: self.has_ring,
            map: self.has_ring,
            functions: false,
        }
    }

    /// Sends bytes, and waits for what comes.
    pub(super) fn ask(&mut self, bytes: &[u8], patience: Duration) -> Checked<Heard> {
        self.pump.send(bytes);
        self.hear(patience)
    }

    /// Waits for what comes.
    pub(super) fn hear(&mut self, patience: Duration) -> Checked<Heard> {
        let patience = if self.is_up { patience } else { patience.max(START_DEADLINE) };
        let heard = self.pump.hear(patience).map_err(ConformanceError::System)?;
        if let Heard::Line(line) = &heard {
            self.is_up = true;
            self.noted.borrow_mut().answered(line);
            // An answer is one line; what comes at once behind it came unasked.
            if let Heard::Line(more) = self.pump.hear(Duration::ZERO)? {
                self.noted.borrow_mut().unasked(&more);
            }
        }
        Ok(heard)
    }

    /// Sends bytes and reads the answer to them.
    pub(super) fn exchange<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> Checked<T> {
        match self.try_exchange(bytes, Duration::ZERO)? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Died(status) => {
                failed(format!("it {} in place of an answer{}", told(status), self.last_words()))
            }
        }
    }

    fn try_exchange<T: DeserializeOwned>(
        &mut self,
        bytes: &[u8],
        longer: Duration,
    ) -> Checked<Answer<T>> {
        let heard = self.ask(bytes, REPLY_DEADLINE + longer)?;
        self.answer(heard)
    }

    /// Reads an answer out of what was heard.
    pub(super) fn answer<T: DeserializeOwned>(&self, heard: Heard) -> Checked<Answer<T>> {
        match heard {
            Heard::Line(line) => match decode_reply(&line) {
                Ok(reply) => Ok(Answer::Reply(reply)),
                Err(error) => failed(format!("{} is no answer: {error}", shown(&line))),
            },
            Heard::Ended(status) => Ok(Answer::Died(status)),
            Heard::Silence => failed(format!("no answer in time{}", self.last_words())),
            Heard::NoLine(error) => failed(format!("its answer is no line: {error}")),
        }
    }

    pub(super) fn ping(&mut self) -> Checked<fuzzd_protocol::message::PingReply> {
        let call = Call::Ping(self.ping_call());
        self.exchange(&encode_line(&call))
    }

    /// A Fuzz call on `input`.
    pub(super) fn fuzz(&mut self, input: &[u8], call: FuzzCall) -> Checked<FuzzReply> {
        let answer = self.try_fuzz(input, call)?;
        self.alive(answer)
    }

    /// The same, where the target may end the process.
    pub(super) fn try_fuzz(&mut self, input: &[u8], call: FuzzCall) -> Checked<Answer<FuzzReply>> {
        self.put(input);
        let longer = Duration::from_nanos(call.timeout_ns.unsigned_abs());
        let answer = self.try_exchange(&encode_line(&Call::Fuzz(call)), longer)?;
        self.noted.borrow_mut().fuzz_answered();
        Ok(answer)
    }

    /// One execution of `input`.
    pub(super) fn warm_up(&mut self, input: &[u8]) -> Checked<FuzzReply> {
        self.fuzz(input, FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() })
    }

    pub(super) fn minimize(&mut self, input: &[u8], call: MinimizeCall) -> Checked<MinimizeReply> {
        self.put(input);
        let longer = Duration::from_nanos(call.timeout_ns.unsigned_abs());
        let answer = self.try_exchange(&encode_line(&Call::Minimize(call)), longer)?;
        self.noted.borrow_mut().minimize_answered();
        self.alive(answer)
    }

    pub(super) fn seed(&mut self, index: u64) -> Checked<SeedReply> {
        self.put(&[]);
        self.exchange(&encode_line(&Call::Seed(SeedCall { index })))
    }

    fn alive<T>(&self, answer: Answer<T>) -> Checked<T> {
        match answer {
            Answer::Reply(reply) => Ok(reply),
            Answer::Died(status) => Err(self.ended_in_call(status)),
        }
    }

    /// What the end of the process in a call means: an end by the input that it executed is the
    /// target's doing, and no rule is about it.
    pub(super) fn ended_in_call(&self, status: ExitStatus) -> Trouble {
        let is_own = match status {
            ExitStatus::Exited(status) => matches!(status, 0 | INTERNAL_ERROR_EXIT),
            ExitStatus::Signaled(signal) => {
                [Signal::INT, Signal::KILL].iter().any(|own| own.as_raw() == signal)
            }
            ExitStatus::Unknown => true,
        };
        let header = self.header();
        let was_executing = header.count > 0 || self.other_count().is_some_and(|count| count > 0);
        if was_executing && !is_own {
            return Trouble::Disturbed;
        }
        Trouble::Failed(format!("it {} in a call{}", told(status), self.last_words()))
    }

    /// Sends a call that does not end by itself, and waits until it executes something.
    pub(super) fn begin(&mut self, input: &[u8], call: FuzzCall) -> Checked {
        self.put(input);
        self.pump.send(&encode_line(&Call::Fuzz(call)));
        let deadline = Instant::now() + EXECUTING_DEADLINE;
        while !(self.pump.has_sent() && self.header().count > 0) {
            match self.pump.hear(LOOK_EVERY)? {
                Heard::Silence => {}
                Heard::Line(_) => return Err(Trouble::Disturbed),
                Heard::Ended(status) => return Err(self.ended_in_call(status)),
                Heard::NoLine(error) => return failed(error.to_string()),
            }
            if Instant::now() >= deadline {
                return failed("its count stays 0: nothing is executed, or it is not counted");
            }
        }
        Ok(())
    }

    /// Keeps the pipes moving for a moment.
    pub(super) fn look(&mut self, time: Duration) -> Checked {
        let deadline = Instant::now() + time;
        Ok(self.pump.turn(deadline).map_err(ConformanceError::System)?)
    }

    /// The exit status it must end with soon.
    pub(super) fn must_end(&mut self, expected: i32, when: &str) -> Checked {
        match self.pump.end(END_DEADLINE)? {
            Some(ExitStatus::Exited(status)) if status == expected => Ok(()),
            Some(status) => failed(format!(
                "{when}, it {}, not with status {expected}{}",
                told(status),
                self.last_words()
            )),
            None => failed(format!("{when}, it lives on after {END_DEADLINE:?}")),
        }
    }

    /// Kills it; its memory stays.
    pub(super) fn kill(&mut self) -> Checked {
        self.pump.signal(GroupSignal::Kill);
        match self.pump.end(KILL_DEADLINE)? {
            Some(_) => Ok(()),
            None => Err(Trouble::Broken(ConformanceError::Stuck(self.pump.pid()))),
        }
    }

    /// What it has said on standard error, for the end of a sentence.
    pub(super) fn last_words(&self) -> String {
        let words = &self.pump.complaints;
        let words = &words[words.len().saturating_sub(STDERR_SHOWN_BYTES)..];
        let words = String::from_utf8_lossy(words);
        match words.trim() {
            "" => String::new(),
            words => format!("; it said: {words}"),
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.noted.borrow_mut().ended(&self.pump.output);
    }
}

/// How a process ended, as the end of a sentence.
pub(super) fn told(status: ExitStatus) -> String {
    match status {
        ExitStatus::Exited(status) => format!("exited with status {status}"),
        ExitStatus::Signaled(signal) => format!("was ended by signal {signal}"),
        ExitStatus::Unknown => "ended".to_owned(),
    }
}

//! One execution of the fuzz test.
//!
//! Owns the order of things around an execution: the input lies in memory, its length is known
//! there, the counters are 0, the phase says that it runs; then it runs on a private copy, because
//! shared bytes are never borrowed. Must not allocate, lock, hash, ask the system or read a clock
//! unless the input fails.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use fuzzd_core::signature::Signature;
use fuzzd_protocol::value::ValueType;

use crate::counters::{Counters, Seen};
use crate::failure::{self, Fault};
use crate::memory::WorkerMemory;
use crate::target::{Target, Verdict};

/// How one execution ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Passed,
    Rejected,
    Failed(Box<Fault>),
}

/// Everything one execution needs.
pub(crate) struct Runner<'a> {
    target: &'a dyn Target,
    /// Types of its parameters. Asked once: the answer runs instrumented code.
    pub(crate) types: Vec<ValueType>,
    /// Where inputs lie.
    pub(crate) memory: WorkerMemory<'a>,
    /// All 0 between executions.
    pub(crate) counters: Counters,
    /// What need not be reported.
    pub(crate) seen: Seen,
    /// Signatures to go on over, of the last Fuzz call. Sorted.
    pub(crate) ignored: Vec<Signature>,
    /// Executions of newly mutated inputs in this call. Memory has a copy, which the target may
    /// overwrite.
    pub(crate) count: u64,
    /// All other executions in this call; as above.
    pub(crate) other_count: u64,
    interrupted: &'a AtomicBool,
    scratch: Vec<u8>,
}

impl<'a> Runner<'a> {
    /// A runner of `target`. What it asks the target for is asked now.
    pub(crate) fn new(
        target: &'a dyn Target,
        memory: WorkerMemory<'a>,
        counters: Counters,
        interrupted: &'a AtomicBool,
    ) -> Self {
        let types = target.types().to_vec();
        let seen = Seen::new(counters.len());
        let scratch = vec![0; memory.capacity()];
        Self {
            target,
            types,
            memory,
            counters,
            seen,
            ignored: Vec::new(),
            count: 0,
            other_count: 0,
            interrupted,
            scratch,
        }
    }

    /// Before the executions of a call: threads that the fuzz test left behind may have hit
    /// counters since the last one.
    pub(crate) fn begin_call(&mut self) {
        self.count = self.memory.count();
        self.other_count = 0;
        self.counters.clear();
    }

    /// After the executions of a call: memory says what the reply says.
    pub(crate) fn end_call(&self) {
        self.memory.set_count(self.count);
        self.memory.set_other_count(self.other_count);
    }

    /// Whether somebody wants the call to end now.
    #[inline]
    pub(crate) fn must_stop(&self) -> bool {
        self.memory.stop_requested() || self.interrupted.load(Relaxed)
    }

    /// Runs the first `len` bytes of the value in memory. The caller has written the length, then
    /// counted the execution: who is killed in between is not told with a wrong length.
    #[inline]
    fn run(&mut self, len: usize) -> Ending {
        let input = &mut self.scratch[..len];
        self.memory.area().read(0, input);
        self.memory.set_running(true);
        let ending = run_target(self.target, input);
        self.memory.set_running(false);
        ending
    }

    /// Runs the value in memory as a newly mutated input.
    #[inline]
    pub(crate) fn run_new(&mut self, len: usize) -> Ending {
        self.memory.set_value_len(len);
        self.count += 1;
        self.memory.set_count(self.count);
        self.run(len)
    }

    /// Runs the value in memory as an execution that is not of a newly mutated input.
    pub(crate) fn run_other(&mut self, len: usize) -> Ending {
        self.memory.set_value_len(len);
        self.other_count += 1;
        self.memory.set_other_count(self.other_count);
        self.run(len)
    }

    /// Puts the input that was run last, of `len` bytes, back into memory before it is told of: the
    /// target may have overwritten it.
    pub(crate) fn restore(&self, len: usize) {
        self.memory.set_value(&self.scratch[..len]);
    }
}

/// The border between the runtime and the target: backtraces are cut here.
#[inline(never)]
fn run_target(target: &dyn Target, input: &[u8]) -> Ending {
    match failure::catch(|| target.run(input)) {
        Ok(Verdict::Pass) => Ending::Passed,
        Ok(Verdict::Reject) => Ending::Rejected,
        Ok(Verdict::Fail(text)) => Ending::Failed(failure::of_error(&text)),
        Err(fault) => Ending::Failed(fault),
    }
}

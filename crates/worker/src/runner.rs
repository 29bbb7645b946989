//! One execution of the fuzz test.
//!
//! Owns the order of things around an execution: the input lies in memory, its length is known
//! there, the counters are 0, the phase says that it runs; then it runs where it lies, so that
//! nothing is copied: while a call runs the memory is the worker's alone to write. Must not
//! allocate, lock, hash, ask the system or read a clock unless the input fails.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use fuzzd_core::signature::Signature;
use fuzzd_protocol::value::ValueType;
use fuzzd_shm::ExclusiveArea;

use crate::counters::{Counters, Seen};
use crate::failure::{self, Fault};
use crate::memory::{ValueLenError, WorkerMemory};
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
    /// The place of the value, while a call runs.
    value: Option<ExclusiveArea<'a>>,
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
            value: None,
        }
    }

    /// Before the executions of a call: threads that the fuzz test left behind may have hit
    /// counters since the last one.
    pub(crate) fn begin_call(&mut self) {
        self.count = self.memory.count();
        self.other_count = 0;
        self.counters.clear();
        self.value = None;
        self.value = Some(self.memory.take_area());
    }

    /// After the executions of a call: memory says what the reply says.
    pub(crate) fn end_call(&mut self) {
        self.value = None;
        self.memory.set_count(self.count);
        self.memory.set_other_count(self.other_count);
    }

    /// Whether somebody wants the call to end now.
    #[inline]
    pub(crate) fn must_stop(&self) -> bool {
        self.memory.stop_requested() || self.interrupted.load(Relaxed)
    }

    /// The place of the value, all of it.
    #[inline]
    pub(crate) fn value(&mut self) -> &mut [u8] {
        self.value.as_deref_mut().unwrap_or_default()
    }

    /// A copy of the value in memory, as the coordinator left it.
    pub(crate) fn given(&mut self) -> Result<Vec<u8>, ValueLenError> {
        let len = self.memory.value_len()?;
        Ok(self.value()[..len].to_vec())
    }

    /// Puts an input there. It must fit.
    pub(crate) fn put(&mut self, input: &[u8]) {
        self.value()[..input.len()].copy_from_slice(input);
        self.memory.set_value_len(input.len());
    }

    /// Runs the first `len` bytes of the value in memory. The caller has written the length, then
    /// counted the execution: who is killed in between is not told with a wrong length.
    #[inline]
    fn run(&mut self, len: usize) -> Ending {
        let value = self.value.as_deref().unwrap_or_default();
        self.memory.set_running(true);
        let ending = run_target(self.target, &value[..len]);
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

    /// Counts an execution of the first `len` bytes that is done apart.
    pub(crate) fn count_apart(&mut self, len: usize) {
        self.memory.set_value_len(len);
        self.other_count += 1;
        self.memory.set_other_count(self.other_count);
    }

    /// Runs the value in memory in a process that may end with it. Memory does not say that it
    /// runs: the worker lives on.
    pub(crate) fn run_apart(&self, len: usize) -> Ending {
        run_target(self.target, &self.value.as_deref().unwrap_or_default()[..len])
    }

    /// Runs the value in memory as an execution that is not of a newly mutated input.
    pub(crate) fn run_other(&mut self, len: usize) -> Ending {
        self.memory.set_value_len(len);
        self.other_count += 1;
        self.memory.set_other_count(self.other_count);
        self.run(len)
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

//! The input a Go worker was running, from what its memory shows.
//!
//! Owns: reading a header in the light of the call that was made, and doing again what the worker
//! did. Source: `workerServer.fuzz`, `workerServer.minimize` and the worker client's `fuzz` and
//! `minimize` in `worker.go` of `internal/fuzz` (Go 1.27.3). Must not: touch memory or processes.
//!
//! A Go worker never sends a mutated value. It leaves the state of its generator in the header, at
//! the start of a call and whenever it goes back to the value that was sent, which is before every
//! fifth mutation, and counts executions. So the input of execution `count` is what was sent, after
//! `(count - 1) % 5 + 1` mutations from that state. The same holds for the input of an answer
//! (a find, or an `Err`): look at the memory before the next call.
//!
//! While it minimizes, the memory holds the bytes of the one parameter as it runs them; once it has
//! answered, the text of what it came to.
//!
//! What cannot be known, and mostly shows as an input that does not reproduce:
//!
//! - a worker killed from outside *between* two executions, just after it saved a new state for the
//!   next chain: the header then stands for an input that was not run. The same goes for a worker
//!   that dies or hangs *in its mutator*, upon a value that was too long for its memory;
//! - one killed from outside while it wrote a candidate of `Minimize` or its length, or between the
//!   text of its answer and the flag: the memory then holds some of each;
//! - the end of a candidate of `Minimize` that is longer than the one before: Go copies only as
//!   many bytes as that one had (`tryMinimized`), and what lay behind them stays. That is every
//!   longer one behind a candidate that was rejected: while a tail is cut off, and while ranges of
//!   bytes are removed;
//! - a fuzz test that writes into its `[]byte` arguments, or keeps them and writes later, which Go
//!   forbids. Its changes are in the worker's buffer and in what later mutations of the chain made
//!   of them; those to an argument that was not mutated are in the value that the worker goes back
//!   to, up to the end of the call;
//! - what is in no input: a death that an earlier one set off, in a goroutine it left behind.

use fuzzd_protocol::layout::Header;
use fuzzd_protocol::value::Value;

use crate::limits::CHAINED_MUTATIONS;
use crate::mutator::{Candidate, MutateError};
use crate::pcg::{EvenIncrement, Pcg};
use crate::text::{self, GoTextError};

#[cfg(test)]
mod tests;

/// The call that a worker was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `Fuzz` with `Warmup`: the value as it was sent.
    Warmup,
    /// `Fuzz`: mutations of the value.
    Fuzz,
    /// `Minimize` of the parameter at this index.
    Minimize(usize),
}

/// What lies in the memory of a worker, copied out of it.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'a> {
    /// The header.
    pub header: Header,
    /// The value: as many bytes as the header says, none if it names more than there are.
    pub value: &'a [u8],
    /// Bytes the memory has for the value: its size without the header.
    pub capacity: usize,
}

/// What a worker was doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Running {
    /// It had not begun to run anything in this call.
    Nothing,
    /// It ran the input with these values, or had just done so. After the answer to a `Minimize`:
    /// what this came to, or what was sent if it came to nothing.
    Input(Vec<Value>),
}

/// Why the input cannot be rebuilt. All of these mean that the worker, or the target in its
/// process, wrote what it should not, or that we sent what we should not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// What was sent is no text of Go's.
    #[error("the value that was sent: {0}")]
    Sent(#[from] GoTextError),
    /// The header counts a negative number of executions.
    #[error("the header counts {0} executions")]
    Count(i64),
    /// The value in memory is another one than was sent, where a worker only reads it; or differs
    /// in more than the parameter that was to be minimized.
    #[error("the value in memory was overwritten")]
    Overwritten,
    /// The value in memory after a `Minimize` is no text of Go's.
    #[error("the value in memory: {0}")]
    Written(#[source] GoTextError),
    /// The state of the generator is none of Go's.
    #[error("the header: {0}")]
    State(#[from] EvenIncrement),
    /// Go could not have made the mutation.
    #[error("mutate: {0}")]
    Mutate(#[from] MutateError),
    /// The parameter that was to be minimized is no byte string, or does not exist.
    #[error("parameter {0} cannot be minimized")]
    Parameter(usize),
}

/// What a worker was running when it died or hung, or what it answered about.
///
/// `sent` is the text that the coordinator had put into the memory before the call. Before every
/// call the coordinator must also set `count` and `rawInMem` to 0: both outlive a worker.
pub fn running(call: Call, sent: &[u8], memory: Memory<'_>) -> Result<Running, RebuildError> {
    let count = memory.header.count;
    match count {
        ..0 => return Err(RebuildError::Count(count)),
        0 => return Ok(Running::Nothing),
        1.. => {}
    }
    let values = match call {
        Call::Warmup => {
            is_untouched(sent, memory)?;
            text::decode(sent)?
        }
        Call::Fuzz => {
            is_untouched(sent, memory)?;
            mutated(text::decode(sent)?, memory.header, memory.capacity)?
        }
        Call::Minimize(index) => minimized(text::decode(sent)?, index, memory)?,
    };
    Ok(Running::Input(values))
}

fn is_untouched(sent: &[u8], memory: Memory<'_>) -> Result<(), RebuildError> {
    if memory.value == sent { Ok(()) } else { Err(RebuildError::Overwritten) }
}

/// What the mutator made of `values` in the chain that the header stands for. `count` is at least
/// 1.
fn mutated(
    values: Vec<Value>,
    header: Header,
    capacity: usize,
) -> Result<Vec<Value>, RebuildError> {
    let mut generator = Pcg::restore(header.rand_state, header.rand_inc)?;
    let mut candidate = Candidate::new(values, capacity)?;
    for _ in 0..(header.count - 1) % CHAINED_MUTATIONS + 1 {
        candidate.mutate(&mut generator)?;
    }
    Ok(candidate.values())
}

/// While candidates run, the memory holds the raw bytes of the one parameter; before the first and
/// after an answer, a text. Parameters that earlier calls made smaller are part of what was sent.
fn minimized(
    mut values: Vec<Value>,
    index: usize,
    memory: Memory<'_>,
) -> Result<Vec<Value>, RebuildError> {
    let Some(Value::Bytes(bytes) | Value::String(bytes)) = values.get_mut(index) else {
        return Err(RebuildError::Parameter(index));
    };
    // The first execution runs the value as it was sent; the flag is set behind it, and the first
    // candidate may not have been written yet.
    if memory.header.count == 1 {
        return Ok(values);
    }
    if memory.header.raw_in_mem {
        *bytes = memory.value.to_vec();
        return Ok(values);
    }
    let written = text::decode(memory.value).map_err(RebuildError::Written)?;
    if differ_elsewhere(&values, &written, index) {
        return Err(RebuildError::Overwritten);
    }
    Ok(written)
}

/// Whether two inputs differ in more than the bytes of the parameter at `index`.
fn differ_elsewhere(sent: &[Value], written: &[Value], index: usize) -> bool {
    sent.len() != written.len()
        || sent.iter().zip(written).enumerate().any(|(position, (sent, written))| {
            if position == index {
                sent.value_type() != written.value_type()
            } else {
                sent != written
            }
        })
}

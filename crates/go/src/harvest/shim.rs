//! The worker that a Go coordinator starts during a harvest: us.
//!
//! Owns: answering the few calls there are, and writing what they carry to the file that
//! [`OUTPUT_ENV`] names. Must not: run anything. It ends with the coordinator's end of the pipe.
//!
//! The memory is read as the file it is, not mapped: the coordinator writes it before the call.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;

use fuzzd_protocol::layout::{COUNT, HEADER_BYTES, Header};
use fuzzd_protocol::message::{self, Call, FuzzReply, PingReply};
use fuzzd_protocol::{FUZZ_IN_FD, FUZZ_OUT_FD, INTERNAL_ERROR_EXIT, LINE_BYTES_MAX, MEMORY_FD};

use super::records::Record;

/// Names the file for what is harvested. The binary passes its environment on to its worker.
pub const OUTPUT_ENV: &str = "FUZZD_GO_HARVEST";

/// The first argument of every Go worker.
const WORKER_FLAG: &str = "-test.fuzzworker";

/// What the Go coordinator is told when there is nothing more to learn from it.
const COMPLETE: &str = "harvest complete";

/// Whether this process was started as the worker of a harvest. To be asked before anything else.
#[must_use]
pub fn is_asked_for() -> bool {
    env::var_os(OUTPUT_ENV).is_some() && env::args_os().nth(1).is_some_and(|arg| arg == WORKER_FLAG)
}

/// Answers the Go coordinator that started this process, until it has told everything.
#[must_use]
pub fn serve() -> ExitCode {
    let internal_error = u8::try_from(INTERNAL_ERROR_EXIT).unwrap_or(u8::MAX);
    let Some(output) = env::var_os(OUTPUT_ENV) else { return ExitCode::from(internal_error) };
    match answer_all(Path::new(&output)) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads what a Go worker prints: the harvest is found incomplete.
        Err(_) => ExitCode::from(internal_error),
    }
}

fn answer_all(output: &Path) -> io::Result<()> {
    let mut output = OpenOptions::new().create(true).append(true).open(output)?;
    let memory = inherited(MEMORY_FD, OpenOptions::new().read(true).write(true))?;
    let mut calls = BufReader::new(inherited(FUZZ_IN_FD, OpenOptions::new().read(true))?);
    let mut replies = inherited(FUZZ_OUT_FD, OpenOptions::new().write(true))?;
    loop {
        let mut line = Vec::new();
        let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut calls).take(most).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let reply = match message::decode_call(line).map_err(io::Error::other)? {
            Call::Ping(_) => message::encode_line(&PingReply::default()),
            Call::Fuzz(call) => {
                let text = value(&memory)?;
                let is_seed = call.warmup;
                let record = if is_seed { Record::Warmup(text) } else { Record::Fuzz(text) };
                record.write(&mut output)?;
                memory.write_all_at(&1_i64.to_le_bytes(), COUNT as u64)?;
                message::encode_line(&reply(is_seed))
            }
            Call::Minimize(_) | Call::Seed(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        replies.write_all(&reply)?;
    }
}

/// One execution without coverage; or, behind the seeds, the end.
fn reply(is_seed: bool) -> FuzzReply {
    let internal_err = if is_seed { String::new() } else { COMPLETE.to_owned() };
    FuzzReply {
        total_duration_ns: 1,
        interesting_duration_ns: 1,
        count: 1,
        internal_err,
        ..FuzzReply::default()
    }
}

/// The value that lies in the memory.
fn value(memory: &File) -> io::Result<Vec<u8>> {
    let mut header = [0; HEADER_BYTES];
    memory.read_exact_at(&mut header, 0)?;
    let room = memory.metadata()?.len().saturating_sub(HEADER_BYTES as u64);
    let length = u64::try_from(Header::from_bytes(&header).value_len).unwrap_or(u64::MAX);
    if length > room {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut value = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    memory.read_exact_at(&mut value, HEADER_BYTES as u64)?;
    Ok(value)
}

/// Opens what stands behind an inherited descriptor once more: taking the number itself would be
/// unsafe.
fn inherited(number: i32, how: &OpenOptions) -> io::Result<File> {
    how.open(format!("/dev/fd/{number}"))
}

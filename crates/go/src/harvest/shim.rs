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

use super::records::{BOUNDS, Record, Writer};

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
    match answer_inherited(Path::new(&output)) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads what a Go worker prints: the harvest is found incomplete.
        Err(_) => ExitCode::from(internal_error),
    }
}

fn answer_inherited(output: &Path) -> io::Result<()> {
    let output = Writer::new(output, BOUNDS)?;
    let memory = inherited(MEMORY_FD, OpenOptions::new().read(true).write(true))?;
    let calls = BufReader::new(inherited(FUZZ_IN_FD, OpenOptions::new().read(true))?);
    let replies = inherited(FUZZ_OUT_FD, OpenOptions::new().write(true))?;
    answer_all(calls, replies, &memory, output)
}

fn answer_all(
    mut calls: impl BufRead,
    mut replies: impl Write,
    memory: &File,
    mut output: Writer,
) -> io::Result<()> {
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
                let end = match tell(call.warmup, memory, &mut output) {
                    Ok(()) if call.warmup => String::new(),
                    Ok(()) => COMPLETE.to_owned(),
                    // If we ended instead, the coordinator would take the value for a crash.
                    Err(error) => error.to_string(),
                };
                message::encode_line(&reply(end))
            }
            Call::Minimize(_) | Call::Seed(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        replies.write_all(&reply)?;
    }
}

/// Writes down the value of one call, and counts it as executed.
fn tell(is_seed: bool, memory: &File, output: &mut Writer) -> io::Result<()> {
    let text = value(memory)?;
    output.add(&if is_seed { Record::Warmup(text) } else { Record::Fuzz(text) })?;
    memory.write_all_at(&1_i64.to_le_bytes(), COUNT as u64)
}

/// One execution without coverage; or, with a text, the end.
fn reply(internal_err: String) -> FuzzReply {
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

#[cfg(test)]
mod tests {
    use fuzzd_protocol::message::{FuzzCall, PingCall, decode_reply};

    use super::super::records::{self, Bounds, TooMany};
    use super::*;

    const SEED: &[u8] = b"go test fuzz v1\nint(1)\n";

    /// Answers so many warm-up calls and a fuzz call, and what each of them was told.
    fn answers(seeds: usize, bounds: Bounds) -> (Vec<String>, Result<Vec<Record>, TooMany>) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("seeds");
        let memory = tempfile::tempfile().unwrap();
        let header = Header { value_len: i64::try_from(SEED.len()).unwrap(), ..Header::default() };
        memory.write_all_at(&header.to_bytes(), 0).unwrap();
        memory.write_all_at(SEED, HEADER_BYTES as u64).unwrap();
        let call =
            |warmup| message::encode_line(&Call::Fuzz(FuzzCall { warmup, ..FuzzCall::default() }));
        let ping = message::encode_line(&Call::Ping(PingCall::default()));
        let calls = [ping, call(true).repeat(seeds), call(false)].concat();
        let mut replies = Vec::new();
        let output = Writer::new(&path, bounds).unwrap();
        answer_all(calls.as_slice(), &mut replies, &memory, output).unwrap();
        let mut lines = replies.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n');
        assert_eq!(lines.next(), Some(b"{}".as_slice()));
        let told = lines.map(|line| decode_reply::<FuzzReply>(line).unwrap().internal_err);
        (told.collect(), records::read(&path, bounds).unwrap())
    }

    #[test]
    fn every_seed_is_told_and_the_last_call_ends_it() {
        let (told, records) = answers(2, BOUNDS);
        assert_eq!(told, ["", "", COMPLETE]);
        let seed = || Record::Warmup(SEED.to_vec());
        assert_eq!(records.unwrap(), [seed(), seed(), Record::Fuzz(SEED.to_vec())]);
    }

    #[test]
    fn one_seed_too_many_ends_it_with_an_error() {
        let bounds = Bounds { seeds: 2, ..BOUNDS };
        let (told, records) = answers(3, bounds);
        assert_eq!(told[..3], ["", "", "more seeds than are taken"]);
        assert_eq!(records, Err(TooMany));
    }
}

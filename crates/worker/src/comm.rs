//! The pipes to the coordinator.
//!
//! Owns reading lines from `fuzz_in` and writing lines to `fuzz_out`. Must not know what they mean.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use fuzzd_protocol::LINE_BYTES_MAX;
use fuzzd_protocol::line::{LineDecoder, LineError};

use crate::limits::READ_BYTES;

/// Why no call can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommError {
    /// The pipe failed.
    #[error("cannot read from fuzz_in: {0}")]
    Read(#[source] io::Error),
    /// The pipe failed.
    #[error("cannot write to fuzz_out: {0}")]
    Write(#[source] io::Error),
    /// The bytes are no lines.
    #[error("cannot read a call from fuzz_in: {0}")]
    Line(#[from] LineError),
}

/// Both pipes.
pub(crate) struct Pipes<'a> {
    fuzz_in: Box<dyn Read + 'a>,
    fuzz_out: Box<dyn Write + 'a>,
    interrupted: &'a AtomicBool,
    decoder: LineDecoder,
    buffer: Vec<u8>,
}

impl<'a> Pipes<'a> {
    /// Pipes of a coordinator. A read that a signal breaks off looks at `interrupted`.
    pub(crate) fn new(
        fuzz_in: impl Read + 'a,
        fuzz_out: impl Write + 'a,
        interrupted: &'a AtomicBool,
    ) -> Self {
        Self {
            fuzz_in: Box::new(fuzz_in),
            fuzz_out: Box::new(fuzz_out),
            interrupted,
            decoder: LineDecoder::new(LINE_BYTES_MAX),
            buffer: vec![0; READ_BYTES],
        }
    }

    /// The next line; `None` when there will be no more: `fuzz_in` was closed, or SIGINT arrived.
    pub(crate) fn read_line(&mut self) -> Result<Option<Vec<u8>>, CommError> {
        loop {
            if self.interrupted.load(Relaxed) {
                return Ok(None);
            }
            if let Some(line) = self.decoder.next_line()? {
                return Ok(Some(line));
            }
            match self.fuzz_in.read(&mut self.buffer) {
                Ok(0) => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
                Ok(bytes) => self.decoder.push(&self.buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(CommError::Read(error)),
            }
        }
    }

    /// Writes a line; false if nobody reads any more.
    pub(crate) fn write_line(&mut self, line: &[u8]) -> Result<bool, CommError> {
        match self.fuzz_out.write_all(line).and_then(|()| self.fuzz_out.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(CommError::Write(error)),
        }
    }
}

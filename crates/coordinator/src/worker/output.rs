//! The newest output of a target.
//!
//! Owns one pipe and a ring of what came out of it last. Always takes what there is, so that a
//! target never blocks on its own output; keeps a bounded part, so that a flood costs no memory.
//! Must not write to our own output, or interpret bytes.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::Receiver;

use crate::limits::{OUTPUT_AFTER_EXIT_BYTES, OUTPUT_RING_BYTES, PIPE_READ_BYTES};

/// The last [`OUTPUT_RING_BYTES`] of a stream.
#[derive(Debug, Default)]
pub(super) struct OutputRing {
    bytes: VecDeque<u8>,
}

impl OutputRing {
    /// Adds the next bytes of the stream and forgets the oldest.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let newest = &bytes[bytes.len().saturating_sub(OUTPUT_RING_BYTES)..];
        let too_many = (self.bytes.len() + newest.len()).saturating_sub(OUTPUT_RING_BYTES);
        self.bytes.drain(..too_many);
        self.bytes.extend(newest);
    }

    /// The newest `bytes_max` bytes as text; what is not UTF-8 is replaced.
    pub(super) fn tail(&self, bytes_max: usize) -> String {
        let skipped = self.bytes.len().saturating_sub(bytes_max);
        let bytes: Vec<u8> = self.bytes.iter().skip(skipped).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// One output pipe of a process, with its ring.
#[derive(Debug)]
pub(super) struct OutputPipe {
    /// `None` after the last writer closed it.
    pipe: Option<Receiver>,
    ring: OutputRing,
}

impl OutputPipe {
    /// Takes over our end of a pipe. Must be called within the runtime.
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: Some(Receiver::from_owned_fd(pipe)?), ring: OutputRing::default() })
    }

    /// Waits until there is something to take; for ever when the pipe is closed. Cancel-safe.
    pub(super) async fn readable(&self) {
        match &self.pipe {
            // An error shows again when the pipe is read.
            Some(pipe) => drop(pipe.readable().await),
            None => std::future::pending().await,
        }
    }

    /// Takes what there is, at most one buffer.
    pub(super) fn drain_some(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        let mut buffer = [0; PIPE_READ_BYTES];
        match pipe.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => self.pipe = None,
            Ok(length) => self.ring.push(&buffer[..length]),
        }
    }

    /// Takes what a process left behind. Does not wait for the end of the pipe: a grandchild may
    /// hold it open, and go on writing.
    pub(super) fn drain_rest(&mut self) {
        let mut buffer = [0; PIPE_READ_BYTES];
        let mut taken = 0;
        while let Some(pipe) = &self.pipe
            && taken < OUTPUT_AFTER_EXIT_BYTES
        {
            // Asks the kernel: the runtime may not have heard of the last bytes yet.
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    self.ring.push(&buffer[..length]);
                    taken += length;
                }
            }
        }
    }

    /// See [`OutputRing::tail`].
    pub(super) fn tail(&self, bytes_max: usize) -> String {
        self.ring.tail(bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_newest_bytes_only() {
        let mut ring = OutputRing::default();
        for _ in 0..10 {
            ring.push(&[b'a'; OUTPUT_RING_BYTES / 3]);
        }
        ring.push(b"the end");
        assert_eq!(ring.bytes.len(), OUTPUT_RING_BYTES);
        assert_eq!(ring.tail(7), "the end");
        let mut large = vec![b'b'; 3 * OUTPUT_RING_BYTES];
        large.extend_from_slice(b"last");
        ring.push(&large);
        assert_eq!(ring.bytes.len(), OUTPUT_RING_BYTES);
        assert_eq!(ring.tail(5), "blast");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut ring = OutputRing::default();
        ring.push(&[b'x', 0xff, b'y']);
        assert_eq!(ring.tail(100), "x\u{fffd}y");
    }
}

//! Draining an output stream into bounded memory: its beginning and its end.
//!
//! Owns: the thread that reads one stream. Must not: stop reading before the end of the stream, or
//! the child would block on a full pipe.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX};

/// What is kept of one stream.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes between head and tail that were dropped.
    dropped: u64,
}

impl Capture {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = (OUTPUT_HEAD_BYTES_MAX - self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        // Only the last of a long piece can stay.
        let kept = &rest[rest.len().saturating_sub(OUTPUT_TAIL_BYTES_MAX)..];
        let surplus = (self.tail.len() + kept.len()).saturating_sub(OUTPUT_TAIL_BYTES_MAX);
        self.tail.drain(..surplus);
        self.tail.extend(kept);
        self.dropped += (rest.len() - kept.len() + surplus) as u64;
    }

    /// Everything that was kept, with a line in place of what was dropped.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut all = self.head.clone();
        if self.dropped > 0 {
            all.extend_from_slice(format!("\n… {} bytes left out …\n", self.dropped).as_bytes());
        }
        all.extend(&self.tail);
        all
    }
}

/// A stream that is being drained by a thread of its own.
pub(crate) struct Drain {
    capture: Arc<Mutex<Capture>>,
    end: Receiver<()>,
}

impl Drain {
    /// Starts to read `stream`.
    pub(crate) fn start(mut stream: impl Read + Send + 'static) -> std::io::Result<Self> {
        let capture = Arc::new(Mutex::new(Capture::default()));
        let (ended, end) = sync_channel::<()>(1);
        let shared = Arc::clone(&capture);
        std::thread::Builder::new().name("fuzzd-drain".to_owned()).spawn(move || {
            // Dropped with the thread, which is the message.
            let _ended = ended;
            let mut buffer = [0; 8192];
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => {
                        shared.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..count])
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
        Ok(Self { capture, end })
    }

    /// What the stream held up to its end, or up to `deadline` when something keeps it open.
    pub(crate) fn finish(self, deadline: Instant) -> Vec<u8> {
        // Both an end and a timeout are fine: what is there is taken.
        self.end.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok();
        self.capture.lock().unwrap_or_else(PoisonError::into_inner).bytes()
    }
}

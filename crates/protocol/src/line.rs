//! Cutting a byte stream into lines.
//!
//! Owns: the line end, the line limit, and the difference between a line that was cut off by the
//! end of the stream and one that is complete. Must not: read anything, or look into a line.
//!
//! ```text
//! Reading ── line longer than max ──► TooLong (the stream is dead: what follows is dropped)
//! ```

use std::collections::VecDeque;

/// Why no further line can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A line is longer than the limit. Nothing after it can be trusted.
    #[error("a line is longer than the limit of {max} bytes")]
    TooLong {
        /// The limit, without the line end.
        max: usize,
    },
    /// The stream ended inside a line: the writer died while it wrote.
    #[error("the stream ended inside a line, after {bytes} bytes of it")]
    TruncatedAtEof {
        /// Bytes of the line that had arrived.
        bytes: usize,
    },
}

/// Bytes that are looked at together: searching a block for a byte is much faster than asking for
/// its place, and nearly all blocks of a long line have no end in them.
const BLOCK: usize = 256;

/// Where the first line ends.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let block = bytes.chunks(BLOCK).position(|block| block.contains(&b'\n'))?;
    let start = block * BLOCK;
    bytes[start..].iter().position(|&byte| byte == b'\n').map(|end| start + end)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    TooLong,
}

/// Turns pieces of a stream into lines.
///
/// A line ends with `\n`; one `\r` before it is taken off. Take all lines after each
/// [`push`](Self::push): then the decoder holds at most the limit plus one piece.
#[derive(Debug)]
pub struct LineDecoder {
    max: usize,
    complete: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    state: State,
}

impl LineDecoder {
    /// A decoder for lines of at most `max` bytes, line end not counted.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, complete: VecDeque::new(), partial: Vec::new(), state: State::Reading }
    }

    /// Takes the next bytes of the stream. After a line that is too long they are dropped.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while self.state == State::Reading && !bytes.is_empty() {
            let end = line_end(bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            if self.would_be_too_long(piece) {
                self.state = State::TooLong;
                self.partial = Vec::new();
                return;
            }
            self.partial.extend_from_slice(piece);
            let Some(end) = end else { return };
            bytes = &bytes[end + 1..];
            let mut line = std::mem::take(&mut self.partial);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            self.complete.push_back(line);
        }
    }

    /// The next complete line without its line end, `None` until more bytes arrive. Lines before
    /// one that is too long still come out.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        match (self.complete.pop_front(), self.state) {
            (Some(line), State::Reading | State::TooLong) => Ok(Some(line)),
            (None, State::Reading) => Ok(None),
            (None, State::TooLong) => Err(LineError::TooLong { max: self.max }),
        }
    }

    /// To be called at the end of the stream: an error if it ended inside a line.
    pub fn finish(&mut self) -> Result<(), LineError> {
        match self.state {
            State::TooLong => Err(LineError::TooLong { max: self.max }),
            State::Reading if self.partial.is_empty() => Ok(()),
            State::Reading => Err(LineError::TruncatedAtEof { bytes: self.partial.len() }),
        }
    }

    /// A `\r` in the place after the last allowed byte may still be half of a line end.
    fn would_be_too_long(&self, piece: &[u8]) -> bool {
        let length = self.partial.len() + piece.len();
        let last = piece.last().or(self.partial.last());
        length > self.max && !(length == self.max + 1 && last == Some(&b'\r'))
    }
}

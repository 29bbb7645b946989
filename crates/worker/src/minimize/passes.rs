//! The candidates of a minimization, and their order.
//!
//! Owns the search; pure: what a candidate does is the judge's word. Passes over each value, until
//! a whole round changes nothing:
//!
//! 1. cut the tail by powers of two, each as often as it holds;
//! 2. remove blocks from right to left, halving their size; a success doubles the next block, so
//!    that k removals in a row cost log k executions;
//! 3. (failures only) remove brackets and quotes in pairs, then every run of bytes if the value is
//!    short;
//! 4. (failures only) write `0` over blocks of halving size, then replace bytes by plainer ones;
//! 5. (failures only) move numbers toward zero.
//!
//! The last three make a failure easier to read. They would make the corpus poorer, so finds are
//! only made shorter. Strings that are text stay text: cuts fall between characters.
//!
//! Passes overlap, and the last round repeats most of the one before: what failed once is not asked
//! about again. The order of candidates follows from the input and from the answers alone.

use std::collections::BTreeSet;

use fuzzd_protocol::input::{self, LENGTH_BYTES};
use fuzzd_protocol::value::ValueType;

use super::scalar;
use crate::content::hash;
use crate::limits::{BRACKET_PIECES_MAX, FAILED_MAX, MINIMIZE_ROUNDS_MAX, RUNS_BYTES_MAX};

/// Plain bytes, the plainest first. The last is plain only where nothing that can be read will do:
/// in what is no text, such as the bytes that a typed value is built from.
const PLAIN: &[u8; 7] = b"0 1aA\n\0";

/// The judge's word on a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It does what it must.
    Holds,
    /// It does not.
    Fails,
    /// It was not run, and none will be any more.
    Stop,
}

/// The smallest input found; `input` itself holds. `simplify`: also make it plainer.
pub(crate) fn shrink(
    types: &[ValueType],
    input: &[u8],
    simplify: bool,
    judge: &mut dyn FnMut(&[u8]) -> Judgement,
) -> Vec<u8> {
    let canonical = input::canonical(types, input);
    let parts = input::fields(types, &canonical).into_iter().map(|field| Part {
        value_type: field.value_type,
        content: canonical[field.bytes].to_vec(),
        prefixed: field.prefix.is_some(),
    });
    let parts = parts.collect();
    let failed = simplify.then(BTreeSet::new);
    let best = input.to_vec();
    let mut shrinker = Shrinker { parts, best, judge, failed, stopped: false, changed: false };
    // What the values do not tell, such as bytes behind the last one, goes first.
    if canonical != input && !shrinker.offer() {
        return shrinker.best;
    }
    for _ in 0..MINIMIZE_ROUNDS_MAX {
        shrinker.changed = false;
        for position in 0..shrinker.parts.len() {
            shrinker.shrink_part(position, simplify);
        }
        if shrinker.stopped || !shrinker.changed {
            break;
        }
    }
    shrinker.best
}

/// One value.
struct Part {
    value_type: ValueType,
    content: Vec<u8>,
    prefixed: bool,
}

impl Part {
    /// Whether cuts must fall between characters.
    fn is_text(&self) -> bool {
        self.value_type == ValueType::String && std::str::from_utf8(&self.content).is_ok()
    }

    /// `at`, moved back to the start of a character if this is text.
    fn floor(&self, mut at: usize) -> usize {
        let inside = |at: usize| self.content.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        if self.is_text() {
            while at > 0 && inside(at) {
                at -= 1;
            }
        }
        at
    }
}

struct Shrinker<'j> {
    parts: Vec<Part>,
    best: Vec<u8>,
    judge: &'j mut dyn FnMut(&[u8]) -> Judgement,
    /// Hashes of candidates that failed. `None`: they cost too little to be remembered.
    failed: Option<BTreeSet<u64>>,
    stopped: bool,
    changed: bool,
}

impl Shrinker<'_> {
    /// Asks the judge about the parts as they stand.
    fn offer(&mut self) -> bool {
        let mut candidate = Vec::with_capacity(self.best.len());
        for part in &self.parts {
            if part.prefixed {
                let length = u32::try_from(part.content.len()).unwrap_or(u32::MAX);
                candidate.extend_from_slice(&length.to_le_bytes()[..LENGTH_BYTES]);
            }
            candidate.extend_from_slice(&part.content);
        }
        let hash = self.failed.as_ref().map(|_| hash(&candidate));
        if let (Some(failed), Some(hash)) = (&self.failed, hash)
            && failed.contains(&hash)
        {
            return false;
        }
        match (self.judge)(&candidate) {
            Judgement::Holds => {
                self.best = candidate;
                self.changed = true;
                true
            }
            Judgement::Fails => {
                if let (Some(failed), Some(hash)) = (&mut self.failed, hash)
                    && failed.len() < FAILED_MAX
                {
                    failed.insert(hash);
                }
                false
            }
            Judgement::Stop => {
                self.stopped = true;
                false
            }
        }
    }

    /// Keeps `content` for one part if it holds.
    fn try_content(&mut self, position: usize, content: Vec<u8>) -> bool {
        if self.stopped || self.parts[position].content == content {
            return false;
        }
        let old = std::mem::replace(&mut self.parts[position].content, content);
        let holds = self.offer();
        if !holds {
            self.parts[position].content = old;
        }
        holds
    }

    fn shrink_part(&mut self, position: usize, simplify: bool) {
        let value_type = self.parts[position].value_type;
        match value_type {
            ValueType::Bytes | ValueType::String => {
                self.cut_tail(position);
                self.remove_blocks(position);
                if simplify {
                    self.unwrap_brackets(position);
                    self.remove_runs(position);
                    self.zero_blocks(position);
                    self.replace_everywhere(position);
                    self.replace_single(position);
                }
            }
            _ if simplify => {
                let old = self.parts[position].content.clone();
                scalar::lower(value_type, &old, &mut |content| {
                    self.try_content(position, content.to_vec())
                });
            }
            _ => {}
        }
    }

    fn cut_tail(&mut self, position: usize) {
        let len = self.parts[position].content.len();
        let mut cut = if len == 0 { 0 } else { 1 << len.ilog2() };
        while cut > 0 && !self.stopped {
            let part = &self.parts[position];
            let holds = part.content.len() >= cut && {
                let end = part.floor(part.content.len() - cut);
                self.try_content(position, self.parts[position].content[..end].to_vec())
            };
            if !holds {
                cut /= 2;
            }
        }
    }

    fn remove_blocks(&mut self, position: usize) {
        let mut size = self.parts[position].content.len().div_ceil(2);
        while size > 0 && !self.stopped {
            let (mut end, mut block) = (self.parts[position].content.len(), size);
            while end > 0 && !self.stopped {
                let part = &self.parts[position];
                let mut start = part.floor(end.saturating_sub(block));
                if start == end {
                    start = part.floor(end - 1);
                }
                let content = [&part.content[..start], &part.content[end..]].concat();
                if self.try_content(position, content) {
                    (end, block) = (start, block.saturating_mul(2));
                } else if block > size {
                    // Too greedy: the same place again, with the block of this pass.
                    block = size;
                } else {
                    end = start;
                }
            }
            size /= 2;
        }
    }

    /// Removes an opening bracket or quote together with the one that closes it, and in front of
    /// the content what is needed: what nests stays well formed.
    fn unwrap_brackets(&mut self, position: usize) {
        let mut at = 0;
        while at < self.parts[position].content.len() && !self.stopped {
            let content = self.parts[position].content.clone();
            let end = closing(&content, at).unwrap_or(at);
            // The whole content, and what follows each separator in it.
            let starts = (at + 1..end)
                .filter(|&start| start == at + 1 || content[start - 1].is_ascii_punctuation());
            let unwrapped = starts.take(BRACKET_PIECES_MAX).any(|start| {
                let kept = [&content[..at], &content[start..end], &content[end + 1..]].concat();
                self.try_content(position, kept)
            });
            if !unwrapped {
                at += 1;
            }
        }
    }

    /// Removes every run of bytes of a short value, the longest first.
    fn remove_runs(&mut self, position: usize) {
        let mut start = 0;
        while start < self.parts[position].content.len() && !self.stopped {
            let content = self.parts[position].content.clone();
            if content.len() > RUNS_BYTES_MAX {
                return;
            }
            let removed = (start + 1..=content.len()).rev().any(|end| {
                let part = &self.parts[position];
                let is_whole = part.floor(start) == start && part.floor(end) == end;
                let kept = [&content[..start], &content[end..]].concat();
                is_whole && self.try_content(position, kept)
            });
            if !removed {
                start += 1;
            }
        }
    }

    /// Writes the plainest byte over blocks of halving size, one per character in text.
    fn zero_blocks(&mut self, position: usize) {
        let mut size = self.parts[position].content.len();
        while size > 0 && !self.stopped {
            let mut start = 0;
            while start < self.parts[position].content.len() && !self.stopped {
                let part = &self.parts[position];
                let end = part.content.len().min(start.saturating_add(size));
                let end = (end..=part.content.len()).find(|&at| part.floor(at) == at);
                let end = end.unwrap_or(part.content.len());
                let block = &part.content[start..end];
                let zeros = if part.is_text() {
                    block.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
                } else {
                    block.len()
                };
                let content =
                    [&part.content[..start], &vec![PLAIN[0]; zeros], &part.content[end..]].concat();
                let holds = self.try_content(position, content);
                start = if holds { start + zeros } else { end };
            }
            size /= 2;
        }
    }

    /// Replaces all bytes of one value by a plainer one, value by value: some inputs only hold
    /// while certain bytes are equal.
    fn replace_everywhere(&mut self, position: usize) {
        for old in 0..=u8::MAX {
            for &new in plainer_than(old) {
                let part = &self.parts[position];
                let is_whole = !part.is_text() || old.is_ascii() && new != 0;
                if self.stopped || !is_whole || !part.content.contains(&old) {
                    break;
                }
                let replaced =
                    part.content.iter().map(|&byte| if byte == old { new } else { byte });
                let content = replaced.collect();
                self.try_content(position, content);
            }
        }
    }

    /// Replaces single bytes by plainer ones.
    fn replace_single(&mut self, position: usize) {
        for at in 0..self.parts[position].content.len() {
            let old = self.parts[position].content[at];
            for &new in plainer_than(old) {
                let part = &self.parts[position];
                if self.stopped || part.is_text() && (!old.is_ascii() || new == 0) {
                    break;
                }
                let mut content = part.content.clone();
                content[at] = new;
                if self.try_content(position, content) {
                    break;
                }
            }
        }
    }
}

/// Where the bracket or quote that opens at `at` is closed, if one does and is.
fn closing(content: &[u8], at: usize) -> Option<usize> {
    let open = content[at];
    let close = match open {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b'<' => b'>',
        b'"' | b'\'' | b'`' => open,
        _ => return None,
    };
    let mut depth = 0;
    let end = content[at + 1..].iter().position(|&byte| {
        let closes = byte == close && depth == 0;
        depth = if byte == close { depth - 1 } else { depth + i32::from(byte == open) };
        closes
    });
    end.map(|end| at + 1 + end)
}

/// The plain bytes that are plainer than `byte`.
fn plainer_than(byte: u8) -> &'static [u8] {
    let rank = PLAIN.iter().position(|plain| *plain == byte);
    &PLAIN[..rank.unwrap_or(PLAIN.len())]
}

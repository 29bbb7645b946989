//! A search told by the numbers of its candidates, so that workers can share it.
//!
//! Owns the walk through it: what was judged before is not run again, what others judge is taken to
//! fail. The order of candidates follows from the answers alone (see [`passes`]), so that all
//! workers walk the same way, and two that take turns come to what one would.
//!
//! ```text
//! number  0 1 2 3 4 │ 5 6 7 8 9 …        from 5, held 0 and 3, part 1 of 2
//! answer  H F F H F │ F ? F ? F …        ? is run; after the first of them that holds it is over
//! ```

use fuzzd_protocol::limits::SEARCH_HELD_MAX;
use fuzzd_protocol::message::{SearchPart, SearchReport};
use fuzzd_protocol::value::ValueType;

use super::passes::{self, Judgement};

/// All of a search, from its start.
pub(super) static WHOLE: SearchPart = SearchPart { from: 0, held: Vec::new(), part: 0, parts: 1 };

/// What came of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    /// The smallest that held; `None`: not even the input did.
    pub(super) smallest: Option<Vec<u8>>,
    pub(super) report: SearchReport,
}

/// Whether a part can be walked: it is one of its parts, and what held is in order. Only one worker
/// can judge the input.
pub(super) fn is_sound(part: &SearchPart) -> bool {
    let is_ascending = part.held.windows(2).all(|pair| pair[0] < pair[1]);
    let is_before = part.held.last().is_none_or(|last| *last < part.from);
    let starts = if part.from == 0 { part.parts == 1 } else { part.held.first() == Some(&0) };
    let fits = part.held.len() <= SEARCH_HELD_MAX;
    part.part < part.parts && is_ascending && is_before && starts && fits
}

/// Walks a sound part of the search for the smallest input that fails as `input` does.
pub(super) fn walk(
    types: &[ValueType],
    input: &[u8],
    part: &SearchPart,
    judge: &mut dyn FnMut(&[u8]) -> Judgement,
) -> Walked {
    let mut steps = Steps {
        part,
        next: 0,
        report: SearchReport { until: part.from, ..SearchReport::default() },
        is_over: false,
        is_stopped: false,
    };
    let smallest = (steps.answer(input, judge) == Judgement::Holds).then(|| {
        passes::shrink(types, input, true, &mut |candidate| steps.answer(candidate, judge))
    });
    let Steps { next, mut report, is_stopped, .. } = steps;
    if !is_stopped {
        (report.until, report.done) = (next.max(report.until), true);
    }
    Walked { smallest, report }
}

struct Steps<'s> {
    part: &'s SearchPart,
    /// The number of the next candidate.
    next: u64,
    report: SearchReport,
    /// One of its own held, and others may have found an earlier one.
    is_over: bool,
    is_stopped: bool,
}

impl Steps<'_> {
    fn answer(&mut self, candidate: &[u8], judge: &mut dyn FnMut(&[u8]) -> Judgement) -> Judgement {
        let answer = self.step(candidate, judge);
        self.is_stopped |= answer == Judgement::Stop;
        answer
    }

    fn step(&mut self, candidate: &[u8], judge: &mut dyn FnMut(&[u8]) -> Judgement) -> Judgement {
        let (number, part) = (self.next, self.part);
        self.next += 1;
        if number < part.from {
            let has_held = part.held.binary_search(&number).is_ok();
            return if has_held { Judgement::Holds } else { Judgement::Fails };
        }
        let is_full = part.held.len() + self.report.held.len() >= SEARCH_HELD_MAX;
        if self.is_over || is_full {
            return Judgement::Stop;
        }
        if (number - part.from) % u64::from(part.parts) != u64::from(part.part) {
            return Judgement::Fails;
        }
        self.report.until = number;
        let judgement = judge(candidate);
        match judgement {
            Judgement::Holds => {
                self.report.held.push(number);
                self.report.until = number + 1;
                self.is_over = part.parts > 1;
            }
            Judgement::Fails => self.report.until = number + 1,
            Judgement::Stop => {}
        }
        judgement
    }
}

#[cfg(test)]
mod tests;

//! Making a base ready: what it compares, and, the first time anybody looks at it, inputs that
//! solve those comparisons.
//!
//! Owns the order: one execution with the compare callbacks open fills the base's table of pairs;
//! then bytes that do not matter are replaced by others (*colorized*), and what both executions
//! compared says which bytes of the input are looked at, and what stands on the other side.

use std::rc::Rc;

use fuzzd_protocol::input;

use super::finds::Made;
use super::run::Run;
use super::{CallError, End};
use crate::compare::colorize::colorize_fields;
use crate::compare::log::{self, Record};
use crate::compare::pairs::PairTable;
use crate::compare::solve::Solver;
use crate::limits::{
    COLORIZE_EXECS_MIN, COLORIZE_EXECS_PER_BYTE, COMPARED_RECORDS_MAX, SOLVE_BYTES_MAX, SOLVE_TIME,
};
use crate::mutator::Base;
use crate::runner::Ending;
use crate::shared::Kind;

impl Run<'_, '_> {
    /// Makes a member ready for its first visit in this process.
    pub(super) fn make_ready(&mut self, position: usize) -> Result<Rc<Base>, End> {
        let member = self.queue.member(position);
        let (origin, is_new) = (member.origin, member.is_new);
        let entry = self.entry(origin);
        let bytes = match (&member.base, entry) {
            (Some(base), _) => base.bytes().to_vec(),
            (None, Some(entry)) => self.read_entry(entry)?,
            (None, None) => Vec::new(),
        };
        let mut base = Base::new(&self.engine.types, bytes);
        let (needed, capacity) = (base.bytes().len(), self.runner.memory.capacity());
        if needed > capacity {
            return Err(CallError::NoRoom { needed, capacity }.into());
        }
        let mut records = Vec::new();
        self.compare_once(base.bytes(), &mut records)?;
        let room = COMPARED_RECORDS_MAX.saturating_sub(self.engine.compared.len());
        self.engine.compared.extend(records.iter().take(room));
        let mut pairs = PairTable::new();
        let len = base.bytes().len();
        let to_keep = records.iter().filter(|record| !record.is_only_to_solve(len));
        pairs.add_records(&to_keep.copied().collect::<Vec<Record>>());
        pairs.add_lengths(&records, &base.lengths());
        base.set_pairs(pairs);
        if is_new && !records.is_empty() && base.bytes().len() <= SOLVE_BYTES_MAX {
            self.solve(position, &mut base, &records)?;
        }
        let base = Rc::new(base);
        self.queue.set_base(position, Rc::clone(&base));
        if let Some(entry) = entry {
            self.engine.library.keep(entry, Rc::clone(&base));
        }
        Ok(base)
    }

    /// The bytes of an entry of the plan.
    fn read_entry(&self, entry: u32) -> Result<Vec<u8>, CallError> {
        let arena = self.engine.arena.as_ref();
        match arena.and_then(|arena| arena.get(entry as usize)) {
            Some((Kind::Entry, bytes)) => Ok(bytes),
            Some((Kind::Token, _)) | None => Err(CallError::NoSuchEntry(entry)),
        }
    }

    /// Runs an input with the compare callbacks open, and gives the hash of its path.
    fn compare_once(&mut self, input: &[u8], records: &mut Vec<Record>) -> Result<u64, End> {
        self.runner.put(input);
        log::open_to_solve(input.len());
        let ending = self.runner.run_other(input.len());
        log::close();
        log::drain(records);
        let path = self.runner.counters.path_hash();
        let runner = &mut *self.runner;
        // What is new here was measured when it became an entry, or does not repeat.
        runner.counters.pass_all(&runner.seen);
        match ending {
            Ending::Failed(fault) if !self.ignored.count(fault.signature) => {
                self.runner.put(input);
                Err(End::Failed(fault))
            }
            Ending::Passed | Ending::Rejected | Ending::Failed(_) => Ok(path),
        }
    }

    pub(super) fn solve(
        &mut self,
        position: usize,
        base: &mut Base,
        records: &[Record],
    ) -> Result<(), End> {
        let budget = COLORIZE_EXECS_MIN + COLORIZE_EXECS_PER_BYTE * base.bytes().len() as u64;
        if self.engine.solve_left < budget {
            return Ok(());
        }
        let started = self.clock();
        let before = self.runner.count;
        let mut ended = None;
        let fields = input::fields(&self.engine.types, base.bytes());
        let execs_max = usize::try_from(budget).unwrap_or(usize::MAX);
        let colorized = colorize_fields(base.bytes(), &fields, execs_max, &mut |candidate| {
            // What ended the call lies in memory: nothing may run after it.
            let is_late = started.is_some_and(|started| started.elapsed() > SOLVE_TIME);
            if is_late || ended.is_some() {
                return 0;
            }
            self.try_candidate(position, candidate).unwrap_or_else(|end| {
                ended = Some(end);
                0
            })
        });
        if let Some(end) = ended {
            return Err(end);
        }
        let mut colored_records = Vec::new();
        self.compare_once(&colorized.bytes, &mut colored_records)?;
        base.set_free(&colorized.free);
        let mut solver =
            Solver::for_fields(&fields, base.bytes(), records, &colorized.bytes, &colored_records);
        let mut candidate = Vec::new();
        while solver.next(&mut candidate) {
            let spent = self.runner.count - before;
            let is_late = started.is_some_and(|started| started.elapsed() > SOLVE_TIME);
            if spent >= self.engine.solve_left || is_late {
                break;
            }
            if candidate.len() <= self.len_max {
                self.try_candidate(position, &candidate)?;
            }
        }
        let spent = self.runner.count - before;
        self.engine.solve_left = self.engine.solve_left.saturating_sub(spent);
        Ok(())
    }

    /// Runs an input that solving made, as a newly mutated one, and gives the hash of its path.
    fn try_candidate(&mut self, position: usize, candidate: &[u8]) -> Result<u64, End> {
        if self.is_over() {
            return Err(End::Over);
        }
        self.runner.put(candidate);
        let ending = self.runner.run_new(candidate.len());
        let path = self.runner.counters.path_hash();
        let runner = &mut *self.runner;
        let hot = runner.counters.pass_all(&runner.seen);
        match ending {
            Ending::Passed if hot => self.found(position, candidate.to_vec(), Made::BySolving)?,
            Ending::Passed | Ending::Rejected => {}
            Ending::Failed(fault) => {
                if !self.ignored.count(fault.signature) {
                    self.runner.put(candidate);
                    return Err(End::Failed(fault));
                }
            }
        }
        Ok(path)
    }
}

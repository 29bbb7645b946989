//! A visit: many mutated inputs of one base, with everything they are made from held still.
//!
//! Owns the loop. Nothing in it that happens per execution may allocate, lock, hash, ask the system
//! or read a clock. Only the *live* lines of the counters are looked at after each execution; at
//! the end of the visit the rest is scanned once, and if anything was hit there, the same inputs
//! run again, made from the same seeds, with a full pass each.
//!
//! ```text
//! mutate ─► count ─► run ─► pass ─┬─ nothing new ───────────────────────► next
//!                                 ├─ rejected ──────────────────────────► next
//!                                 ├─ failed, signature ignored ─► count ─► next
//!                                 ├─ failed ────────────────────────────► end of the call
//!                                 └─ something new ─► finds ────────────► next
//! ```

use std::rc::Rc;

use super::End;
use super::finds::Made;
use super::run::Run;
use crate::compare::log;
use crate::failure::Fault;
use crate::limits::{GATED_EVERY, PARTNER_BYTES_MAX, PARTNERS, YOUNG_EXECS};
use crate::mutator::{Base, Materials};
use crate::rng::mutation_seed;
use crate::runner::Ending;
use crate::shared::Kind;

impl Run<'_, '_> {
    /// Runs up to `execs` mutated inputs of a base.
    pub(super) fn visit(&mut self, position: usize, base: Rc<Base>, execs: u64) -> Result<(), End> {
        let materials = Rc::new(Materials {
            tokens: Rc::clone(&self.engine.tokens),
            recent: self.engine.recent.clone(),
            partners: self.partners(),
        });
        // An entry of the plan may be longer than new inputs are to become.
        let len_max =
            if self.is_planned { self.len_max.max(base.bytes().len()) } else { self.len_max };
        self.engine.mutator.begin_visit(base, materials, len_max);
        let lines = self.runner.counters.live_lines();
        let first = self.runner.count;
        let ended = match self.iterate(position, execs) {
            Ok(()) => self.sweep(position, first),
            // What the last inputs of the call hit is told with its end.
            Err(End::Over) => self.sweep(position, first).and(Err(End::Over)),
            Err(End::Failed(fault)) => Err(self.sweep_before_failure(position, first, fault)),
            Err(end @ (End::Rejected | End::Covered(..) | End::Refused(_))) => Err(end),
        };
        self.engine.mutator.end_visit(self.runner.count - first);
        if self.runner.counters.live_lines() > lines {
            self.engine.young_until = self.engine.execs + YOUNG_EXECS;
        }
        let records = std::mem::take(&mut self.engine.records);
        self.engine.recent.add_records(&records);
        self.engine.records = records;
        self.engine.records.clear();
        ended
    }

    /// The input in memory failed, which ends the call: what earlier inputs of the visit hit goes
    /// through the ring if there is one, and the failure is told with its own input.
    fn sweep_before_failure(&mut self, position: usize, first: u64, fault: Box<Fault>) -> End {
        if self.engine.ring.is_some() {
            let len = self.runner.memory.value_len().unwrap_or(0);
            let input = self.runner.value()[..len].to_vec();
            // Whatever ends the sweep, this failure came first.
            drop(self.sweep(position, first));
            self.runner.put(&input);
        }
        End::Failed(fault)
    }

    fn iterate(&mut self, position: usize, execs: u64) -> Result<(), End> {
        let is_young = self.engine.execs < self.engine.young_until;
        for _ in 0..execs {
            if self.is_over() {
                return Err(End::Over);
            }
            let iteration = self.runner.count;
            let seed = mutation_seed(self.call_seed, iteration);
            self.runner.memory.set_rand_state(seed);
            let len = self.engine.mutator.mutate(seed, self.runner.value());
            let is_gated = self.is_gated(iteration);
            let ending = if is_gated { self.run_gated(len) } else { self.runner.run_new(len) };
            let runner = &mut *self.runner;
            let hot = if is_young {
                runner.counters.pass_all(&runner.seen)
            } else {
                runner.counters.pass(&runner.seen)
            };
            match ending {
                Ending::Passed if !hot => {}
                Ending::Passed => self.found_by_seed(position, iteration)?,
                Ending::Rejected => {}
                Ending::Failed(fault) => {
                    if !self.ignored.count(fault.signature) {
                        self.make_again(iteration);
                        return Err(End::Failed(fault));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the comparisons of an iteration are recorded: one of so many, but not always the
    /// same one, as the first of them tend to begin a chain.
    #[inline]
    fn is_gated(&self, iteration: u64) -> bool {
        let phase = (iteration / GATED_EVERY) ^ self.call_seed;
        (iteration ^ phase) & self.engine.gated_mask == 0
    }

    /// Runs the value in memory with the compare callbacks open.
    #[cold]
    fn run_gated(&mut self, len: usize) -> Ending {
        log::open(len);
        let ending = self.runner.run_new(len);
        log::close();
        log::drain(&mut self.engine.records);
        ending
    }

    /// Makes the input of the last iteration once more, as the target found it: from the beginning
    /// of its chain.
    fn make_again(&mut self, iteration: u64) -> usize {
        let mutator = &mut self.engine.mutator;
        let first = iteration - u64::from(mutator.place_in_chain());
        mutator.restart();
        let mut len = 0;
        for iteration in first..=iteration {
            let seed = mutation_seed(self.call_seed, iteration);
            len = mutator.mutate(seed, self.runner.value());
        }
        self.runner.memory.set_value_len(len);
        len
    }

    fn found_by_seed(&mut self, position: usize, iteration: u64) -> Result<(), End> {
        let len = self.make_again(iteration);
        let input = self.runner.value()[..len].to_vec();
        let seed = mutation_seed(self.call_seed, iteration);
        self.found(position, input, Made::BySeed(seed))?;
        // The chain goes on from here.
        self.make_again(iteration);
        Ok(())
    }

    /// Looks at the counters that no execution since `first` had passed over. If any was hit, all
    /// inputs since then run again.
    fn sweep(&mut self, position: usize, first: u64) -> Result<(), End> {
        let owes_sweep = std::mem::take(&mut self.engine.owes_sweep);
        if !owes_sweep && !self.runner.counters.cold() {
            return Ok(());
        }
        self.runner.counters.clear();
        self.engine.mutator.restart();
        let last = self.runner.count;
        for iteration in first..last {
            if self.runner.must_stop() {
                break;
            }
            let seed = mutation_seed(self.call_seed, iteration);
            let len = self.engine.mutator.mutate(seed, self.runner.value());
            let ending = self.runner.run_other(len);
            let runner = &mut *self.runner;
            let hot = runner.counters.pass_all(&runner.seen);
            match ending {
                Ending::Passed if hot => self.found_by_seed(position, iteration)?,
                Ending::Passed | Ending::Rejected => {}
                Ending::Failed(fault) => {
                    if !self.ignored.has(fault.signature) {
                        self.make_again(iteration);
                        return Err(End::Failed(fault));
                    }
                }
            }
        }
        Ok(())
    }

    /// Other entries to take pieces from.
    fn partners(&mut self) -> Vec<Vec<u8>> {
        let mut partners = Vec::with_capacity(PARTNERS);
        for _ in 0..PARTNERS {
            let from_arena = self.published > 0 && self.rng.chance(1, 2);
            let mut partner = if from_arena {
                let index = self.rng.below(self.published);
                match self.engine.arena.as_ref().and_then(|arena| arena.get(index)) {
                    Some((Kind::Entry, bytes)) => bytes,
                    Some((Kind::Token, _)) | None => continue,
                }
            } else {
                let other = self.rng.below(self.queue.len());
                match &self.queue.member(other).base {
                    Some(base) => base.bytes().to_vec(),
                    None => continue,
                }
            };
            partner.truncate(PARTNER_BYTES_MAX);
            if !partner.is_empty() {
                partners.push(partner);
            }
        }
        partners
    }
}

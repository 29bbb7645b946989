//! How calls and processes end, and what is told before they do.

use fuzzd_core::failure::Failure;
use fuzzd_core::ids::{Epoch, WorkerId};
use fuzzd_core::session::{Abilities, Death, Event, WorkerEvent};
use fuzzd_core::signature::FailureKind;

use crate::plan::millis;
use crate::world::{Item, World};

impl World {
    pub(super) fn call_ends(&mut self, worker: WorkerId, epoch: Epoch, number: u64) {
        self.tell_found(worker, epoch, number, usize::MAX);
        let Some(process) = self.process(worker, epoch) else { return };
        let Some(call) = process.in_flight.take_if(|call| call.number == number) else { return };
        let (test, is_distrusted) = (process.test, process.is_distrusted);
        self.oracle.answered(test, &call, &call.answer, is_distrusted);
        match call.answer {
            WorkerEvent::Died(_) => self.leave(worker, epoch, call.answer),
            answer => {
                let chance = self.plan.faults.dies_idle;
                if self.fault(chance) {
                    let delay = millis(self.dice.below(100));
                    self.after(delay, Item::DiesIdle(worker, epoch));
                }
                self.give_worker(worker, epoch, answer);
            }
        }
    }

    /// Tells the next finds of a call in flight.
    pub(super) fn tell_found(&mut self, worker: WorkerId, epoch: Epoch, number: u64, count: usize) {
        for _ in 0..count {
            let process = self.slots[worker.0].as_mut().filter(|process| process.epoch == epoch);
            let Some(process) = process else { return };
            let (test, has_plans) = (process.test, process.can.has_plans);
            let is_distrusted = process.is_distrusted;
            let Some(call) = process.in_flight.as_mut().filter(|call| call.number == number) else {
                return;
            };
            let Some(found) = call.found.pop_front() else { return };
            call.told += 1;
            let is_sane = is_distrusted || self.oracle.found(test, call, &found, has_plans);
            self.seen.found(&found, is_sane);
            if let Some(process) = self.process(worker, epoch) {
                process.is_distrusted |= !is_sane;
            }
            self.give_worker(worker, epoch, WorkerEvent::Found(found));
        }
    }

    pub(super) fn stop_ends(&mut self, worker: WorkerId, epoch: Epoch) {
        let in_flight = self.process(worker, epoch).and_then(|process| process.in_flight.as_ref());
        if let Some((number, left)) = in_flight.map(|call| (call.number, call.found.len())) {
            let late = self.dice.index(left + 1);
            self.tell_found(worker, epoch, number, late);
        }
        let Some(process) = self.process(worker, epoch) else {
            // It was gone already; the answer to the stop comes all the same.
            return self.give_worker(worker, epoch, WorkerEvent::Stopped { execs: 0 });
        };
        let (test, process_is_distrusted) = (process.test, process.is_distrusted);
        let mut execs = 0;
        if let Some(call) = process.in_flight.take() {
            execs = match &call.answer {
                WorkerEvent::Replied(reply) => reply.execs / 2,
                WorkerEvent::Died(death) => death.execs / 2,
                WorkerEvent::Ready { .. }
                | WorkerEvent::StartFailed { .. }
                | WorkerEvent::Found(_)
                | WorkerEvent::Stopped { .. } => 0,
            };
            let cut_off = WorkerEvent::Stopped { execs };
            self.oracle.answered(test, &call, &cut_off, process_is_distrusted);
        }
        self.leave(worker, epoch, WorkerEvent::Stopped { execs });
    }

    /// The process is gone, and the core is told so by `event`.
    pub(super) fn leave(&mut self, worker: WorkerId, epoch: Epoch, event: WorkerEvent) {
        let process = self.slots[worker.0].take().expect("checked by the caller");
        if let Some(call) = process.in_flight {
            self.oracle.answered(process.test, &call, &event, process.is_distrusted);
        }
        if self.fault(self.plan.faults.stale_events) {
            let failure = Failure::new(FailureKind::Abort, "", "late", "");
            let death = Death { failure, input: Some([1, 2].into()), execs: 999, execs_other: 0 };
            let late = self.dice.pick(&[
                event.clone(),
                WorkerEvent::Stopped { execs: 999 },
                WorkerEvent::Died(death),
                WorkerEvent::Ready { pid: 1, counters: 1, can: Abilities::default() },
                WorkerEvent::StartFailed { reason: "late".into() },
            ]);
            let delay = millis(self.dice.below(200));
            self.after(delay, Item::Stale(Event::Worker { worker, epoch, event: late }));
        }
        self.give_worker(worker, epoch, event);
    }
}

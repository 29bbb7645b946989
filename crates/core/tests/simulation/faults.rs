//! What goes wrong with workers: answers that lie, make no sense, or never come.

use std::time::Duration;

use fuzzd_core::failure::Failure;
use fuzzd_core::session::{Call, Death, Found, FoundParent, Outcome, Reply, Work, WorkerEvent};
use fuzzd_core::signature::FailureKind;

use crate::dice::Dice;
use crate::target::{Starts, Target};

/// Chances in per mille of each kind of fault; a swarm switches half of them off.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    pub(crate) start_fails: u64,
    pub(crate) dies_idle: u64,
    pub(crate) dies_in_call: u64,
    pub(crate) foreign_kill: u64,
    pub(crate) misbehaves: u64,
    pub(crate) lies: u64,
    pub(crate) stale_events: u64,
    pub(crate) stubborn: u64,
}

pub(crate) const NO_FAULTS: Faults = Faults {
    start_fails: 0,
    dies_idle: 0,
    dies_in_call: 0,
    foreign_kill: 0,
    misbehaves: 0,
    lies: 0,
    stale_events: 0,
    stubborn: 0,
};

impl Faults {
    /// Each fault with one chance for all, or not at all.
    pub(crate) fn swarm(dice: &mut Dice) -> Self {
        let mut faults = NO_FAULTS;
        let rate = dice.pick(&[5, 20, 80, 200]);
        for fault in [
            &mut faults.start_fails,
            &mut faults.dies_idle,
            &mut faults.dies_in_call,
            &mut faults.foreign_kill,
            &mut faults.misbehaves,
            &mut faults.lies,
            &mut faults.stale_events,
            &mut faults.stubborn,
        ] {
            if dice.percent(50) {
                *fault = rate;
            }
        }
        faults
    }
}

/// Lets a fault change an answer.
pub(crate) fn distort(
    mut event: WorkerEvent,
    call: &Call,
    target: &Target,
    faults: &Faults,
    dice: &mut Dice,
) -> WorkerEvent {
    if target.starts == Starts::Insane || dice.per_mille(faults.misbehaves) {
        return match event {
            WorkerEvent::Replied(reply) => {
                let outcome = nonsense(call, target.counters, dice);
                WorkerEvent::Replied(Reply { outcome, ..reply })
            }
            other => other,
        };
    }
    if dice.per_mille(faults.lies) {
        lie(&mut event, target.counters, dice);
        return event;
    }
    let is_foreign = dice.per_mille(faults.foreign_kill);
    if is_foreign || dice.per_mille(faults.dies_in_call) {
        let kind = if is_foreign { FailureKind::ForeignSignal(9) } else { FailureKind::Exit(70) };
        let failure = Failure::new(kind, "", "killed", "");
        let input = is_foreign.then(|| call.input.clone());
        let execs = dice.below(2);
        return WorkerEvent::Died(Death { failure, input, execs, execs_other: 0 });
    }
    event
}

/// An answer no honest worker gives.
fn nonsense(call: &Call, counters: usize, dice: &mut Dice) -> Outcome {
    let outside = u32::try_from(counters).expect("few counters");
    let input = call.input.clone();
    match (dice.below(4), &call.work) {
        (0, _) => {
            let input = dice.percent(50).then_some(input);
            Outcome::Misbehaved { reason: "garbage on the line".into(), input }
        }
        (1, Work::Execute) => Outcome::Passed { coverage: vec![(outside, 1)] },
        (1, Work::Fuzz { .. }) => Outcome::Find { input, coverage: vec![(outside, 1)] },
        (1, _) => Outcome::Minimized { input, coverage: vec![(u32::MAX, 1)] },
        (_, Work::Execute | Work::MinimizeFind { .. }) => Outcome::Nothing,
        (_, Work::Fuzz { .. }) => Outcome::Passed { coverage: Vec::new() },
        (2, Work::MinimizeFailure { search: Some(part), .. }) => {
            let held = vec![part.from, 0];
            Outcome::Searched { input, held, until: dice.pick(&[0, u64::MAX]), is_done: false }
        }
        (_, Work::MinimizeFailure { .. }) => Outcome::Rejected,
    }
}

/// Turns an honest answer into one that lies within its shape.
fn lie(event: &mut WorkerEvent, counters: usize, dice: &mut Dice) {
    match event {
        WorkerEvent::Replied(reply) => {
            match dice.below(5) {
                0 => reply.execs = dice.pick(&[reply.execs * 2, u64::MAX]),
                1 => reply.execs /= 2,
                2 => reply.execs_other = u64::MAX,
                3 => reply.elapsed = dice.pick(&[Duration::ZERO, Duration::MAX]),
                _ => {
                    for part in &mut reply.plan {
                        (part.execs, part.elapsed) = (u64::MAX, Duration::MAX);
                    }
                }
            }
            match &mut reply.outcome {
                Outcome::Find { coverage, .. } if counters > 0 && dice.percent(50) => {
                    let index = u32::try_from(dice.index(counters)).expect("few counters");
                    coverage.push((index, dice.byte(256)));
                }
                Outcome::Minimized { input, .. } if dice.percent(50) => {
                    *input = input.iter().skip(1).copied().collect();
                }
                Outcome::Searched { input, held, until, is_done } => match dice.below(4) {
                    0 => *input = input.iter().skip(1).copied().collect(),
                    1 => *until = dice.pick(&[0, until.saturating_add(100), u64::MAX]),
                    2 => *held = dice.pick(&[vec![], vec![*until], vec![3, 2], vec![u64::MAX]]),
                    _ => *is_done = !*is_done,
                },
                _ => {}
            }
        }
        WorkerEvent::Died(death) => death.execs = dice.pick(&[0, u64::MAX]),
        WorkerEvent::Ready { .. }
        | WorkerEvent::Found(_)
        | WorkerEvent::StartFailed { .. }
        | WorkerEvent::Stopped { .. } => {}
    }
}

/// Lets a fault change what is told before the answer.
pub(crate) fn distort_found(
    found: &mut Vec<Found>,
    target: &Target,
    faults: &Faults,
    dice: &mut Dice,
) {
    let Some(at) = found.len().checked_sub(1).map(|last| dice.index(last + 1)) else { return };
    if dice.per_mille(faults.lies) {
        let again = found[at].clone();
        found.push(again);
    }
    if target.starts == Starts::Insane || dice.per_mille(faults.misbehaves) {
        match dice.below(4) {
            0 => found[at].parent = FoundParent::Found(at),
            1 => found[at].parent = FoundParent::Found(usize::MAX),
            2 => found[at].parent = FoundParent::Plan(usize::MAX),
            _ => found[at].coverage.push((u32::MAX, 1)),
        }
    }
}

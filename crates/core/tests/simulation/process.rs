//! The fake shell's picture of one worker process, and the rules for using it.

use std::collections::VecDeque;

use fuzzd_core::ids::{Epoch, TestIndex};
use fuzzd_core::session::{Abilities, Call, Found, StopRequestKind, WorkerEvent};

use crate::bits::Bits;

/// A call on its way.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) number: u64,
    pub(crate) call: Call,
    /// No call was sent to this process before.
    pub(crate) is_first: bool,
    /// Finds that are told before the answer.
    pub(crate) found: VecDeque<Found>,
    /// Finds told already.
    pub(crate) told: usize,
    pub(crate) answer: WorkerEvent,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) epoch: Epoch,
    pub(crate) test: TestIndex,
    pub(crate) can: Abilities,
    /// It told something that cannot be true.
    pub(crate) is_distrusted: bool,
    /// The core was told that it is ready.
    pub(crate) is_ready: bool,
    /// It is gone, but the core was not told yet.
    pub(crate) is_dead: bool,
    pub(crate) stopping: Option<StopRequestKind>,
    pub(crate) in_flight: Option<InFlight>,
    pub(crate) calls: u64,
    /// Union of all coverage it was told.
    pub(crate) told: Bits,
}

impl Process {
    pub(crate) fn new(epoch: Epoch, test: TestIndex, counters: usize, can: Abilities) -> Self {
        Self {
            epoch,
            test,
            can,
            is_distrusted: false,
            is_ready: false,
            is_dead: false,
            stopping: None,
            in_flight: None,
            calls: 0,
            told: Bits::new(counters),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.is_ready && self.stopping.is_none() && self.in_flight.is_none()
    }

    /// Takes a stop request. Returns whether it is one the session may make now.
    pub(crate) fn stop(&mut self, how: StopRequestKind) -> bool {
        let may = match self.stopping {
            None => true,
            // Once asked for, an end can be hastened, not asked for again.
            Some(StopRequestKind::Ladder) => how == StopRequestKind::Kill,
            Some(StopRequestKind::Kill) => how == StopRequestKind::Kill,
        };
        self.stopping = Some(how);
        may
    }
}

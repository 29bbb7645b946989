//! What a worker keeps from one Fuzz call to the next.
//!
//! Owns the mutator with what it learned, the entries that were made ready, the dictionary, and
//! the views of what all workers share. All of it can be lost with the process: the next worker
//! learns it anew.

use std::collections::BTreeMap;
use std::rc::Rc;

use fuzzd_protocol::sparse;
use fuzzd_protocol::value::ValueType;
use fuzzd_shm::RingWriter;

use crate::compare::log::Record;
use crate::compare::pairs::PairTable;
use crate::counters::{Functions, Seen};
use crate::dictionary::{Dictionary, Tokens};
use crate::limits::{
    FUNCTIONS_TOLD_MAX, LIBRARY_BASES_MAX, SOLVE_BURST_EXECS, TOKENS_AFTER_EXECS, TRIM_BURST_EXECS,
    WEIGH_EVERY_EXECS,
};
use crate::mutator::{Base, Mutator, Profile};
use crate::shared::{Arena, Kind, SharedMap};

/// See the module.
pub(crate) struct Engine<'a> {
    pub(crate) types: Vec<ValueType>,
    pub(crate) mutator: Mutator,
    /// Finds go here while a call runs; without it the first find ends the call.
    pub(crate) ring: Option<RingWriter<'a>>,
    pub(crate) arena: Option<Arena>,
    pub(crate) map: Option<SharedMap>,
    /// Operands of the comparisons that mutated inputs met.
    pub(crate) recent: PairTable,
    /// Records of the visit under way.
    pub(crate) records: Vec<Record>,
    pub(crate) library: Library,
    pub(crate) tokens: Rc<Tokens>,
    /// Comparisons of entries made ready since the last call: their constants are words too.
    pub(crate) compared: Vec<Record>,
    functions: Functions,
    dictionary: Dictionary,
    /// Tokens of the user's dictionary that were taken.
    given: usize,
    /// Edges that were known when the dictionary was weighed, and when that was.
    weighed: (usize, u64),
    /// Something outside the live lines was hit, and by an input of the visit that is not known.
    pub(crate) owes_sweep: bool,
    /// All executions of this process.
    pub(crate) execs: u64,
    /// See [`Profile::gated_mask`].
    pub(crate) gated_mask: u64,
    /// Until then every execution has a full pass over the counters: lines keep coming to life.
    pub(crate) young_until: u64,
    /// Executions that trimming finds may still take.
    pub(crate) trim_left: u64,
    /// Executions that solving comparisons may still take.
    pub(crate) solve_left: u64,
}

impl Engine<'_> {
    /// An engine that has learned nothing yet.
    pub(crate) fn new(types: &[ValueType]) -> Self {
        Self {
            types: types.to_vec(),
            mutator: Mutator::new(types),
            ring: None,
            arena: None,
            map: None,
            recent: PairTable::default(),
            records: Vec::new(),
            library: Library::default(),
            tokens: Rc::default(),
            compared: Vec::new(),
            functions: Functions::registered(),
            dictionary: Dictionary::default(),
            given: 0,
            weighed: (0, 0),
            owes_sweep: false,
            execs: 0,
            gated_mask: Profile::Usual.gated_mask(),
            young_until: 0,
            trim_left: TRIM_BURST_EXECS,
            solve_left: SOLVE_BURST_EXECS,
        }
    }

    /// Before a call: the dictionary follows what is covered by now. The executable is looked
    /// through, a part before each call, only when the process has lived a while: one that dies at
    /// once has no use for it.
    pub(crate) fn begin_call(&mut self, call_seed: u64, profile: Profile, seen: &Seen) {
        self.mutator.begin_call(call_seed, profile);
        self.gated_mask = profile.gated_mask();
        self.read_given();
        if self.execs >= TOKENS_AFTER_EXECS {
            self.dictionary.scan_on(&self.functions);
        }
        self.dictionary.add_records(&std::mem::take(&mut self.compared));
        self.weigh(seen);
    }

    /// During a call, after a find: as before one, but not too often.
    pub(crate) fn follow(&mut self, seen: &Seen) {
        if self.execs - self.weighed.1 >= WEIGH_EVERY_EXECS {
            self.weigh(seen);
        }
    }

    /// Weighs the dictionary anew if anything in it, or what is covered, has changed.
    fn weigh(&mut self, seen: &Seen) {
        let edges = seen.edges();
        if self.dictionary.has_changed() || edges != self.weighed.0 {
            self.weighed = (edges, self.execs);
            self.dictionary.reweight(&self.functions, seen);
            self.tokens = Rc::new(self.dictionary.tokens());
        }
    }

    /// The counters that begin a function, in sparse form; `None`: there are none, or too many.
    pub(crate) fn function_starts(&self) -> Option<Vec<u8>> {
        let starts = self.functions.starts();
        let is_told = (1..=FUNCTIONS_TOLD_MAX).contains(&starts.len());
        is_told.then(|| sparse::encode(&starts))
    }

    /// Takes the tokens of the user's dictionary, which come before all entries.
    fn read_given(&mut self) {
        let Some(arena) = &self.arena else { return };
        while let Some((Kind::Token, token)) = arena.get(self.given) {
            self.dictionary.add_user(&token);
            self.given += 1;
        }
    }
}

/// Entries that were made ready, by their index in the arena.
#[derive(Debug, Default)]
pub(crate) struct Library {
    bases: BTreeMap<u32, Rc<Base>>,
}

impl Library {
    /// The base of an entry, if it is ready.
    pub(crate) fn get(&self, index: u32) -> Option<Rc<Base>> {
        self.bases.get(&index).cloned()
    }

    /// Keeps a base. When there are too many, the oldest entry goes: those are fuzzed least.
    pub(crate) fn keep(&mut self, index: u32, base: Rc<Base>) {
        if self.bases.len() >= LIBRARY_BASES_MAX {
            self.bases.pop_first();
        }
        self.bases.insert(index, base);
    }
}

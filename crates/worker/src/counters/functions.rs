//! The functions of the target, from the compiler's table of addresses.
//!
//! Owns which counters belong to which function, and where its code lies. Functions that are not
//! instrumented (std) are not in it.

#![expect(unsafe_code, reason = "the table and the code are memory of the target")]

use std::ops::Range;
use std::sync::PoisonError;

use fuzzd_core::coverage::Feature;

use super::{PLACES, REGISTRY, Seen};
use crate::limits::FUNCTION_CODE_BYTES_MAX;

#[cfg(test)]
mod tests;

/// The bit of [`Place::flags`] that says: a function starts here.
const IS_ENTRY: usize = 1;

/// What maps memory does it in pieces of at least this.
const PAGE: usize = 4096;

/// One entry of the table, as the compiler lays it out: one per counter, in their order.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) pc: usize,
    pub(super) flags: usize,
}

/// One instrumented function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Address of its first instruction.
    pub(crate) entry: usize,
    /// Addresses of its code: up to the next instrumented function at most, so other code can lie
    /// at its end.
    pub(crate) code: Range<usize>,
    /// Indices of its counters.
    pub(crate) counters: Range<u32>,
}

/// All instrumented functions, by the index of their counters.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    all: Vec<Function>,
    /// Positions in `all`, by address.
    by_address: Vec<usize>,
    is_mapped: bool,
}

impl Functions {
    /// The functions that instrumented units have registered until now. A region whose table does
    /// not fit its counters has none.
    pub(crate) fn registered() -> Self {
        let counters = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = 0;
        let mut tables = Vec::new();
        let mut tables_left = places.regions().iter();
        for &(start, stop) in counters.regions() {
            let len = stop - start;
            // Both lists grow together, in the constructors of the same units.
            if let Some(&(table, end)) = tables_left.next()
                && end - table == len * size_of::<Place>()
                && table % align_of::<Place>() == 0
            {
                let table = std::ptr::with_exposed_provenance::<Place>(table);
                // SAFETY: the compiler's own constructor passed the bounds of a section of a loaded
                // object, which stays loaded and is never written to.
                tables.push((first, unsafe { std::slice::from_raw_parts(table, len) }));
            }
            first += len;
        }
        Self { is_mapped: true, ..Self::over(&tables) }
    }

    /// Functions of given tables, each with the index of its first counter. There is no code.
    pub(super) fn over(tables: &[(usize, &[Place])]) -> Self {
        let mut all = Vec::new();
        let mut lasts = Vec::new();
        for &(first, places) in tables {
            let starts = |place: &Place| place.flags & IS_ENTRY != 0;
            let mut from = places.iter().position(starts).unwrap_or(places.len());
            while from < places.len() {
                let more = places[from + 1..].iter().position(starts);
                let to = more.map_or(places.len(), |more| from + 1 + more);
                let entry = places[from].pc;
                // Cold parts may lie elsewhere.
                let near = entry..entry.saturating_add(FUNCTION_CODE_BYTES_MAX);
                let blocks = places[from..to].iter().map(|place| place.pc);
                lasts.push(blocks.filter(|pc| near.contains(pc)).max().unwrap_or(entry));
                let index = |at: usize| u32::try_from(first + at).unwrap_or(u32::MAX);
                let counters = index(from)..index(to);
                all.push(Function { entry, code: entry..entry, counters });
                from = to;
            }
        }
        let mut by_address: Vec<usize> = (0..all.len()).collect();
        by_address.sort_by_key(|position| all[*position].entry);
        let mut next = usize::MAX;
        let mut above = usize::MAX;
        for position in by_address.iter().rev().copied() {
            let entry = all[position].entry;
            if entry != above {
                (next, above) = (above, entry);
            }
            // The page of its last block is there to be read; what comes behind it may not be.
            let page_end = (lasts[position] / PAGE + 1).saturating_mul(PAGE);
            let longest = entry.saturating_add(FUNCTION_CODE_BYTES_MAX);
            all[position].code.end = next.min(page_end).min(longest);
        }
        Self { all, by_address, is_mapped: false }
    }

    /// Number of functions.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The first counter of each function, as the protocol tells them.
    pub(crate) fn starts(&self) -> Vec<Feature> {
        self.all.iter().map(|function| (function.counters.start, 1)).collect()
    }

    /// One function, by ascending index of its counters.
    pub(crate) fn get(&self, function: usize) -> Option<&Function> {
        self.all.get(function)
    }

    /// The function in whose code `pc` lies.
    pub(crate) fn of_pc(&self, pc: usize) -> Option<usize> {
        let after = self.by_address.partition_point(|position| self.all[*position].entry <= pc);
        let position = *self.by_address.get(after.checked_sub(1)?)?;
        self.all[position].code.contains(&pc).then_some(position)
    }

    /// The instructions of a function, see [`Function::code`].
    pub(crate) fn code(&self, function: usize) -> &'static [u8] {
        let Some(found) = self.all.get(function).filter(|_| self.is_mapped) else { return &[] };
        let start = std::ptr::with_exposed_provenance::<u8>(found.code.start);
        // SAFETY: from the entry to the page of the last block is one function of a loaded object,
        // which stays loaded; code is readable and never written to.
        unsafe { std::slice::from_raw_parts(start, found.code.len()) }
    }

    /// Whether the function was entered, and has blocks that were not.
    pub(crate) fn is_partly_covered(&self, seen: &Seen, function: usize) -> bool {
        let Some(found) = self.all.get(function) else { return false };
        let counters = found.counters.start as usize..found.counters.end as usize;
        let bits = seen.bits().get(counters).unwrap_or(&[]);
        bits.iter().any(|bits| *bits != 0) && bits.contains(&0)
    }
}

//! The corpus of one fuzz test, and which entry to fuzz next.
//!
//! Owns the entries and what fuzzing each of them cost and brought. Must not know of workers.

use std::collections::BTreeMap;

use rand_core::Rng;

use crate::coverage::Gain;
use crate::ids::{EntryId, Input};

/// Position of an entry in its corpus; entries are never removed during a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryIndex(usize);

/// One input of the corpus and its history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its address.
    pub id: EntryId,
    /// Its bytes, in memory form.
    pub input: Input,
    /// What it added to the coverage map when it came. Entries that added nothing are kept but
    /// not fuzzed while there are others.
    pub gain: Gain,
    /// What fuzzing it cost so far, in microseconds or executions, by the session's pace.
    pub spent: u64,
    /// Finds that came from it.
    pub finds: u64,
}

/// The entries of one fuzz test.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    entries: Vec<Entry>,
    by_id: BTreeMap<EntryId, EntryIndex>,
    productive: Vec<EntryIndex>,
}

impl Corpus {
    /// Of how many random entries the one with the least cost per find is taken.
    const TOURNAMENT: usize = 3;
    /// One pick in this many goes to one of the newest entries.
    const NEWEST_EVERY: u64 = 4;
    /// How many entries count as newest.
    const NEWEST: usize = 8;

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an input is an entry already.
    #[must_use]
    pub fn contains(&self, id: EntryId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Adds an entry; one that is already there stays as it is.
    pub fn add(&mut self, input: Input, gain: Gain) -> EntryIndex {
        let id = EntryId::of(&input);
        if let Some(&index) = self.by_id.get(&id) {
            return index;
        }
        let index = EntryIndex(self.entries.len());
        self.entries.push(Entry { id, input, gain, spent: 0, finds: 0 });
        self.by_id.insert(id, index);
        if gain.features > 0 {
            self.productive.push(index);
        }
        index
    }

    /// Gives a corpus without entries the empty input to mutate. It is not kept and was not run, so
    /// that it can still be found.
    pub fn add_base(&mut self) {
        let input = Input::from(Vec::new());
        let id = EntryId::of(&input);
        self.entries.push(Entry { id, input, gain: Gain::default(), spent: 0, finds: 0 });
    }

    /// The entry at `index`.
    #[must_use]
    pub fn entry(&self, index: EntryIndex) -> &Entry {
        &self.entries[index.0]
    }

    /// Books the cost of one Fuzz call, and whether it brought a find.
    pub fn charge(&mut self, index: EntryIndex, spent: u64, finds: u64) {
        let entry = &mut self.entries[index.0];
        entry.spent = entry.spent.saturating_add(spent);
        entry.finds = entry.finds.saturating_add(finds);
    }

    /// The entry to fuzz next; `None` only if the corpus is empty.
    pub fn pick(&self, rng: &mut impl Rng) -> Option<EntryIndex> {
        let all: Vec<EntryIndex>;
        let pool = if self.productive.is_empty() {
            all = (0..self.entries.len()).map(EntryIndex).collect();
            &all
        } else {
            &self.productive
        };
        if pool.is_empty() {
            return None;
        }
        let newest = if rng.next_u64().is_multiple_of(Self::NEWEST_EVERY) {
            pool.len().min(Self::NEWEST)
        } else {
            pool.len()
        };
        let pool = &pool[pool.len() - newest..];
        let candidates = (0..Self::TOURNAMENT).map(|_| pool[below(rng, pool.len())]);
        candidates.min_by_key(|&index| self.cost_per_find(index))
    }

    fn cost_per_find(&self, index: EntryIndex) -> (u64, EntryIndex) {
        let entry = self.entry(index);
        (entry.spent / (1 + 2 * entry.finds), index)
    }
}

/// A number below `bound`, which must not be 0, by multiply and shift.
fn below(rng: &mut impl Rng, bound: usize) -> usize {
    let wide = u128::from(rng.next_u64()) * (bound as u128);
    usize::try_from(wide >> 64).expect("the product shifted by 64 is below the bound")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    const NEW: Gain = Gain { edges: 1, features: 1 };

    #[test]
    fn the_same_input_is_one_entry() {
        let mut corpus = Corpus::default();
        let first = corpus.add(Input::from(&b"a"[..]), NEW);
        assert_eq!(corpus.add(Input::from(&b"a"[..]), NEW), first);
        assert_eq!(corpus.len(), 1);
    }

    #[test]
    fn entries_without_gain_are_picked_only_while_there_is_nothing_better() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut corpus = Corpus::default();
        assert_eq!(corpus.pick(&mut rng), None);
        let dull = corpus.add(Input::from(&b"dull"[..]), Gain::default());
        assert_eq!(corpus.pick(&mut rng), Some(dull));
        let good = corpus.add(Input::from(&b"good"[..]), NEW);
        assert!((0..100).all(|_| corpus.pick(&mut rng) == Some(good)));
    }

    #[test]
    fn cheap_and_fertile_entries_are_picked_more_often() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut corpus = Corpus::default();
        let costly = corpus.add(Input::from(&b"costly"[..]), NEW);
        let fertile = corpus.add(Input::from(&b"fertile"[..]), NEW);
        corpus.charge(costly, 1_000, 0);
        corpus.charge(fertile, 1_000, 9);
        let picks = (0..1_000).filter(|_| corpus.pick(&mut rng) == Some(fertile)).count();
        assert!(picks > 700, "{picks} of 1000 picks went to the fertile entry");
    }

    #[test]
    fn every_entry_is_picked_sooner_or_later() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut corpus = Corpus::default();
        let all: Vec<EntryIndex> =
            (0..50u8).map(|byte| corpus.add(Input::from(vec![byte]), NEW)).collect();
        let mut picked = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let index = corpus.pick(&mut rng).expect("not empty");
            corpus.charge(index, 10, 0);
            picked.insert(index);
        }
        assert_eq!(picked.len(), all.len());
    }
}

//! The corpus of one fuzz test.
//!
//! Owns the entries' bytes and addresses. Which of them to fuzz next is `schedule`'s to know.

use std::collections::BTreeMap;

use crate::ids::{EntryId, Input};

/// Position of an entry in its corpus; entries are never removed during a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryIndex(u32);

impl EntryIndex {
    /// The entry at this position; `None` if no corpus can be so large.
    #[must_use]
    pub fn new(position: usize) -> Option<Self> {
        u32::try_from(position).ok().map(Self)
    }

    /// The position.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The position, to index with.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One input of the corpus.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its address.
    pub id: EntryId,
    /// Its bytes, in memory form.
    pub input: Input,
}

/// The entries of one fuzz test.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    entries: Vec<Entry>,
    by_id: BTreeMap<EntryId, EntryIndex>,
}

impl Corpus {
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

    /// The entry with this address.
    #[must_use]
    pub fn find(&self, id: EntryId) -> Option<EntryIndex> {
        self.by_id.get(&id).copied()
    }

    /// Adds an entry. `None`: it is there already, or the corpus is as large as can be numbered.
    pub fn add(&mut self, id: EntryId, input: Input) -> Option<EntryIndex> {
        if self.by_id.contains_key(&id) {
            return None;
        }
        let index = EntryIndex::new(self.entries.len())?;
        self.entries.push(Entry { id, input });
        self.by_id.insert(id, index);
        Some(index)
    }

    /// Gives a corpus without entries the empty input to mutate. It is not kept and was not run, so
    /// that it can still be found.
    pub fn add_base(&mut self) {
        let input = Input::from(Vec::new());
        let id = EntryId::of(&input);
        self.entries.push(Entry { id, input });
    }

    /// The entry at `index`.
    #[must_use]
    pub fn entry(&self, index: EntryIndex) -> &Entry {
        &self.entries[index.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_input_is_one_entry() {
        let mut corpus = Corpus::default();
        let input = Input::from(&b"a"[..]);
        let id = EntryId::of(&input);
        let first = corpus.add(id, input.clone());
        assert!(first.is_some());
        assert_eq!(corpus.add(id, input), None);
        assert_eq!((corpus.find(id), corpus.len()), (first, 1));
    }

    #[test]
    fn the_base_can_still_be_found() {
        let mut corpus = Corpus::default();
        corpus.add_base();
        let input = Input::from(&b""[..]);
        assert!(corpus.add(EntryId::of(&input), input).is_some());
        assert_eq!(corpus.len(), 2);
    }
}

//! The favoured entries: few and cheap ones that together have every edge.
//!
//! Owns the cheapest owner of each edge, and the choice made from them: edges are gone through from
//! the newest to the oldest, and for each that no chosen entry has, its owner is chosen. Must not
//! know weights.

use crate::coverage::Feature;
use crate::schedule::sparse::Sparse;

/// Numbers of edges kept to see what a chosen entry has. Beyond it an entry has, for this choice,
/// only the edge it is chosen for: more are favoured than would be needed, none is lost.
const EDGES_KEPT_MAX: usize = 16 << 20;

#[derive(Debug, Clone, Copy, Default)]
struct Owner {
    /// The entry's number plus 1; 0: nobody has the edge.
    entry: u32,
    cost: u64,
}

#[derive(Debug, Clone, Default)]
struct Owned {
    /// Edges it is the cheapest owner of.
    count: u32,
    /// All its edges, while it is the cheapest owner of one.
    edges: Box<[u32]>,
}

/// The account of all entries, which are numbered from 0 in the order in which they are added.
#[derive(Debug, Clone, Default)]
pub(super) struct Cover {
    owners: Sparse<Owner>,
    /// Edges in the order of their discovery.
    edges: Vec<u32>,
    owned: Vec<Owned>,
    kept: usize,
    is_stale: bool,
    is_covered: Vec<bool>,
}

impl Cover {
    /// Adds the next entry, which costs so much to run and to change. Returns whether it is the
    /// cheapest owner of an edge.
    pub(super) fn add(&mut self, coverage: &[Feature], cost: u64) -> bool {
        let number = u32::try_from(self.owned.len()).unwrap_or(u32::MAX).saturating_add(1);
        let mut owned = Owned::default();
        for &(edge, _) in coverage.iter().filter(|(_, class)| *class != 0) {
            let owner = self.owners.get_mut(edge as usize);
            if owner.entry == number || (owner.entry != 0 && owner.cost <= cost) {
                continue;
            }
            match owner.entry.checked_sub(1) {
                None => self.edges.push(edge),
                Some(before) => {
                    let loser = &mut self.owned[before as usize];
                    loser.count -= 1;
                    if loser.count == 0 {
                        self.kept -= std::mem::take(&mut loser.edges).len();
                    }
                }
            }
            *owner = Owner { entry: number, cost };
            owned.count += 1;
        }
        if owned.count > 0 {
            self.is_stale = true;
            if self.kept + coverage.len() <= EDGES_KEPT_MAX {
                owned.edges = coverage.iter().map(|(edge, _)| *edge).collect();
                self.kept += owned.edges.len();
            }
        }
        let is_owner = owned.count > 0;
        self.owned.push(owned);
        is_owner
    }

    /// Edges that some entry has.
    pub(super) fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether the choice is not that of the entries there are.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Makes the choice anew, and tells each chosen entry's number.
    pub(super) fn choose(&mut self, mut chosen: impl FnMut(usize)) {
        self.is_stale = false;
        let last = self.edges.iter().max().map_or(0, |edge| *edge as usize + 1);
        self.is_covered.clear();
        self.is_covered.resize(last, false);
        for edge in self.edges.iter().rev() {
            if self.is_covered[*edge as usize] {
                continue;
            }
            let Some(entry) = self.owners.get(*edge as usize).entry.checked_sub(1) else {
                continue;
            };
            chosen(entry as usize);
            self.is_covered[*edge as usize] = true;
            for own in &self.owned[entry as usize].edges {
                if let Some(is_covered) = self.is_covered.get_mut(*own as usize) {
                    *is_covered = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(cover: &mut Cover) -> Vec<usize> {
        let mut all = Vec::new();
        cover.choose(|entry| all.push(entry));
        all
    }

    #[test]
    fn few_entries_that_have_every_edge_are_chosen() {
        let mut cover = Cover::default();
        cover.add(&[(0, 1)], 10);
        cover.add(&[(0, 1), (1, 1)], 20);
        cover.add(&[(0, 1), (1, 1), (2, 1)], 30);
        assert_eq!(chosen(&mut cover), [2], "it has what the others have");
        cover.add(&[(3, 1)], 1);
        assert_eq!(chosen(&mut cover), [3, 2]);
        assert!(!cover.is_stale());
    }

    #[test]
    fn a_cheaper_entry_takes_the_place_of_a_costly_one() {
        let mut cover = Cover::default();
        cover.add(&[(0, 1), (1, 1)], 20);
        cover.add(&[(0, 1), (1, 4)], 10);
        cover.add(&[(0, 1), (1, 1)], 10);
        assert_eq!(chosen(&mut cover), [1], "of equals the older one");
        assert_eq!((cover.kept, cover.len()), (2, 2), "what owns nothing takes no room");
    }
}

//! The favoured entries: few and cheap ones that together have every edge.
//!
//! Owns the cheapest owner of each edge, and the choice made from them: edges are gone through from
//! the newest to the oldest, and for each that no chosen entry has, its owner is chosen. Must not
//! know weights.
//!
//! A choice is made in slices, and entries may come meanwhile:
//!
//! ```text
//! Made ── begin ──► Going, until all edges there were when it began are gone through ──► Made
//! ```
//!
//! An edge that changes hands meanwhile is another entry's when its turn comes: more are chosen
//! then than would be needed, and still every edge is had.

use crate::coverage::Feature;
use crate::schedule::sparse::Sparse;

/// Numbers of edges kept to see what a chosen entry has. Beyond it an entry has, for this choice,
/// only the edge it is chosen for: more are favoured than would be needed, none is lost.
const EDGES_KEPT_MAX: usize = 16 << 20;

/// Edges that one slice of a choice looks at, be it to see who owns them or because a chosen entry
/// has them.
pub(super) const EDGES_PER_SLICE: usize = 16_384;

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

/// How far the newest choice is.
#[derive(Debug, Clone, Default)]
enum Choice {
    /// It is made, or none was begun.
    #[default]
    Made,
    /// It goes on.
    Going {
        /// Edges that were not gone through: the oldest ones.
        left: usize,
        /// The entry chosen last.
        entry: usize,
        /// How many of its edges are noted as had.
        noted: usize,
    },
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
    choice: Choice,
    /// Choices begun so far.
    choices: u32,
    /// For each edge, the newest choice in which a chosen entry has it.
    had_in: Sparse<u32>,
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

    /// Begins to make the choice anew, from the edges there are; one that was going on is dropped.
    pub(super) fn begin_choice(&mut self) {
        self.is_stale = false;
        self.choices = self.choices.saturating_add(1);
        self.choice = Choice::Going { left: self.edges.len(), entry: 0, noted: usize::MAX };
    }

    /// The number of the newest choice, be it made or not. They are numbered from 2; it is 1 before
    /// the first one.
    pub(super) fn newest_choice(&self) -> u32 {
        self.choices.saturating_add(1)
    }

    /// Whether the newest choice is made.
    pub(super) fn is_chosen(&self) -> bool {
        match self.choice {
            Choice::Made => true,
            Choice::Going { .. } => false,
        }
    }

    /// Takes a choice that goes on a slice further, and tells each chosen entry's number.
    pub(super) fn choose(&mut self, mut chosen: impl FnMut(usize)) {
        let (mut left, mut entry, mut noted) = match self.choice {
            Choice::Made => return,
            Choice::Going { left, entry, noted } => (left, entry, noted),
        };
        let (choice, mut budget) = (self.newest_choice(), EDGES_PER_SLICE);
        loop {
            let own = self.owned.get(entry).and_then(|owned| owned.edges.get(noted..));
            let own = own.unwrap_or_default();
            let part = &own[..own.len().min(budget)];
            for edge in part {
                *self.had_in.get_mut(*edge as usize) = choice;
            }
            noted = noted.saturating_add(part.len());
            budget -= part.len();
            if budget == 0 {
                self.choice = Choice::Going { left, entry, noted };
                return;
            }
            let Some(next) = left.checked_sub(1) else { break };
            (left, budget) = (next, budget - 1);
            let edge = self.edges[next] as usize;
            if self.had_in.get(edge) == choice {
                continue;
            }
            if let Some(owner) = self.owners.get(edge).entry.checked_sub(1) {
                *self.had_in.get_mut(edge) = choice;
                (entry, noted) = (owner as usize, 0);
                chosen(entry);
            }
        }
        self.choice = Choice::Made;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(cover: &mut Cover) -> Vec<usize> {
        let mut all = Vec::new();
        cover.begin_choice();
        while !cover.is_chosen() {
            cover.choose(|entry| all.push(entry));
        }
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

    /// Entries of so many edges each, one of them their own alone.
    fn wide(entries: u32, edges: u32) -> Cover {
        let mut cover = Cover::default();
        for number in 0..entries {
            let common = (0..edges - 1).map(|edge| (edge, 1));
            cover.add(&common.chain([(edges + number, 1)]).collect::<Vec<_>>(), 10);
        }
        cover
    }

    #[test]
    fn no_slice_of_a_choice_looks_at_more_edges_than_its_bound_and_the_last_one_comes() {
        let mut cover = wide(3, 60_000);
        let all = cover.len() + cover.kept;
        let (mut chosen, mut slices, mut before) = (0, 0, 0);
        cover.begin_choice();
        while !cover.is_chosen() {
            cover.choose(|_| chosen += 1);
            slices += 1;
            let looked_at = match cover.choice {
                Choice::Made => all,
                Choice::Going { left, noted, .. } => {
                    cover.len() - left + (chosen - 1) * 60_000 + noted
                }
            };
            assert!(looked_at - before <= EDGES_PER_SLICE, "{before} {looked_at}");
            before = looked_at;
        }
        assert_eq!((chosen, slices), (3, all.div_ceil(EDGES_PER_SLICE)));
    }

    #[test]
    fn what_comes_during_a_choice_takes_no_edge_from_the_favoured() {
        let mut cover = wide(20, 10_000);
        let edges_of = |entry: usize| cover.owned[entry].edges.to_vec();
        let mut all: Vec<Vec<u32>> = (0..20).map(edges_of).collect();
        let mut favoured = std::collections::BTreeSet::new();
        cover.begin_choice();
        while !cover.is_chosen() {
            cover.choose(|entry| _ = favoured.insert(entry));
            // It is cheaper: some that were chosen own nothing any more.
            let end = 10_000 + u32::try_from(all.len()).expect("few");
            let own: Vec<Feature> = (9_990..end).map(|edge| (edge, 1)).collect();
            if cover.add(&own, 1) {
                favoured.insert(all.len());
            }
            all.push((9_990..end).collect());
        }
        assert!(cover.is_stale(), "they are to be chosen from next time");
        let had: std::collections::BTreeSet<&u32> =
            favoured.iter().flat_map(|entry| &all[*entry]).collect();
        assert!(cover.edges.iter().all(|edge| had.contains(edge)), "{favoured:?}");
    }
}

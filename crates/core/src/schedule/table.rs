//! The table that entries are picked from, made of blocks that are built each by itself.
//!
//! Owns an alias table for each block of entries and one over the weights of the blocks: a pick is
//! one pick from each of two tables, however many entries there are. Must not know what weights
//! mean.

use rand_core::Rng;

use crate::alias::{Alias, Room};
use crate::corpus::EntryIndex;

/// Entries of one block.
pub(super) const BLOCK_ENTRIES: usize = 4_096;

/// A table over the entries from 0. Nothing is picked from it before it is finished.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    blocks: Vec<Alias>,
    /// What each block weighs.
    sums: Vec<f64>,
    over_blocks: Alias,
    room: Room,
}

impl Table {
    /// Whether nothing can be picked.
    pub(super) fn is_empty(&self) -> bool {
        self.over_blocks.is_empty()
    }

    /// Adds the next block, of the next [`BLOCK_ENTRIES`] entries or, if it is the last one, of
    /// fewer. Weights are finite and not negative; they are scaled in place.
    pub(super) fn add_block(&mut self, weights: &mut [f64]) {
        let mut block = Alias::default();
        self.sums.push(weights.iter().sum());
        block.build_in(weights, &mut self.room);
        self.blocks.push(block);
    }

    /// All blocks were added.
    pub(super) fn finish(&mut self) {
        self.over_blocks.build_in(&mut self.sums, &mut self.room);
        (self.sums, self.room) = (Vec::new(), Room::default());
    }

    /// An entry, each as often as its weight says; `None` if the table is empty.
    pub(super) fn pick(&self, rng: &mut impl Rng) -> Option<EntryIndex> {
        let block = self.over_blocks.pick(rng)? as usize;
        let entry = self.blocks.get(block)?.pick(rng)? as usize;
        EntryIndex::new(block * BLOCK_ENTRIES + entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn table(weights: &[f64]) -> Table {
        let mut table = Table::default();
        for block in weights.chunks(BLOCK_ENTRIES) {
            table.add_block(&mut block.to_vec());
        }
        table.finish();
        table
    }

    #[test]
    fn entries_of_all_blocks_are_picked_as_often_as_their_weights_say() {
        let mut weights = vec![0.0; 3 * BLOCK_ENTRIES + 10];
        let heavy =
            [(0, 1.0), (BLOCK_ENTRIES - 1, 2.0), (BLOCK_ENTRIES, 3.0), (3 * BLOCK_ENTRIES, 4.0)];
        for (entry, weight) in heavy {
            weights[entry] = weight;
        }
        let (table, rng) = (table(&weights), &mut Xoshiro256PlusPlus::seed_from_u64(1));
        let mut picks = vec![0u32; weights.len()];
        for _ in 0..100_000 {
            picks[table.pick(rng).expect("not empty").index()] += 1;
        }
        for (entry, weight) in heavy {
            let share = f64::from(picks[entry]) / 100_000.0;
            assert!((share - weight / 10.0).abs() < 0.01, "{entry}: {share}");
        }
        assert_eq!(picks.iter().filter(|picks| **picks > 0).count(), heavy.len());
    }

    #[test]
    fn a_table_over_nothing_picks_nothing() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        assert_eq!(table(&[]).pick(rng), None);
        assert!(table(&[0.0; 10]).is_empty());
        assert_eq!(table(&[0.0, 1.0]).pick(rng), EntryIndex::new(1));
    }
}

//! Weighted picks in constant time: the alias method (Walker 1977, in the form of Vose 1991).
//!
//! Owns the table. Must not know what is picked.

use rand_core::Rng;

use crate::chance::below;

/// One cell: it stands for its own number below the threshold, for another at or above it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    threshold: u32,
    other: u32,
}

/// A table over the numbers from 0.
#[derive(Debug, Clone, Default)]
pub struct Alias {
    cells: Vec<Cell>,
}

/// Room for the numbers that wait for a partner while a table is built: those below and those above
/// the mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    small: Vec<u32>,
    large: Vec<u32>,
}

impl Alias {
    /// Numbers the table was built over; 0 if nothing can be picked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether nothing can be picked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Builds the table anew. Weights are finite and not negative; they are scaled in place. With a
    /// sum of 0 the table is empty.
    pub fn build(&mut self, weights: &mut [f64]) {
        self.build_in(weights, &mut Room::default());
    }

    /// The same in room that was used before.
    pub(crate) fn build_in(&mut self, weights: &mut [f64], room: &mut Room) {
        self.cells.clear();
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            return;
        }
        let scale = weights.len() as f64 / sum;
        self.cells.reserve_exact(weights.len());
        let Room { small, large } = room;
        small.clear();
        large.clear();
        for (number, weight) in (0u32..).zip(weights.iter_mut()) {
            *weight *= scale;
            self.cells.push(Cell { threshold: u32::MAX, other: number });
            if *weight < 1.0 { &mut *small } else { &mut *large }.push(number);
        }
        while let (Some(&least), Some(&most)) = (small.last(), large.last()) {
            small.pop();
            let weight = weights[least as usize];
            self.cells[least as usize] = Cell { threshold: threshold(weight), other: most };
            let rest = &mut weights[most as usize];
            *rest -= 1.0 - weight;
            if *rest < 1.0 {
                large.pop();
                small.push(most);
            }
        }
        self.settle_rest(weights, room);
    }

    /// What is left over is whole but for rounding, or weighs nothing.
    fn settle_rest(&mut self, weights: &[f64], room: &Room) {
        let is_whole = |number: &u32| weights[*number as usize] > 0.5;
        let Some(whole) = room.small.iter().chain(&room.large).find(|n| is_whole(n)).copied()
        else {
            return;
        };
        for number in room.small.iter().filter(|number| !is_whole(number)) {
            self.cells[*number as usize] = Cell { threshold: 0, other: whole };
        }
    }

    /// A number, each as often as its weight says; `None` if the table is empty.
    pub(crate) fn pick(&self, rng: &mut impl Rng) -> Option<u32> {
        if self.cells.is_empty() {
            return None;
        }
        let cell = below(rng, self.cells.len());
        let draw = u32::try_from(rng.next_u64() >> 32).expect("32 bits");
        self.choose(cell, draw)
    }

    /// The same with random numbers of the caller's: `cell` below [`len`](Self::len), or there is
    /// no number, and 32 random bits.
    #[inline]
    #[must_use]
    pub fn choose(&self, cell: usize, draw: u32) -> Option<u32> {
        let Cell { threshold, other } = *self.cells.get(cell)?;
        // Both are at hand, so that there is no branch to guess wrong.
        let own = u32::try_from(cell).ok()?;
        Some(if draw < threshold { own } else { other })
    }
}

/// A share from 0 to 1 in steps of 2^-32.
#[expect(clippy::cast_possible_truncation, reason = "conversions of floating point saturate")]
fn threshold(share: f64) -> u32 {
    (share * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn numbers_are_picked_as_often_as_their_weights_say() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let weights = [0.0, 1.0, 2.0, 0.5, 0.0, 6.5];
        let mut table = Alias::default();
        table.build(&mut weights.clone());
        let mut picks = [0u32; 6];
        for _ in 0..100_000 {
            picks[table.pick(rng).expect("not empty") as usize] += 1;
        }
        for (weight, picks) in weights.iter().zip(picks) {
            let share = f64::from(picks) / 100_000.0;
            assert!((share - weight / 10.0).abs() < 0.01, "{weight}: {share}");
        }
        assert_eq!((picks[0], picks[4]), (0, 0), "what weighs nothing is never picked");
    }

    #[test]
    fn a_table_over_nothing_picks_nothing() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let mut table = Alias::default();
        assert_eq!(table.pick(rng), None);
        table.build(&mut [1.0]);
        assert_eq!(table.pick(rng), Some(0));
        table.build(&mut [0.0, 0.0]);
        assert_eq!((table.pick(rng), table.len()), (None, 0));
    }
}

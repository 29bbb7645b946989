//! Picking by weight in constant time (the alias method of Walker, as Vose has it).
//!
//! Owns the table: each place belongs to one thing, up to a bound, and to another one above it.

use crate::rng::Rng;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Alias {
    /// Bound and other thing of each place.
    places: Vec<(u32, u32)>,
    /// End of the bounds: the sum of the weights.
    total: u32,
}

impl Alias {
    /// A table for things with these weights: a few thousand, each with a few bits.
    pub(super) fn new(weights: &[u32]) -> Self {
        let total = weights.iter().sum();
        let count = u32::try_from(weights.len()).unwrap_or(u32::MAX);
        let mut places: Vec<(u32, u32)> =
            (0..count).zip(weights).map(|(thing, weight)| (weight * count, thing)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..places.len()).partition(|place| places[*place].0 < total);
        // What a light thing leaves of its place goes to a heavy one.
        while let (Some(light), Some(&heavy)) = (small.pop(), large.last()) {
            let left = total - places[light].0;
            places[light].1 = u32::try_from(heavy).unwrap_or(0);
            places[heavy].0 -= left;
            if places[heavy].0 < total {
                large.pop();
                small.push(heavy);
            }
        }
        Self { places, total }
    }

    /// The position of a random thing; `None`: there is none.
    #[inline]
    pub(super) fn pick(&self, rng: &mut Rng) -> Option<usize> {
        let place = rng.below(self.places.len());
        let &(bound, other) = self.places.get(place)?;
        let is_own = rng.below(self.total as usize) < bound as usize;
        Some(if is_own { place } else { other as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_picked_as_often_as_they_weigh() {
        let weights = [3, 80, 10, 10, 0, 3, 1];
        let table = Alias::new(&weights);
        let mut rng = Rng::new(7);
        let mut counts = [0_u32; 7];
        for _ in 0..107_000 {
            counts[table.pick(&mut rng).unwrap()] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let wanted = weight * 1_000;
            assert!(count.abs_diff(wanted) <= 100 + wanted / 20, "{counts:?}");
        }
        assert_eq!(Alias::new(&[]).pick(&mut rng), None);
    }
}

//! Random numbers for mutation.
//!
//! Owns the generator and how it is seeded. Nothing here depends on anything but the seed of the
//! call and the number of the iteration, so that every iteration can be rebuilt alone.

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::SplitMix64;

/// The random state in which iteration `iteration` of a call with `call_seed` begins.
#[must_use]
#[inline]
pub(crate) fn iteration_seed(call_seed: u64, iteration: u64) -> u64 {
    // SplitMix64 (Sebastiano Vigna): neighbouring inputs give unrelated outputs.
    let mut mixed = call_seed.wrapping_add(iteration.wrapping_add(1).wrapping_mul(GOLDEN_RATIO));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// 2^64 divided by the golden ratio, made odd.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// A random generator. Its state is one word, so that it costs nothing to seed it anew for every
/// iteration; a few hundred draws at most are taken from one seed.
#[derive(Debug)]
pub(crate) struct Rng(SplitMix64);

impl Rng {
    /// A generator in this state.
    #[inline]
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`, or 0 if `end` is 0. The bias is below 2^-32 for all lengths in use.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.bits()) * (end as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A random byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        self.bits().to_le_bytes()[7]
    }

    /// True `parts` times of `of`.
    #[inline]
    pub(crate) fn chance(&mut self, parts: usize, of: usize) -> bool {
        self.below(of) < parts
    }

    /// One of `items`, which must not be empty.
    #[inline]
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_numbers_and_others_do_not() {
        let draw = |call, iteration| {
            let mut rng = Rng::new(iteration_seed(call, iteration));
            [rng.bits(), rng.bits(), rng.bits()]
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(0, 0), [0; 3]);
    }

    #[test]
    fn numbers_below_an_end_reach_all_of_them() {
        let mut rng = Rng::new(1);
        let mut found = [false; 7];
        for _ in 0..1000 {
            found[rng.below(7)] = true;
        }
        assert_eq!(found, [true; 7]);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
    }
}

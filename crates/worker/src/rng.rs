//! Random numbers for mutation.
//!
//! Owns the generator and how it is seeded. Nothing here depends on anything but the seed of the
//! call and the number of the iteration, so that every iteration can be rebuilt alone.

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

/// As [`iteration_seed`], but its lowest [`SHARED_BITS`] are the same for a few neighbours: choices
/// made with them come in runs, which a processor predicts.
#[inline]
pub(crate) fn mutation_seed(call_seed: u64, iteration: u64) -> u64 {
    let shared = (1 << SHARED_BITS) - 1;
    let of_group = iteration_seed(!call_seed, iteration / u64::from(NEIGHBOURS));
    iteration_seed(call_seed, iteration) & !shared | of_group & shared
}

/// Bits of the seed of a mutation that neighbours share.
pub(crate) const SHARED_BITS: u32 = 16;

/// Iterations that share them. More would be predicted better still, but a visit of a slow fuzz
/// test, of sixteen inputs, would try few operators.
pub(crate) const NEIGHBOURS: u32 = 4;

/// 2^64 divided by the golden ratio, made odd.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// Random bits that are left over when a number is made, at least: its bias is below 2^-16.
const SPARE_BITS: u32 = 16;

/// A random generator (SplitMix64: that of `rand_xoshiro` cannot be inlined into the mutator). Its
/// state is one word, so that it costs nothing to seed it anew for every iteration; a few hundred
/// draws at most are taken from one seed. Several small numbers are made of one draw: each takes
/// the high half of a product and leaves the low half to the next one.
#[derive(Debug)]
pub(crate) struct Rng {
    state: u64,
    word: u64,
    bits_left: u32,
}

impl Rng {
    /// A generator in this state.
    #[inline]
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Self { state: seed, word: 0, bits_left: u64::BITS };
        rng.word = rng.bits();
        rng
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        let bits = iteration_seed(self.state, 0);
        self.state = self.state.wrapping_add(GOLDEN_RATIO);
        bits
    }

    /// A number below `end`, or 0 if `end` is 0. The bias is below 2^-16 for all lengths in use.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // Below 0 and below 1 there is one number, and it takes no bits.
        let end = end.max(1);
        let bits = usize::BITS - (end - 1).leading_zeros();
        if self.bits_left < bits + SPARE_BITS {
            self.word = self.bits();
            self.bits_left = u64::BITS;
        }
        self.bits_left -= bits;
        let wide = u128::from(self.word) * (end as u128);
        #[expect(clippy::cast_possible_truncation, reason = "the low half, on purpose")]
        let low = wide as u64;
        self.word = low;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A random byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
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

/// Random bits for choices among powers of two, which need no multiplication. Cheaper than [`Rng`]
/// to begin with: what is chosen first is known at once.
#[derive(Debug)]
pub(crate) struct Bits {
    state: u64,
    word: u64,
    bits_left: u32,
}

impl Bits {
    /// Bits of `seed`, which comes from [`mutation_seed`].
    #[inline]
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, word: seed, bits_left: u64::BITS }
    }

    /// A number below 2^`bits`, of at most 16.
    #[inline]
    pub(crate) fn take(&mut self, bits: u32) -> usize {
        if self.bits_left < bits {
            self.state = iteration_seed(self.state, 0);
            self.word = self.state;
            self.bits_left = u64::BITS;
        }
        self.bits_left -= bits;
        let taken = self.word & ((1 << bits) - 1);
        self.word >>= bits;
        usize::try_from(taken).unwrap_or(0)
    }

    /// A number below `end`, which is at most 256. The bias is below 2^-8.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.take(u16::BITS) * end) >> u16::BITS
    }
}

#[cfg(test)]
mod tests {
    use rand_core::{Rng as _, SeedableRng as _};
    use rand_xoshiro::SplitMix64;

    use super::*;

    #[test]
    fn the_generator_is_that_of_the_library() {
        for seed in [0, 7, u64::MAX, 0x1234_5678_9abc_def0] {
            let mut library = SplitMix64::seed_from_u64(seed);
            let mut own = Rng::new(seed);
            assert_eq!(own.word, library.next_u64());
            assert!((0..100).all(|_| own.bits() == library.next_u64()));
        }
    }

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
    fn neighbours_share_the_low_bits_of_their_seeds_and_nothing_else() {
        let shared = (1 << SHARED_BITS) - 1;
        let count = u64::from(NEIGHBOURS) * 100;
        let seeds: Vec<u64> = (0..count).map(|at| mutation_seed(5, at)).collect();
        let groups = seeds.chunks(usize::try_from(NEIGHBOURS).unwrap());
        let differing = |group: &[u64]| group.iter().fold(0, |any, seed| any | (seed ^ group[0]));
        for group in groups.clone() {
            assert_eq!(differing(group) & shared, 0, "{group:x?}");
        }
        let own = groups.clone().fold(0, |any, group| any | differing(group));
        assert_eq!(own, !shared, "every other bit differs somewhere");
        let firsts: Vec<u64> = groups.map(|group| group[0]).collect();
        assert_eq!(differing(&firsts), u64::MAX, "the groups differ in all of them");
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

    #[test]
    fn a_choice_among_nothing_leaves_the_next_one_random() {
        let mut found = [false; 6];
        for seed in 0..100 {
            let mut rng = Rng::new(iteration_seed(3, seed));
            rng.below(0);
            rng.below(1);
            found[rng.below(6)] = true;
        }
        assert_eq!(found, [true; 6]);
    }

    #[test]
    fn numbers_of_one_draw_know_nothing_of_each_other() {
        let mut rng = Rng::new(5);
        let mut counts = [[0u32; 8]; 8];
        for _ in 0..64_000 {
            let (first, second) = (rng.below(8), rng.below(8));
            counts[first][second] += 1;
        }
        let all = counts.iter().flatten();
        assert!(all.clone().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn bits_reach_all_numbers_and_repeat_with_their_seed() {
        let draw = |seed: u64| {
            let mut bits = Bits::new(iteration_seed(seed, 7));
            (0..1000).map(|_| bits.take(6)).collect::<Vec<usize>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let drawn = draw(3);
        assert!((0..64).all(|number| drawn.contains(&number)));
        let mut bits = Bits::new(9);
        assert!((0..1000).all(|_| bits.below(7) < 7));
    }

    #[test]
    fn ends_of_any_size_are_kept() {
        let mut rng = Rng::new(9);
        for bits in 0..u64::BITS {
            let end = 1usize << bits;
            assert!(rng.below(end) < end);
        }
        assert!(rng.below(usize::MAX) < usize::MAX);
    }
}

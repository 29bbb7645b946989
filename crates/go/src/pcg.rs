//! Go's random generator, draw for draw.
//!
//! Owns: PCG XSH RR 64/32 and what the mutator draws from it. Source: `pcg.go` of `internal/fuzz`
//! (Go 1.27.3); the generator itself is Melissa O'Neill's (pcg-random.org), the reduction to a
//! range Daniel Lemire's. Must not: take randomness from the system; Go seeds by the clock, and
//! what a worker drew is known from the header of its memory alone.

/// Factor of the linear congruential step.
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

/// What the mutator draws from. A trait, because Go tests its operators with scripted draws.
pub trait Random {
    /// A number below `end`. Takes at least one draw, also for 0, which gives 0.
    fn below(&mut self, end: u32) -> u32;

    /// True in half of all cases.
    fn coin(&mut self) -> bool;
}

/// A state that Go's generator cannot have: its increment is always odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:#x} is no increment of Go's generator: it must be odd")]
pub struct EvenIncrement(pub u64);

/// Go's `pcgRand`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pcg {
    state: u64,
    increment: u64,
}

impl Pcg {
    /// The generator in the state that a worker left in its header ([`randState` and `randInc`]).
    ///
    /// With an odd increment the period is 2^64 whatever the state, so no state that a hostile
    /// worker can write makes a draw go on for ever.
    ///
    /// [`randState` and `randInc`]: fuzzd_protocol::layout::RAND_STATE
    pub const fn restore(state: u64, increment: u64) -> Result<Self, EvenIncrement> {
        if increment & 1 == 0 {
            Err(EvenIncrement(increment))
        } else {
            Ok(Self { state, increment })
        }
    }

    /// The generator as Go makes it from a seed: the `nth` of its process, from 1. A worker makes
    /// one; its seed is the time in nanoseconds, or `N` under `GODEBUG=fuzzseed=N`.
    #[must_use]
    pub const fn seeded(seed: u64, nth: u64) -> Self {
        let mut generator = Self { state: seed, increment: (nth << 1) | 1 };
        generator.step();
        generator.state = generator.state.wrapping_add(seed);
        generator.step();
        generator
    }

    /// State and increment, as Go saves them to the header.
    #[must_use]
    pub const fn save(&self) -> (u64, u64) {
        (self.state, self.increment)
    }

    /// The next 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word is the output")]
    pub const fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.step();
        let xorshifted = (((old >> 18) ^ old) >> 27) as u32;
        xorshifted.rotate_right((old >> 59) as u32)
    }

    const fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }
}

impl Random for Pcg {
    /// Lemire's multiplication: the high word is the number; a low word below the remainder is
    /// drawn again, so that every number is equally likely.
    #[expect(clippy::cast_possible_truncation, reason = "high and low word of the product")]
    fn below(&mut self, end: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(end);
        if (product as u32) < end {
            let threshold = end.wrapping_neg() % end;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(end);
            }
        }
        (product >> 32) as u32
    }

    fn coin(&mut self) -> bool {
        self.next_u32() & 1 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_worker_has_increment_three() {
        let (_, increment) = Pcg::seeded(123, 1).save();
        assert_eq!(increment, 3);
    }

    #[test]
    fn a_restored_generator_goes_on_where_it_was_saved() {
        let mut one = Pcg::seeded(7, 1);
        one.next_u32();
        let (state, increment) = one.save();
        let mut other = Pcg::restore(state, increment).unwrap();
        assert_eq!(one.next_u32(), other.next_u32());
        assert_eq!(one, other);
    }

    #[test]
    fn an_even_increment_is_refused() {
        assert_eq!(Pcg::restore(0, 4), Err(EvenIncrement(4)));
        assert_eq!(
            EvenIncrement(4).to_string(),
            "0x4 is no increment of Go's generator: it must be odd"
        );
    }

    #[test]
    fn below_zero_and_below_one_take_one_draw_each() {
        for end in [0, 1] {
            let mut drawn = Pcg::seeded(99, 1);
            let mut stepped = drawn;
            stepped.step();
            assert_eq!(drawn.below(end), 0);
            assert_eq!(drawn, stepped, "below {end}");
        }
    }
}

//! What a visit draws operators from.
//!
//! Owns two wheels, frozen during a visit: one of operators and one of how long chains are. Each
//! thing stands on a wheel as often as it weighs, so that one number picks.

use super::bandit::{EXPONENTS, Shares};
use super::limits::{CHAIN_WHEEL_PLACES, WHEEL_PLACES};
use super::operator::{CLASSES, Facts, Operator};
use crate::rng::{Bits, NEIGHBOURS};

/// Start weights of chains of 2^0, 2^1, .. inputs: of all inputs, 88, 28, 12, 8 and 5 parts belong
/// to chains of these lengths.
const CHAIN_WEIGHTS: [u32; EXPONENTS] = {
    let all = [88, 28, 12, 8, 5, 2, 1];
    let mut weights = [0; EXPONENTS];
    let mut at = 0;
    while at < EXPONENTS {
        weights[at] = all[at] * drawn_inputs(EXPONENTS - 1) / drawn_inputs(at);
        at += 1;
    }
    weights
};

/// Inputs that come of drawing an exponent once: those of a chain, or of a few short ones, as
/// neighbours share their draw.
const fn drawn_inputs(exponent: usize) -> u32 {
    let chain = 1 << exponent;
    if chain < NEIGHBOURS { NEIGHBOURS } else { chain }
}

/// Both wheels.
#[derive(Debug)]
pub(super) struct Wheels {
    operators: [Operator; WHEEL_PLACES],
    exponents: [u8; CHAIN_WHEEL_PLACES],
}

impl Default for Wheels {
    fn default() -> Self {
        Self {
            operators: [Operator::InsertRandom; WHEEL_PLACES],
            exponents: [0; CHAIN_WHEEL_PLACES],
        }
    }
}

impl Wheels {
    /// Puts on the wheels what applies, each times what its class, or exponent, has earned (in
    /// 1/256). Returns how much of the inputs they make.
    pub(super) fn set(
        &mut self,
        facts: &Facts,
        classes: &[u32; CLASSES],
        exponents: &[u32; EXPONENTS],
    ) -> Shares {
        let mut shares = Shares::default();
        let mut weights = [0; Operator::ALL.len()];
        for (weight, operator) in weights.iter_mut().zip(Operator::ALL) {
            *weight = operator.weight(facts) * classes[operator.class() as usize];
        }
        fill(&mut self.operators, &weights, |position, share| {
            let operator = Operator::ALL[position];
            shares.classes[operator.class() as usize] += share;
            operator
        });
        let mut chains = CHAIN_WEIGHTS;
        for (weight, earned) in chains.iter_mut().zip(exponents) {
            *weight *= *earned;
        }
        fill(&mut self.exponents, &chains, |position, share| {
            #[expect(clippy::cast_precision_loss, reason = "a chain has few inputs")]
            let inputs = drawn_inputs(position) as f32;
            shares.exponents[position] += share * inputs;
            u8::try_from(position).unwrap_or(0)
        });
        let all: f32 = shares.exponents.iter().sum();
        shares.exponents.iter_mut().for_each(|share| *share /= all.max(1.0));
        shares
    }

    /// Leaves one exponent.
    #[cfg(test)]
    pub(super) fn set_exponent(&mut self, exponent: u8) {
        self.exponents.fill(exponent);
    }

    /// Leaves one operator.
    #[cfg(test)]
    pub(super) fn set_operator(&mut self, operator: Operator) {
        self.operators.fill(operator);
    }

    /// An operator.
    #[inline]
    pub(super) fn operator(&self, place: usize) -> Operator {
        self.operators[place % WHEEL_PLACES]
    }

    /// How many inputs a chain has, as a power of two.
    #[inline]
    pub(super) fn exponent(&self, choice: &mut Bits) -> u32 {
        u32::from(self.exponents[choice.take(CHAIN_WHEEL_PLACES.ilog2()) % CHAIN_WHEEL_PLACES])
    }
}

/// Gives each thing with a weight its part of the places, at least one where there is room, and
/// tells it its share of them.
fn fill<T: Copy>(places: &mut [T], weights: &[u32], mut thing: impl FnMut(usize, f32) -> T) {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let count = places.len();
    // In 2^-32 places, so that a division is needed once only.
    let Some(scale) = ((count as u64) << 32).checked_div(total) else { return };
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred places")]
    let share = |places: usize| places as f32 / count as f32;
    let last = weights.iter().rposition(|weight| *weight > 0);
    let (mut at, mut sum) = (0, 0);
    for (position, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
        sum += u64::from(*weight) * scale;
        let end = usize::try_from((sum + (1 << 31)) >> 32).unwrap_or(0).max(at + 1).min(count);
        // Rounding may leave a place at the end, or none.
        let end = if Some(position) == last { count } else { end };
        if at < end {
            let thing = thing(position, share(end - at));
            places[at..end].fill(thing);
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mutation_seed;

    #[test]
    fn chains_of_each_length_have_their_part_of_the_inputs_and_are_told_it() {
        let mut wheels = Wheels::default();
        let shares = wheels.set(&Facts::default(), &[256; CLASSES], &[256; EXPONENTS]);
        let (mut counts, mut exponent, mut left) = ([0u32; EXPONENTS], 0, 0u32);
        let execs = 640_000;
        for iteration in 0..execs {
            if left == 0 {
                exponent = wheels.exponent(&mut Bits::new(mutation_seed(1, iteration))) as usize;
                left = 1 << exponent;
            }
            counts[exponent] += 1;
            left -= 1;
        }
        for (exponent, part) in [88, 28, 12, 8, 5].into_iter().enumerate() {
            let counted = f64::from(counts[exponent]) / execs as f64;
            let told = f64::from(shares.exponents[exponent]);
            // The wheel has few places.
            assert!((counted * 144.0 - f64::from(part)).abs() < 3.0, "{exponent}: {counted}");
            assert!((counted - told).abs() < 0.02, "{exponent}: {counted}, told {told}");
        }
    }
}

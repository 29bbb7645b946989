//! Which operators pay, learnt while fuzzing.
//!
//! Owns what each arm has shown. Arms are the operator classes, apart for each size class of the
//! base, and the sizes of the stack. Before each visit every arm draws a rate of finds from what is
//! believed about it (Thompson sampling; a Gamma distribution, as finds are rare), and weighs as
//! much as its rate compared with all. Old evidence fades.

use super::limits::HALF_LIFE_EXECS;
use super::operator::{CLASSES, Class};
use crate::limits::STACK_MAX;
use crate::rng::Rng;

/// Sizes of the stack: up to 2^0, 2^1, .. operators.
pub(super) const EXPONENTS: usize = STACK_MAX.ilog2() as usize + 1;

/// Size classes of the base.
const SIZES: usize = 4;

/// Finds that an arm is believed to have had, at the mean rate, before it had any.
const PRIOR_FINDS: f32 = 4.0;

/// What an arm earns at least and at most, in 1/256 of the mean.
const EARNED_MIN: f32 = 256.0 / 4.0;
/// See [`EARNED_MIN`].
const EARNED_MAX: f32 = 256.0 * 4.0;

/// What an input has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reward {
    /// An edge that was new.
    NewEdge,
    /// A new class of a known edge.
    NewClass,
}

impl Reward {
    fn worth(self) -> f32 {
        match self {
            Self::NewEdge => 1.0,
            Self::NewClass => 0.1,
        }
    }
}

/// How much of the inputs of this visit each arm makes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) classes: [f32; CLASSES],
    pub(super) exponents: [f32; EXPONENTS],
}

/// Finds and trials of one arm, fading.
#[derive(Debug, Clone, Copy, Default)]
struct Arm {
    finds: f32,
    trials: f32,
}

/// All arms.
#[derive(Debug, Default)]
pub(super) struct Bandit {
    classes: [[Arm; CLASSES]; SIZES],
    exponents: [Arm; EXPONENTS],
    size: usize,
    shares: Shares,
}

impl Bandit {
    /// What every class and every exponent is worth in a visit to a base of `len` bytes, in 1/256.
    pub(super) fn draw(&mut self, len: usize, rng: &mut Rng) -> ([u32; CLASSES], [u32; EXPONENTS]) {
        self.size = match len {
            0..=32 => 0,
            33..=256 => 1,
            257..=4096 => 2,
            _ => 3,
        };
        (earned(&self.classes[self.size], rng), earned(&self.exponents, rng))
    }

    /// How the wheels of the visit look.
    pub(super) fn set_shares(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// An input showed something new: one that an operator of this class made, in a chain of
    /// 2^`exponent` inputs.
    pub(super) fn reward(&mut self, class: Option<Class>, exponent: usize, reward: Reward) {
        if let Some(class) = class {
            self.classes[self.size][class as usize].finds += reward.worth();
        }
        self.exponents[exponent].finds += reward.worth();
    }

    /// The visit made `execs` inputs.
    pub(super) fn end_visit(&mut self, execs: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a visit has a few hundred executions")]
        let execs = execs as f32;
        // 2^-x for small x: 1 - x ln 2.
        let kept = (1.0 - execs * std::f32::consts::LN_2 / HALF_LIFE_EXECS as f32).max(0.5);
        let fade = |arm: &mut Arm, share: f32| {
            arm.finds *= kept;
            arm.trials = arm.trials * kept + execs * share;
        };
        for (arm, share) in self.classes[self.size].iter_mut().zip(self.shares.classes) {
            fade(arm, share);
        }
        for (arm, share) in self.exponents.iter_mut().zip(self.shares.exponents) {
            fade(arm, share);
        }
    }
}

/// A draw for each arm: its rate in 1/256 of the mean rate of all.
fn earned<const N: usize>(arms: &[Arm; N], rng: &mut Rng) -> [u32; N] {
    let finds: f32 = arms.iter().map(|arm| arm.finds).sum();
    let trials: f32 = arms.iter().map(|arm| arm.trials).sum();
    // Before there is any evidence, a find in a thousand is as good a guess as any: all arms are
    // compared with the same mean.
    let mean = (finds + 1.0) / (trials + 1000.0);
    arms.map(|arm| {
        let rate = gamma(PRIOR_FINDS + arm.finds, rng) / (PRIOR_FINDS + arm.trials * mean);
        #[expect(clippy::cast_possible_truncation, reason = "it is between the two limits")]
        #[expect(clippy::cast_sign_loss, reason = "it is between the two limits")]
        let earned = (rate * 256.0).clamp(EARNED_MIN, EARNED_MAX) as u32;
        earned
    })
}

/// About a draw of a Gamma distribution of this shape (at least 1) and scale 1, by Wilson and
/// Hilferty: its cube root is nearly normal. Only operations that are exact on all machines.
fn gamma(shape: f32, rng: &mut Rng) -> f32 {
    let ninth = 1.0 / (9.0 * shape);
    let root = 1.0 - ninth + normal(rng) * ninth.sqrt();
    shape * root.max(0.05).powi(3)
}

/// About a draw of the normal distribution: how many of 64 bits are set, and a bit between.
fn normal(rng: &mut Rng) -> f32 {
    let bits = rng.bits();
    let ones = f32::from(u8::try_from(bits.count_ones()).unwrap_or(32));
    let between = f32::from(rng.byte()) / 256.0 - 0.5;
    (ones - 32.0 + between) / 4.01
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_that_finds_is_drawn_more_and_forgotten_when_it_no_longer_does() {
        let mut bandit = Bandit::default();
        let mut rng = Rng::new(3);
        let mut shares = Shares { classes: [0.1; CLASSES], ..Shares::default() };
        shares.exponents[0] = 1.0;
        let mut mean = |bandit: &mut Bandit| {
            let draws = (0..200).map(|_| f64::from(bandit.draw(64, &mut rng).0[4]));
            draws.sum::<f64>() / 200.0 / 256.0
        };
        let before = mean(&mut bandit);
        assert!((0.7..1.3).contains(&before), "{before}");
        for visit in 0..400 {
            bandit.set_shares(shares);
            if visit % 4 == 0 {
                bandit.reward(Some(Class::Insert), 0, Reward::NewEdge);
            }
            bandit.end_visit(256);
        }
        let learnt = mean(&mut bandit);
        assert!(learnt > 2.0 * before, "{learnt}");
        for _ in 0..40_000 {
            bandit.end_visit(256);
        }
        let later = mean(&mut bandit);
        assert!(later < 1.3, "{later}");
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut bandit = Bandit::default();
        let mut rng = Rng::new(4);
        for visit in 0..1000u64 {
            let (classes, exponents) = bandit.draw(64, &mut rng);
            assert!(classes.iter().chain(&exponents).all(|earned| (64..=1024).contains(earned)));
            bandit.set_shares(Shares { classes: [0.1; CLASSES], exponents: [0.2; EXPONENTS] });
            if visit < 100 {
                bandit.reward(Some(Class::Bytes), 1, Reward::NewClass);
            }
            bandit.end_visit(visit);
        }
    }
}

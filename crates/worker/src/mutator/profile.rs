//! In which way the calls of a worker mutate.
//!
//! Owns what a profile changes: how often operators of each class and chains of each length are
//! drawn, and how often comparisons are looked at. What the bandit learns is learnt from all
//! profiles: it is about what an operator brings, not about how often it is drawn.

use fuzzd_protocol::profile;

use super::bandit::EXPONENTS;
use super::operator::{CLASSES, Class};
use crate::limits::{GATED_EVERY, GATED_EVERY_COMPARE};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Profile {
    /// As everything was tuned.
    #[default]
    Usual,
    /// With an eye on what is compared.
    Compare,
    /// With an eye on tokens, brackets and fields.
    Structure,
    /// Long chains of changes, anywhere.
    Wild,
}

impl Profile {
    /// The profile of a call. A name nobody knows is no profile.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some(profile::COMPARE) => Self::Compare,
            Some(profile::STRUCTURE) => Self::Structure,
            Some(profile::WILD) => Self::Wild,
            Some(_) | None => Self::Usual,
        }
    }

    /// One less than the executions among which one runs with the compare callbacks open.
    pub(crate) fn gated_mask(self) -> u64 {
        const { assert!(GATED_EVERY.is_power_of_two() && GATED_EVERY_COMPARE.is_power_of_two()) };
        match self {
            Self::Compare => GATED_EVERY_COMPARE - 1,
            Self::Usual | Self::Structure | Self::Wild => GATED_EVERY - 1,
        }
    }

    /// Whether places where the input has an effect are changed more often.
    pub(super) fn has_places(self) -> bool {
        match self {
            Self::Usual | Self::Compare | Self::Structure => true,
            Self::Wild => false,
        }
    }

    /// Changes what each class and each length of chains is worth.
    pub(super) fn lean(self, classes: &mut [u32; CLASSES], exponents: &mut [u32; EXPONENTS]) {
        let more: &[(Class, u32)] = match self {
            Self::Usual => return,
            Self::Compare => &[(Class::Compare, 4), (Class::Dictionary, 2), (Class::Numbers, 2)],
            Self::Structure => &[(Class::Structure, 4), (Class::Crossover, 2), (Class::Copy, 2)],
            Self::Wild => {
                for (exponent, worth) in exponents.iter_mut().enumerate() {
                    *worth *= 1 << exponent;
                }
                &[(Class::Crossover, 3), (Class::Copy, 2), (Class::Delete, 2)]
            }
        };
        for (class, times) in more {
            classes[*class as usize] *= times;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_change_anything() {
        let even = ([256; CLASSES], [256; EXPONENTS]);
        let leant = |name: Option<&str>| {
            let (mut classes, mut exponents) = even;
            Profile::named(name).lean(&mut classes, &mut exponents);
            (classes, exponents)
        };
        assert_eq!(leant(None), even);
        assert_eq!(leant(Some("new")), even);
        assert_eq!(leant(Some("compare")).0[Class::Compare as usize], 1024);
        assert_eq!(leant(Some("structure")).0[Class::Structure as usize], 1024);
        assert_eq!(leant(Some("wild")).1[EXPONENTS - 1], 256 << (EXPONENTS - 1));
    }
}

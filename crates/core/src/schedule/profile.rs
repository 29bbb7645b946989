//! Worker profiles: in which way each call of one test mutates.
//!
//! Owns the shares of the profiles: some to begin with, later by what each brings for its time
//! (Thompson sampling), with a floor. Calls go to the profile that had least for its share, so that
//! one worker goes through all of them, and several spread. Must not know what a profile means to a
//! worker.

use std::time::Duration;

use rand_core::Rng;

use crate::chance::gamma;

/// In which way a call mutates. Workers that know no profiles mutate in their own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// As the worker sees fit.
    #[default]
    Default,
    /// With an eye on what is compared.
    Compare,
    /// With an eye on tokens, brackets and fields.
    Structure,
    /// Many changes at once, anywhere.
    Wild,
}

/// All profiles, and their shares at first, in 1/1000.
const ALL: [(Profile, u64); 4] = [
    (Profile::Default, 600),
    (Profile::Compare, 150),
    (Profile::Structure, 150),
    (Profile::Wild, 100),
];

/// The least share, in 1/1000.
const SHARE_MIN: u64 = 50;
const WHOLE: u64 = 1_000;

/// Fuzzing time of a test, of all its workers together, between two looks at the shares.
const MOVE_TIME: Duration = Duration::from_secs(5);

/// Finds that a profile is believed to have had, at the mean rate, before it had any.
const PRIOR_FINDS: f64 = 8.0;

#[derive(Debug, Clone, Copy, Default)]
struct Arm {
    share: u64,
    /// What it had, for its share.
    pass: u64,
    /// Finds, and the seconds they took; older ones count less and less.
    finds: f64,
    seconds: f64,
}

/// The account of one test.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    arms: [Arm; ALL.len()],
    since_move: Duration,
}

impl Default for Profiles {
    fn default() -> Self {
        let arms = ALL.map(|(_, share)| Arm { share, ..Arm::default() });
        Self { arms, since_move: Duration::ZERO }
    }
}

impl Profiles {
    /// The profile of the next call, which is expected to take so long, in any unit.
    pub(crate) fn next(&mut self, cost: u64) -> Profile {
        let each = self.arms.iter_mut().zip(ALL);
        let Some((arm, (profile, _))) = each.min_by_key(|(arm, _)| arm.pass) else {
            return Profile::Default;
        };
        let pass = cost.saturating_mul(WHOLE) / arm.share.max(1);
        arm.pass = arm.pass.saturating_add(pass);
        profile
    }

    /// Books a call: the time it took, and the finds it brought.
    pub(crate) fn book(
        &mut self,
        profile: Profile,
        spent: Duration,
        finds: f32,
        rng: &mut impl Rng,
    ) {
        if let Some(at) = ALL.iter().position(|(own, _)| *own == profile) {
            self.arms[at].finds += f64::from(finds);
            self.arms[at].seconds += spent.as_secs_f64();
        }
        self.since_move = self.since_move.saturating_add(spent);
        if self.since_move >= MOVE_TIME {
            self.since_move = Duration::ZERO;
            self.move_shares(rng);
        }
    }

    /// Shares follow rates that are drawn from what is believed of each profile.
    fn move_shares(&mut self, rng: &mut impl Rng) {
        let finds: f64 = self.arms.iter().map(|arm| arm.finds).sum();
        let seconds: f64 = self.arms.iter().map(|arm| arm.seconds).sum();
        if finds > 0.0 && seconds > 0.0 {
            let mean = finds / seconds;
            let earned = self.arms.map(|arm| {
                gamma(rng, PRIOR_FINDS + arm.finds) / (PRIOR_FINDS + arm.seconds * mean)
            });
            let weights: [f64; ALL.len()] = std::array::from_fn(|at| earned[at] * ALL[at].1 as f64);
            let sum: f64 = weights.iter().sum();
            let free = WHOLE - SHARE_MIN * ALL.len() as u64;
            for (arm, weight) in self.arms.iter_mut().zip(weights) {
                arm.share = SHARE_MIN + part(weight / sum, free);
            }
        }
        for arm in &mut self.arms {
            (arm.finds, arm.seconds) = (arm.finds / 2.0, arm.seconds / 2.0);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the whole")]
fn part(share: f64, whole: u64) -> u64 {
    (share * whole as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn calls(profiles: &mut Profiles, calls: usize) -> [usize; 4] {
        let mut all = [0; 4];
        for _ in 0..calls {
            let profile = profiles.next(100);
            all[ALL.iter().position(|(own, _)| *own == profile).expect("one of all")] += 1;
        }
        all
    }

    #[test]
    fn calls_go_round_by_shares() {
        let mut profiles = Profiles::default();
        assert_eq!(profiles.next(100), Profile::Default);
        assert_eq!(calls(&mut profiles, 199), [119, 30, 30, 20]);
        let first = calls(&mut Profiles::default(), 10);
        assert!(first.iter().all(|calls| *calls > 0), "all have their turn early: {first:?}");
    }

    #[test]
    fn what_brings_more_gets_more_and_the_rest_keeps_the_floor() {
        let (mut profiles, rng) = (Profiles::default(), &mut Xoshiro256PlusPlus::seed_from_u64(1));
        for _ in 0..2_000 {
            let profile = profiles.next(100);
            let finds = if profile == Profile::Structure { 3.0 } else { 0.0 };
            profiles.book(profile, Duration::from_millis(250), finds, rng);
        }
        let shares = profiles.arms.map(|arm| arm.share);
        assert!(shares[2] > 350 && shares[0] < 400, "150 and 600 at first: {shares:?}");
        assert!(shares.iter().all(|share| *share >= SHARE_MIN), "{shares:?}");
        assert!(shares.iter().sum::<u64>() <= WHOLE, "{shares:?}");
    }

    #[test]
    fn shares_stay_while_nothing_is_found() {
        let (mut profiles, rng) = (Profiles::default(), &mut Xoshiro256PlusPlus::seed_from_u64(1));
        for _ in 0..1_000 {
            profiles.book(Profile::Wild, Duration::from_secs(1), 0.0, rng);
        }
        assert_eq!(profiles.arms.map(|arm| arm.share), [600, 150, 150, 100]);
    }
}

//! How the time of a Go worker is divided between Go's mutator and mutations of our own.
//!
//! Owns the shares: by what each brought for its time, the older the less. All always have some.
//!
//! | arm | one call is |
//! |---|---|
//! | `Go` | Go's mutator on an entry, for as long as its share lasts |
//! | `Both` | Go's mutator on a mutation of ours: coverage comes only with finds |
//! | `Own` | a mutation of ours as it is, one execution and its whole coverage: the dearest |

use std::time::Duration;

/// Time after which what all brought counts half.
const MEMORY: Duration = Duration::from_secs(5);

/// Finds that all together are credited with in advance, and the time these took: without news the
/// shares stay what they were at the start.
const CREDIT: f64 = 1.0;
const CREDIT_SECONDS: f64 = 0.1;

/// Who made an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arm {
    Go,
    Both,
    Own,
}

/// Parts of a whole for `Own` and `Both`; the rest is Go's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shares {
    pub(super) own: f64,
    pub(super) both: f64,
}

/// Before anything is known, and where executions replace the clock: there most of them are to be
/// those that a run by the clock has.
pub(super) const SHARES_START: Shares = Shares { own: 0.05, both: 0.45 };

/// The ends of the shares. What `Own` does often pays for itself in finds, but at a tenth of the
/// executions.
const OWN_MIN: f64 = 0.03;
const OWN_MAX: f64 = 0.2;
const BOTH_MIN: f64 = 0.2;
const BOTH_MAX: f64 = 0.7;
const _: () = assert!(OWN_MAX + BOTH_MAX < 1.0, "Go's mutator has the rest");

/// Executions after which Go goes back to its base.
const CHAIN: f64 = 5.0;

/// Time of one call of `Both`: many times what the call itself costs.
const BOTH_SECONDS: f64 = 1e-3;

/// The ends of the chains of one call: a few tries on each mutation of ours, and not too many.
const BOTH_ROUNDS_MIN: f64 = 2.0;
const BOTH_ROUNDS_MAX: f64 = 20.0;

/// Executions of one call where executions replace the clock, and before anything is known.
pub(super) const BOTH_EXECS_START: u64 = 15;

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    finds: f64,
    execs: f64,
    seconds: f64,
}

impl Account {
    /// What it is worth: finds for its time, in relation to its share at the start.
    fn worth(self, start: f64) -> f64 {
        start * (self.finds + CREDIT * start) / (self.seconds + CREDIT_SECONDS * start)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Arms {
    go: Account,
    both: Account,
    own: Account,
}

impl Arms {
    fn account(&mut self, arm: Arm) -> &mut Account {
        match arm {
            Arm::Go => &mut self.go,
            Arm::Both => &mut self.both,
            Arm::Own => &mut self.own,
        }
    }

    fn seconds(&self) -> f64 {
        self.go.seconds + self.both.seconds + self.own.seconds
    }

    /// So many executions and so much time went into it.
    pub(super) fn spend(&mut self, arm: Arm, execs: u64, time: Duration) {
        let account = self.account(arm);
        account.execs += u32::try_from(execs).map_or(f64::from(u32::MAX), f64::from);
        account.seconds += time.as_secs_f64();
        if self.seconds() > MEMORY.as_secs_f64() {
            for account in [&mut self.go, &mut self.both, &mut self.own] {
                account.finds /= 2.0;
                account.execs /= 2.0;
                account.seconds /= 2.0;
            }
        }
    }

    /// It brought a find.
    pub(super) fn found(&mut self, arm: Arm) {
        self.account(arm).finds += 1.0;
    }

    /// Executions of one call of [`Arm::Both`]: about a millisecond, as far as Go's calls tell.
    pub(super) fn both_execs(&self) -> u64 {
        if self.go.seconds == 0.0 {
            return BOTH_EXECS_START;
        }
        let rounds = BOTH_SECONDS * self.go.execs / self.go.seconds / CHAIN;
        let execs = CHAIN * rounds.floor().clamp(BOTH_ROUNDS_MIN, BOTH_ROUNDS_MAX);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between its ends it is a small number"
        )]
        let execs = execs as u64;
        execs
    }

    /// The parts of the time that our own mutations get.
    pub(super) fn shares(&self) -> Shares {
        let Shares { own, both } = SHARES_START;
        let (go, own, both) =
            (self.go.worth(1.0 - own - both), self.own.worth(own), self.both.worth(both));
        let all = go + both + own;
        Shares {
            own: (own / all).clamp(OWN_MIN, OWN_MAX),
            both: (both / all).clamp(BOTH_MIN, BOTH_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares after many calls of a tenth of a second in which only one brought something.
    fn shares_if_only(finder: Option<Arm>) -> Shares {
        let mut arms = Arms::default();
        for _ in 0..1_000 {
            let Shares { own, both } = arms.shares();
            for (arm, share) in [(Arm::Go, 1.0 - own - both), (Arm::Both, both), (Arm::Own, own)] {
                arms.spend(arm, 1_000, Duration::from_millis(100).mul_f64(share));
            }
            finder.into_iter().for_each(|finder| arms.found(finder));
        }
        arms.shares()
    }

    #[test]
    fn without_finds_the_shares_stay_what_they_are() {
        for shares in [Arms::default().shares(), shares_if_only(None)] {
            assert!((shares.own - SHARES_START.own).abs() < 0.01, "{shares:?}");
            assert!((shares.both - SHARES_START.both).abs() < 0.01, "{shares:?}");
        }
    }

    #[test]
    fn a_call_of_both_lasts_a_millisecond_within_its_ends() {
        let after = |execs, milliseconds| {
            let mut arms = Arms::default();
            arms.spend(Arm::Go, execs, Duration::from_millis(milliseconds));
            arms.both_execs()
        };
        assert_eq!(Arms::default().both_execs(), BOTH_EXECS_START);
        assert_eq!(after(40_000, 1_000), 40);
        assert_eq!(after(1_000_000, 1_000), 100);
        assert_eq!((after(100, 1_000), after(0, 1_000)), (10, 10));
    }

    #[test]
    fn who_finds_more_gets_more_and_nobody_everything() {
        let go = shares_if_only(Some(Arm::Go));
        assert_eq!(go.both, BOTH_MIN);
        assert!(go.own < SHARES_START.own, "{go:?}");
        let both = shares_if_only(Some(Arm::Both));
        assert_eq!(both.both, BOTH_MAX);
        assert!(both.own < SHARES_START.own, "{both:?}");
        assert_eq!(shares_if_only(Some(Arm::Own)).own, OWN_MAX);
    }
}

//! How the time of a Go worker is divided between Go's mutator and mutations of our own.
//!
//! Owns the shares, by what each brought for its time, the older the less, and whose turn it is:
//! that of the arm furthest behind its share, so that shares hold however long single calls take.
//! All always have some.
//!
//! | arm | one call is |
//! |---|---|
//! | `Go` | Go's mutator on an entry, for what is left of the entry's time |
//! | `Both` | Go's mutator on a mutation of ours: coverage comes only with finds |
//! | `Own` | a mutation of ours as it is, one execution and its whole coverage: the dearest |

use std::time::Duration;

use fuzzd_core::limits::FUZZ_CALL_EXECS;

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

/// Time of one call of `Both`: many times what a call itself costs. With half of it the edges were
/// the same, and on most tests executions somewhat fewer.
const BOTH_SECONDS: f64 = 2e-3;

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

/// What an arm may be ahead of its share or behind it at most, in seconds or executions: one very
/// long execution is not held against it for ever. In executions twice as much as one call of the
/// core has, so that none of its calls is forgotten.
const DEBT_SECONDS_MAX: f64 = 1.0;
const DEBT_EXECS_MAX: f64 = 2.0 * FUZZ_CALL_EXECS as f64;

/// What each is behind its share.
#[derive(Debug, Clone, Copy, Default)]
struct Debts {
    go: f64,
    both: f64,
    own: f64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Arms {
    go: Account,
    both: Account,
    own: Account,
    debts: Debts,
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

    /// Whose turn it is: that of the one furthest behind its share.
    pub(super) fn next(&self) -> Arm {
        let Debts { go, both, own } = self.debts;
        if go >= both && go >= own {
            Arm::Go
        } else if both >= own {
            Arm::Both
        } else {
            Arm::Own
        }
    }

    /// So many executions and so much time went into it. `is_paced`: executions are what is shared.
    pub(super) fn spend(&mut self, arm: Arm, execs: u64, time: Duration, is_paced: bool) {
        let execs = u32::try_from(execs).map_or(f64::from(u32::MAX), f64::from);
        let (Shares { own, both }, amount, most) = if is_paced {
            (SHARES_START, execs, DEBT_EXECS_MAX)
        } else {
            (self.shares(), time.as_secs_f64(), DEBT_SECONDS_MAX)
        };
        for (debt, share, one) in [
            (&mut self.debts.go, 1.0 - own - both, Arm::Go),
            (&mut self.debts.both, both, Arm::Both),
            (&mut self.debts.own, own, Arm::Own),
        ] {
            let spent = if one == arm { amount } else { 0.0 };
            *debt = (*debt + amount * share - spent).clamp(-most, most);
        }
        let account = self.account(arm);
        account.execs += execs;
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

    /// Executions of one call of [`Arm::Both`]: about two milliseconds, as far as Go's calls tell.
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
                arms.spend(arm, 1_000, Duration::from_millis(100).mul_f64(share), false);
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

    /// The parts of the time that arms get whose calls take so many milliseconds.
    fn parts(go: u64, both: u64, own: u64) -> [f64; 3] {
        let (mut arms, mut spent) = (Arms::default(), [0; 3]);
        while spent.iter().sum::<u64>() < 100_000 {
            let (number, millis) = match arms.next() {
                Arm::Go => (0, go),
                Arm::Both => (1, both),
                Arm::Own => (2, own),
            };
            arms.spend(arms.next(), 10, Duration::from_millis(millis), false);
            spent[number] += millis;
        }
        spent.map(|millis| Duration::from_millis(millis).as_secs_f64() / 100.0)
    }

    #[test]
    fn each_gets_its_share_of_the_time_however_long_its_calls_are() {
        for lengths in [(1, 1, 1), (20, 1, 1), (4, 2, 1), (1, 3, 200)] {
            let [go, both, own] = parts(lengths.0, lengths.1, lengths.2);
            let Shares { own: own_share, both: both_share } = SHARES_START;
            assert!((own - own_share).abs() < 0.01, "{lengths:?}: {own}");
            assert!((both - both_share).abs() < 0.01, "{lengths:?}: {both}");
            assert!((go + both + own - 1.0).abs() < 0.01, "{lengths:?}");
        }
    }

    #[test]
    fn where_executions_are_shared_time_does_not_count() {
        let (mut arms, mut execs) = (Arms::default(), [0; 3]);
        for _ in 0..200_000 {
            let (number, count) = match arms.next() {
                // All of a call of the core that has one entry.
                Arm::Go => (0, FUZZ_CALL_EXECS),
                Arm::Both => (1, 15),
                Arm::Own => (2, 1),
            };
            arms.spend(arms.next(), count, Duration::from_secs(number as u64), true);
            execs[number] += count;
        }
        let [go, both, own] = execs.map(|execs| f64::from(u32::try_from(execs).expect("few")));
        let all = go + both + own;
        assert!((own / all - SHARES_START.own).abs() < 0.02, "{execs:?}");
        assert!((both / all - SHARES_START.both).abs() < 0.02, "{execs:?}");
    }

    #[test]
    fn one_very_long_execution_is_paid_for_and_then_forgotten() {
        let mut arms = Arms::default();
        arms.spend(Arm::Own, 1, Duration::from_secs(1_000), false);
        let mut turns = 0;
        while arms.next() != Arm::Own {
            arms.spend(arms.next(), 100, Duration::from_millis(10), false);
            turns += 1;
        }
        assert!((1_000..10_000).contains(&turns), "{turns} times 10 ms");
    }

    #[test]
    fn a_call_of_both_lasts_two_milliseconds_within_its_ends() {
        let after = |execs, milliseconds| {
            let mut arms = Arms::default();
            arms.spend(Arm::Go, execs, Duration::from_millis(milliseconds), false);
            arms.both_execs()
        };
        assert_eq!(Arms::default().both_execs(), BOTH_EXECS_START);
        assert_eq!(after(20_000, 1_000), 40);
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

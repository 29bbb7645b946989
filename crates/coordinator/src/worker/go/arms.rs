//! How the time of a Go worker is divided between Go's mutator and mutations of our own.
//!
//! Owns the shares: by what each brought for its time, the older the less. Both always have some.

use std::time::Duration;

/// The share of our own mutations, which cost a call each, before anything is known; and its ends.
const OWN_SHARE_START: f64 = 0.2;
const OWN_SHARE_MIN: f64 = 0.1;
const OWN_SHARE_MAX: f64 = 0.5;

/// Time after which what both brought counts half.
const MEMORY: Duration = Duration::from_secs(5);

/// Finds that both are credited with in advance.
const CREDIT: f64 = 1.0;

/// Who made an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arm {
    Go,
    Own,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    finds: f64,
    seconds: f64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Arms {
    go: Account,
    own: Account,
}

impl Arms {
    fn account(&mut self, arm: Arm) -> &mut Account {
        match arm {
            Arm::Go => &mut self.go,
            Arm::Own => &mut self.own,
        }
    }

    /// So much time went into it.
    pub(super) fn spend(&mut self, arm: Arm, time: Duration) {
        self.account(arm).seconds += time.as_secs_f64();
        if self.go.seconds + self.own.seconds > MEMORY.as_secs_f64() {
            for account in [&mut self.go, &mut self.own] {
                account.finds /= 2.0;
                account.seconds /= 2.0;
            }
        }
    }

    /// It brought a find.
    pub(super) fn found(&mut self, arm: Arm) {
        self.account(arm).finds += 1.0;
    }

    /// The part of the time that our own mutations get.
    pub(super) fn own_share(&self) -> f64 {
        let rate = |account: Account| {
            // A hundredth of a second says little.
            (account.finds + CREDIT) / (account.seconds + 0.1)
        };
        if self.go.seconds == 0.0 && self.own.seconds == 0.0 {
            return OWN_SHARE_START;
        }
        let (go, own) = (rate(self.go), rate(self.own));
        (own / (own + go)).clamp(OWN_SHARE_MIN, OWN_SHARE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are constants")]
    fn who_finds_more_gets_more_and_nobody_everything() {
        let mut arms = Arms::default();
        assert_eq!(arms.own_share(), OWN_SHARE_START);
        for _ in 0..100 {
            arms.spend(Arm::Go, Duration::from_millis(80));
            arms.spend(Arm::Own, Duration::from_millis(20));
            arms.found(Arm::Own);
        }
        assert_eq!(arms.own_share(), OWN_SHARE_MAX);
        for _ in 0..1_000 {
            arms.spend(Arm::Go, Duration::from_millis(50));
            arms.spend(Arm::Own, Duration::from_millis(50));
            arms.found(Arm::Go);
        }
        assert_eq!(arms.own_share(), OWN_SHARE_MIN);
    }
}

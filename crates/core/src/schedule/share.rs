//! One test's share of the workers: more for tests that bring new edges, some for all.
//!
//! Owns the stride account of one test: its cost divided by its weight; the least gets the next
//! worker. Cost is in the unit of the session's pace.

use crate::coverage::Gain;

/// The weight of a test that brings nothing, and of the best one.
pub(crate) const WEIGHT_MIN: u64 = 64;
/// See [`WEIGHT_MIN`].
pub(crate) const WEIGHT_MAX: u64 = 256;

/// Stays for which a test counts as one of the best: what it brings is not known before.
const STAYS_TRIED: u32 = 2;
/// What a new edge counts, and a new class of a known one.
const EDGE: u64 = 256;
const CLASS: u64 = 26;

/// The account of one test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share {
    pass: u64,
    /// News and cost of the latest stays; older ones count less and less.
    news: u64,
    cost: u64,
    stays: u32,
}

impl Share {
    /// Books the cost of a call for a test of this weight.
    pub(crate) fn charge(&mut self, cost: u64, weight: u64) {
        let cost = cost.max(1);
        self.cost = self.cost.saturating_add(cost);
        self.pass = self.pass.saturating_add(ahead(cost, weight));
    }

    /// Books coverage that became new.
    pub(crate) fn count_gain(&mut self, gain: Gain) {
        let classes = gain.features.saturating_sub(gain.edges);
        let news = gain.edges.saturating_mul(EDGE).saturating_add(classes.saturating_mul(CLASS));
        self.news = self.news.saturating_add(news);
    }

    /// A worker's stay with this test ended.
    pub(crate) fn end_stay(&mut self) {
        self.news -= self.news.div_ceil(4);
        self.cost -= self.cost / 4;
        self.stays = self.stays.saturating_add(1);
    }

    /// Cost so far divided by weight.
    pub(crate) fn pass(&self) -> u64 {
        self.pass
    }

    /// News for its cost of late.
    pub(crate) fn rate(&self) -> f64 {
        self.news as f64 / self.cost.max(1) as f64
    }

    /// Its weight beside a test whose rate is the best there is.
    pub(crate) fn weight(&self, best: f64) -> u64 {
        if self.stays < STAYS_TRIED {
            return WEIGHT_MAX;
        }
        let part = if best > 0.0 { (self.rate() / best).min(1.0) } else { 0.0 };
        WEIGHT_MIN + steps(part)
    }
}

/// A part of the way from the least weight to the greatest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 192")]
fn steps(part: f64) -> u64 {
    (part * (WEIGHT_MAX - WEIGHT_MIN) as f64) as u64
}

/// What a cost makes of a pass, with this weight.
pub(crate) fn ahead(cost: u64, weight: u64) -> u64 {
    cost.saturating_mul(WEIGHT_MAX) / weight.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_with_news_weighs_more_and_a_dry_one_keeps_the_floor() {
        let (mut dry, mut rich) = (Share::default(), Share::default());
        assert_eq!(dry.weight(0.0), WEIGHT_MAX, "nothing is known of it");
        for _ in 0..4 {
            for share in [&mut dry, &mut rich] {
                share.charge(1_000, WEIGHT_MAX);
                share.end_stay();
            }
            rich.count_gain(Gain { edges: 2, features: 5 });
        }
        let best = rich.rate();
        assert_eq!(rich.weight(best), WEIGHT_MAX);
        assert_eq!(dry.weight(best), WEIGHT_MIN);
        for _ in 0..100 {
            rich.charge(1_000, WEIGHT_MAX);
            rich.end_stay();
        }
        assert_eq!(rich.weight(rich.rate()), WEIGHT_MIN, "what is long ago is forgotten");
    }
}

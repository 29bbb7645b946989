//! Finds told while a call goes on, and what workers are shown: all that was merged, every entry
//! once and in order, and nothing named that was not shown.

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{EntryId, Input, TestIndex};
use fuzzd_core::limits::{CLASS_ENTRIES_MIN, ENTRIES_PER_EDGE};
use fuzzd_core::schedule::{PLAN_PICKS, Profile};
use fuzzd_core::session::{Call, Found, FoundParent, Work};

use crate::bits::Bits;
use crate::oracle::{Oracle, TestAccount};
use crate::process::{InFlight, Process};

impl Oracle {
    /// The core is about to hear of a find. Returns whether it may believe it.
    pub(crate) fn found(
        &mut self,
        test: TestIndex,
        flight: &InFlight,
        found: &Found,
        has_plans: bool,
    ) -> bool {
        let Work::Fuzz { plan, .. } = &flight.call.work else { panic!("a find of another call") };
        let is_known = match found.parent {
            FoundParent::Plan(item) => item < plan.len(),
            // This one was counted already.
            FoundParent::Found(number) => number < flight.told - 1,
        };
        let test = self.test(test);
        if !has_plans || !is_known || !test.maybe.fits(&found.coverage) {
            return false;
        }
        test.found(&found.input, &found.coverage);
        true
    }

    /// Workers are shown coverage.
    pub(crate) fn publish_coverage(&mut self, test: TestIndex, features: &[Feature]) {
        let test = self.test(test);
        assert!(!features.is_empty(), "nothing is shown");
        assert!(!test.published.has_any(features), "coverage is shown twice");
        test.published.add(features);
        assert!(test.published.is_within(&test.maybe), "coverage nobody reported is shown");
    }

    /// Workers are shown an entry.
    pub(crate) fn publish_entry(&mut self, test: TestIndex, index: u32, input: Input) {
        let test = self.test(test);
        assert_eq!(index as usize, test.entries.len(), "one after the other");
        let times = test.entries.iter().filter(|own| **own == input).count();
        // The empty input is shown to start from where there is nothing, and may be found after.
        assert!(times == 0 || (times == 1 && input.is_empty()), "an entry is shown twice");
        test.unshown.remove(&EntryId::of(&input));
        test.entries.push(input);
    }

    /// The entries that workers of a test were shown.
    pub(crate) fn published(&self, test: TestIndex) -> &[Input] {
        &self.tests[test.0].entries
    }

    /// After each event all that was merged and every entry is shown.
    pub(crate) fn check_published(&self) {
        for test in &self.tests {
            assert!(test.sure.is_within(&test.published), "merged coverage is not shown");
            assert!(test.unshown.is_empty(), "an entry is not shown: {:?}", test.unshown);
        }
    }
}

impl TestAccount {
    /// A find that must be merged.
    pub(super) fn found(&mut self, input: &Input, coverage: &[Feature]) {
        let more = Bits::of(self.counters, coverage).without(&self.sure);
        let id = EntryId::of(input);
        let is_entry = self.loaded.contains(&id) || self.committed.contains(&id);
        let limit = (self.published.edges() * ENTRIES_PER_EDGE).max(CLASS_ENTRIES_MIN);
        let mut all = self.published.clone();
        all.union(&more);
        let has_edge = all.edges() > self.published.edges();
        if is_entry || (!has_edge && self.entries.len() as u64 >= limit) {
            self.unsteady.union(&more);
        }
        self.maybe.add(coverage);
        self.sure.add(coverage);
        self.answered.entry(input.clone()).or_default().push(coverage.to_vec());
    }

    /// A plan names what was shown, each entry once.
    pub(super) fn check_plan(&self, process: &Process, call: &Call) {
        let Work::Fuzz { plan, len_max, profile, .. } = &call.work else { return };
        let has_profile = *profile != Profile::Default;
        let takes_plans = process.can.has_plans;
        assert!(takes_plans || !has_profile, "a profile for a worker that takes no plans");
        let first = plan.first().expect("a plan has an item");
        assert_eq!(call.input, self.entries[first.entry as usize], "the input is the first item");
        assert!(process.can.has_plans || plan.len() == 1, "a plan for a worker that takes none");
        let weight: u32 = plan.iter().map(|item| item.weight).sum();
        assert!(weight as usize <= PLAN_PICKS, "a plan without end");
        for (number, item) in plan.iter().enumerate() {
            let entry = self.entries.get(item.entry as usize);
            let len = entry.expect("an entry that was not shown is named").len();
            assert!(item.weight > 0 && len_max.is_none_or(|max| len <= max), "{item:?}");
            let is_again = plan[..number].iter().any(|other| other.entry == item.entry);
            assert!(!is_again, "an entry twice in a plan");
        }
    }
}

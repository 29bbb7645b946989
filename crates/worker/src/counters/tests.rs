use proptest::prelude::*;

use super::*;

/// Counters that live as long as the test process.
fn cells(values: &[u8]) -> &'static [AtomicU8] {
    Box::leak(values.iter().map(|value| AtomicU8::new(*value)).collect())
}

#[test]
fn a_pass_clears_and_says_what_is_new() {
    let region = cells(&[0; 100]);
    let mut counters = Counters::over([region]);
    let mut seen = Seen::new(100);
    assert!(!counters.pass(&seen), "nothing was hit");
    region[3].store(1, Relaxed);
    region[99].store(40, Relaxed);
    assert_eq!(counters.snapshot(), [(3, 1), (99, 64)]);
    assert!(counters.pass(&seen));
    assert_eq!(counters.hot(), [(3, 1), (99, 64)]);
    assert_eq!(counters.snapshot(), []);
    seen.merge(&[(3, 1), (99, 64), (100, 1)]);
    region[3].store(1, Relaxed);
    assert!(!counters.pass(&seen), "this class of this counter was seen");
    region[3].store(2, Relaxed);
    assert!(counters.pass(&seen), "a new class of a known counter");
}

#[test]
fn regions_are_one_array_in_the_order_given() {
    let (first, second) = (cells(&[0; 13]), cells(&[0; 9]));
    let mut counters = Counters::over([first, second]);
    assert_eq!(counters.len(), 22);
    second[0].store(1, Relaxed);
    second[8].store(255, Relaxed);
    assert!(counters.have(&[(13, 1), (21, 128)]));
    assert!(!counters.have(&[(12, 1)]));
    assert!(!counters.have(&[(22, 1)]), "there is no such counter");
    assert!(counters.pass(&Seen::new(22)));
    assert_eq!(counters.hot(), [(13, 1), (21, 128)]);
}

#[test]
fn a_target_without_counters_has_nothing_new() {
    let mut counters = Counters::over([]);
    assert_eq!(counters.len(), 0);
    assert!(!counters.pass(&Seen::new(0)));
}

#[test]
fn more_new_features_than_the_bound_are_still_new() {
    let region = cells(&vec![1; HOT_FEATURES_MAX * 2]);
    let mut counters = Counters::over([region]);
    assert!(counters.pass(&Seen::new(region.len())));
    assert_eq!(counters.hot().len(), HOT_FEATURES_MAX);
    assert_eq!(counters.hot.capacity(), HOT_FEATURES_MAX, "no allocation in a pass");
    assert_eq!(counters.snapshot(), []);
}

#[test]
fn registering_merges_what_overlaps_and_is_bounded() {
    let mut registry = Registry { regions: [(0, 0); COUNTER_REGIONS_MAX], len: 0 };
    registry.add(100, 200);
    registry.add(100, 200);
    registry.add(150, 250);
    registry.add(300, 300);
    assert_eq!(registry.regions[..registry.len], [(100, 250)]);
    for number in 1..=2 * COUNTER_REGIONS_MAX {
        registry.add(number * 1000, number * 1000 + 1);
    }
    assert_eq!(registry.len, COUNTER_REGIONS_MAX);
}

#[test]
fn a_counter_that_does_not_repeat_three_times_is_masked() {
    let mut seen = Seen::new(4);
    for _ in 0..3 {
        assert!(seen.lacks_any_of(&[(2, 1)]));
        seen.strike_unrepeated(&[(1, 1), (2, 1)], &[(1, 1), (2, 2)]);
    }
    assert!(!seen.lacks_any_of(&[(2, 1)]));
    assert!(seen.lacks_any_of(&[(1, 1)]));
    assert!(seen.replace(&[0; 4]), "a whole mask does not bring it back");
    assert!(!seen.lacks_any_of(&[(2, 255)]));
    assert!(!seen.replace(&[0; 3]));
}

proptest! {
    #[test]
    fn a_pass_equals_a_bytewise_one_at_any_alignment(
        values in proptest::collection::vec(prop_oneof![4 => Just(0), 1 => any::<u8>()], 0..300),
        mask in proptest::collection::vec(any::<u8>(), 300),
        skip in 0usize..16,
        keep in 0usize..16,
    ) {
        let around: Vec<u8> = [vec![7; skip], values.clone(), vec![9; keep]].concat();
        let all = cells(&around);
        let mut counters = Counters::over([&all[skip..skip + values.len()]]);
        let mut seen = Seen::new(values.len());
        prop_assert!(seen.replace(&mask[..values.len()]));
        let features = |bits: &dyn Fn(usize) -> u8| -> Vec<Feature> {
            let class = |at: usize| (u32::try_from(at).unwrap(), bits(at));
            (0..values.len()).map(class).filter(|feature| feature.1 != 0).collect()
        };
        prop_assert_eq!(counters.snapshot(), features(&|at| class_of(values[at])));
        let fresh = features(&|at| class_of(values[at]) & !mask[at]);
        prop_assert!(counters.have(&counters.snapshot()));
        prop_assert_eq!(counters.pass(&seen), !fresh.is_empty());
        prop_assert_eq!(counters.hot(), &fresh[..]);
        let after: Vec<u8> = all.iter().map(|cell| cell.load(Relaxed)).collect();
        let expected = [vec![7; skip], vec![0; values.len()], vec![9; keep]].concat();
        prop_assert_eq!(after, expected, "only the region is cleared");
    }
}

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
    assert!(counters.pass_all(&Seen::new(region.len())));
    assert_eq!(counters.hot().len(), HOT_FEATURES_MAX);
    assert_eq!(counters.hot.capacity(), HOT_FEATURES_MAX, "no allocation in a pass");
    assert_eq!(counters.snapshot(), []);
}

#[test]
fn a_pass_looks_at_live_lines_only_and_cold_at_the_others() {
    let region = cells(&[0; 3000]);
    let mut counters = Counters::over([region]);
    let seen = Seen::new(region.len());
    region[700].store(1, Relaxed);
    assert!(counters.cold());
    assert!(!counters.pass(&seen), "its line is not live yet");
    assert!(counters.cold(), "the pass left it alone");
    assert!(counters.pass_all(&seen));
    assert!(!counters.cold());
    assert_eq!(counters.live_lines(), 1);

    region[700].store(3, Relaxed);
    region[2900].store(9, Relaxed);
    assert!(counters.pass(&seen));
    assert_eq!(counters.hot(), [(700, 4)]);
    assert!(counters.cold());
    assert!(counters.have(&[(2900, 16)]), "neither of them clears");
    counters.clear();
    assert!(!counters.cold());

    region[700].store(1, Relaxed);
    assert!(!counters.cold(), "a live line is not cold");
}

#[test]
fn few_counters_are_all_looked_at() {
    let region = cells(&[0; FULL_PASS_COUNTERS_MAX]);
    let mut counters = Counters::over([region]);
    region[FULL_PASS_COUNTERS_MAX - 1].store(1, Relaxed);
    assert!(counters.pass(&Seen::new(region.len())));
    assert!(!counters.cold());
}

#[test]
fn a_path_is_counters_and_classes_not_counts() {
    let (first, second) = (cells(&[0; 3000]), cells(&[0; 7]));
    let mut counters = Counters::over([first, second]);
    let empty = counters.path_hash();
    let mut hash = |hits: &[(usize, u8)]| {
        for &(index, count) in hits {
            first.get(index).unwrap_or_else(|| &second[index - 3000]).store(count, Relaxed);
        }
        let hash = counters.path_hash();
        assert_eq!(counters.snapshot().len(), hits.len(), "a hash changes nothing");
        counters.clear();
        hash
    };
    let path = hash(&[(5, 4), (2000, 1)]);
    assert_eq!(path, hash(&[(5, 7), (2000, 1)]));
    let others = [&[(5, 8), (2000, 1)][..], &[(5, 4)], &[(6, 4), (2000, 1)], &[(3006, 1)], &[]];
    for other in others {
        assert_ne!(path, hash(other));
    }
    assert_eq!(hash(&[]), empty);
}

#[test]
fn registering_merges_what_overlaps_and_is_bounded() {
    let mut registry = Registry::new();
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
        assert!(!seen.lacking(&[(2, 1)]).is_empty());
        seen.strike_unrepeated(&[(1, 1), (2, 1)], &[(1, 1), (2, 2)]);
    }
    assert!(seen.lacking(&[(2, 1)]).is_empty());
    assert!(!seen.lacking(&[(1, 1)]).is_empty());
    assert!(seen.replace(&[0; 4]), "a whole mask does not bring it back");
    assert!(seen.lacking(&[(2, 255)]).is_empty());
    assert!(!seen.replace(&[0; 3]));
}

/// The levels that this processor has.
fn levels() -> [Level; 2] {
    [Level::Portable, Level::detect()]
}

proptest! {
    #[test]
    fn a_pass_equals_a_bytewise_one_at_any_alignment(
        values in proptest::collection::vec(prop_oneof![4 => Just(0), 1 => any::<u8>()], 0..300),
        mask in proptest::collection::vec(any::<u8>(), 300),
        skip in 0usize..70,
        keep in 0usize..70,
    ) {
        let around: Vec<u8> = [vec![7; skip], values.clone(), vec![9; keep]].concat();
        let all = cells(&around);
        for level in levels() {
            all.iter().zip(&around).for_each(|(cell, value)| cell.store(*value, Relaxed));
            let mut counters = Counters::over_with(level, [&all[skip..skip + values.len()]]);
            let mut seen = Seen::new(values.len());
            prop_assert!(seen.replace(&mask[..values.len()]));
            let features = |bits: &dyn Fn(usize) -> u8| -> Vec<Feature> {
                let class = |at: usize| (u32::try_from(at).unwrap(), bits(at));
                (0..values.len()).map(class).filter(|feature| feature.1 != 0).collect()
            };
            prop_assert_eq!(counters.snapshot(), features(&|at| class_of(values[at])));
            let fresh = features(&|at| class_of(values[at]) & !mask[at]);
            prop_assert!(counters.have(&counters.snapshot()));
            prop_assert_eq!(counters.pass_all(&seen), !fresh.is_empty());
            prop_assert_eq!(counters.hot(), &fresh[..]);
            let after: Vec<u8> = all.iter().map(|cell| cell.load(Relaxed)).collect();
            let expected = [vec![7; skip], vec![0; values.len()], vec![9; keep]].concat();
            prop_assert_eq!(after, expected, "only the region is cleared");
        }
    }

    #[test]
    fn passes_over_live_lines_miss_nothing_that_cold_does_not_tell(
        executions in proptest::collection::vec(
            proptest::collection::vec((0usize..5000, 1u8..), 0..6), 1..40),
        skip in 0usize..70,
        short in 0usize..70,
    ) {
        for level in levels() {
            let (region, other) = (cells(&[0; 5100]), cells(&vec![0; short]));
            let region = &region[skip..skip + 5000 - short];
            let mut counters = Counters::over_with(level, [other, region]);
            let mut seen = Seen::new(5000);
            let cell = |index: usize| other.get(index).unwrap_or_else(|| &region[index - short]);
            for hits in &executions {
                hits.iter().for_each(|&(index, count)| cell(index).store(count, Relaxed));
                let before = counters.snapshot();
                let is_new = !seen.lacking(&before).is_empty();
                prop_assert!(counters.have(&before));
                let mut found = counters.pass(&seen);
                let is_cold = counters.cold();
                prop_assert_eq!(is_cold, !counters.snapshot().is_empty());
                if is_cold {
                    counters.clear();
                    before.iter().for_each(|&(index, _)| cell(index as usize).store(0, Relaxed));
                    hits.iter().for_each(|&(index, count)| cell(index).store(count, Relaxed));
                    found = counters.pass_all(&seen);
                }
                prop_assert_eq!(found, is_new);
                prop_assert!(counters.hot().iter().all(|hot| before.contains(hot)));
                prop_assert_eq!(counters.snapshot(), []);
                prop_assert!(!counters.cold());
                seen.merge(&before);
            }
        }
    }
}

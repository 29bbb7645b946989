//! Seeds that once failed, with what they found. A change of what a seed means (`plan`, `target`,
//! `faults`, the order of draws) needs new seeds here; `crates/core/tests/session` holds the same
//! bugs as scripts that do not depend on it.

/// The seed, and the bug of the core it showed.
const REGRESSIONS: &[(u64, &str)] = &[
    (5, "a corpus that was wholly measured before was never fuzzed"),
    (6, "a worker that was ending already was stopped again"),
    (12, "a lie about other executions overflowed their sum"),
    (13, "the empty input, run for want of seeds, was measured but never kept"),
    (17, "a bug seen by two inputs of warm-up was counted as new and as known"),
    (18, "a failing disk was told of again and again, its recovery never"),
    (33, "a lie about executions overflowed the share of a test"),
    (37, "one recovery of the disk was told of twice"),
    (73, "a lie about time overflowed the sum of times"),
    (117, "a known bug whose input had not run yet was new when a seed failed like it"),
    (149, "a bug that two inputs of warm-up show was told as known twice"),
    (191, "a bug was told to fail no longer with the input of its return"),
    (219, "two finds minimized to one input counted as two entries, or as none"),
    (580, "the empty input could not be found when every seed was rejected"),
    (933, "workers were handed over to a test that was not allowed to start yet"),
];

#[test]
fn seeds_that_once_failed_pass() {
    for (seed, bug) in REGRESSIONS {
        if let Err(violation) = crate::run_seed(*seed) {
            panic!("{bug}\n{violation}");
        }
    }
}

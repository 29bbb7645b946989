//! What is asked of the disk and what is on it: byte-exact, and in the right order.

use fuzzd_core::ids::{CommitToken, EntryId};
use fuzzd_core::session::{Record, Verdict};

use crate::oracle::Oracle;

impl Oracle {
    /// The core asks for a record to be kept, for the first time or again.
    pub(crate) fn commit(&mut self, token: CommitToken, record: &Record) {
        if !self.tokens.insert(token) {
            return;
        }
        match record {
            Record::Entry { test, id, input, coverage, .. } => {
                assert_eq!(*id, EntryId::of(input), "the address of an entry");
                let test = self.test(*test);
                let answered = test.answered.get(input);
                let is_answer = answered.is_some_and(|all| all.contains(coverage));
                assert!(is_answer, "an entry no worker answered: {input:?} {coverage:?}");
                test.committed.insert(*id);
                if !test.entries.contains(input) {
                    test.unshown.insert(*id);
                }
            }
            Record::Measured { test, id, .. } => {
                let is_loaded = self.tests[test.0].loaded.contains(id);
                assert!(is_loaded, "the coverage of something that is not an entry: {id:?}");
            }
            Record::Crash { test, signature, input, failure, .. } => {
                assert_eq!(*signature, failure.signature());
                let crashes = &self.tests[test.0].crashes;
                let is_real = crashes.get(signature).is_some_and(|all| all.contains(input));
                let is_foreign = failure.kind.name().starts_with("killed");
                assert!(is_real || is_foreign, "a crash that never was: {input:?}");
            }
            Record::Bug { test, signature, input, verdict } => {
                let test = self.test(*test);
                let is_durable = test.is_crash_durable(*signature);
                assert!(is_durable, "a verdict on a crash that is not on the disk: {verdict:?}");
                let fails = |runs: &Vec<_>| runs.contains(&Some(*signature));
                let is_proven = test.fresh_runs.get(input).is_some_and(fails);
                match verdict {
                    Verdict::Minimized => {
                        assert!(is_proven, "minimized to an input that was not seen to fail");
                    }
                    Verdict::Confirmed { runs, .. } | Verdict::Flaky { runs } if *runs > 0 => {
                        let seen = test.fresh_runs.get(input).map_or(&[][..], Vec::as_slice);
                        assert!(seen.len() >= *runs as usize, "more runs than there were");
                        let failed = seen.iter().filter(|run| **run == Some(*signature)).count();
                        let least = match verdict {
                            Verdict::Confirmed { reproduced, .. } => (*reproduced).max(1),
                            _ => 0,
                        };
                        assert!(failed >= least as usize, "{failed} runs failed: {verdict:?}");
                    }
                    Verdict::Confirmed { .. }
                    | Verdict::Flaky { .. }
                    | Verdict::Unconfirmed { .. }
                    | Verdict::Known
                    | Verdict::NoLongerFails => {}
                }
            }
            Record::Progress { test, execs, seen, .. } => {
                let test = &self.tests[test.0];
                let is_counted =
                    |(signature, count): &(_, u64)| *count > 0 && test.is_crash_durable(*signature);
                assert!(seen.iter().all(is_counted), "counted before it is there: {seen:?}");
                assert_eq!(*execs, test.execs_before + test.execs, "the statistics of a test");
            }
        }
    }

    /// The disk has it.
    pub(crate) fn stored(&mut self, record: &Record) {
        match record {
            Record::Entry { test, id, coverage, .. } => {
                let test = self.test(*test);
                test.stored_entries.insert(*id);
                test.durable.add(coverage);
            }
            Record::Crash { test, signature, input, .. } => {
                let crashes = &mut self.test(*test).stored_crashes;
                crashes.entry(*signature).or_default().insert(input.clone());
            }
            Record::Bug { test, signature, input, verdict } => {
                let verdicts = &mut self.test(*test).stored_verdicts;
                verdicts.entry(*signature).or_default().push((input.clone(), *verdict));
            }
            Record::Measured { .. } | Record::Progress { .. } => {}
        }
    }
}

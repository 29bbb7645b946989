//! Looking for inputs that the checks need: one with coverage of its own, one that fails, one that
//! ends the process.
//!
//! A small fuzzing session, with the calls every worker has. Must not judge: an answer that breaks
//! a rule ends the search, and the check of that rule finds it again.

use std::time::{Duration, Instant};

use fuzzd_protocol::caps;
use fuzzd_protocol::message::FuzzCall;

use super::{Answer, Bench, Features, has_all, signature};
use crate::conformance::limits::{SEARCH_CALL, SEARCH_INPUTS_MAX};
use crate::conformance::subject::Subject;
use crate::conformance::{Checked, ensure};

/// Where the search stands.
struct Search {
    subject: Subject,
    inputs: Vec<Vec<u8>>,
    known: Features,
    /// Of failures that are of no more interest.
    ignore: Vec<String>,
}

impl Bench {
    /// Looks until everything was found or the time is over.
    pub(super) fn search(&mut self, time: Duration) -> Checked {
        let base = self.base()?;
        let deadline = Instant::now() + time;
        let subject = self.start()?;
        let (known, ignore) = (Features::new(), Vec::new());
        let mut search = Search { subject, inputs: vec![base], known, ignore };
        for round in 0.. {
            let f = &self.facts;
            let has_find = f.find.is_some() || f.counters == 0;
            if has_find && f.failing.is_some() && f.deadly.is_some() || Instant::now() >= deadline {
                break;
            }
            self.search_once(&mut search, round)?;
        }
        Ok(())
    }

    fn search_once(&mut self, search: &mut Search, round: usize) -> Checked {
        // Every second call works on the newest input.
        let at = if round.is_multiple_of(2) {
            search.inputs.len() - 1
        } else {
            round % search.inputs.len()
        };
        let sent = search.inputs[at].clone();
        let timeout_ns = i64::try_from(SEARCH_CALL.as_nanos()).unwrap_or(i64::MAX);
        let seed = self.seed(round as u64 + 1);
        let ignore = search.ignore.clone();
        let mut call = FuzzCall { timeout_ns, seed, ignore, ..FuzzCall::default() };
        if self.facts.counters > 0 {
            self.tell(&mut call, &search.known);
        }
        match search.subject.try_fuzz(&sent, call)? {
            Answer::Died(_) => {
                let input = self.executed(&search.subject, &sent);
                search.subject = self.start()?;
                self.facts.deadly = Some(self.facts.deadly.take().map_or(input, Ok)?);
            }
            Answer::Reply(reply) => {
                ensure(reply.internal_err.is_empty(), || reply.internal_err.clone())?;
                if !reply.err.is_empty() {
                    let input = self.executed(&search.subject, &sent)?;
                    self.facts.failing.get_or_insert(input);
                    if self.has(caps::IGNORE) && search.ignore.len() < SEARCH_INPUTS_MAX {
                        let signature = signature(&reply.err, reply.failure.as_ref());
                        search.ignore.push(signature.to_string());
                    }
                } else if let Some(snapshot) = self.snapshot(&reply)?
                    && !has_all(&search.known, &snapshot)
                {
                    let input = self.executed(&search.subject, &sent)?;
                    merge(&mut search.known, &snapshot);
                    if self.facts.find.is_none() {
                        self.take_find(&input)?;
                    }
                    if search.inputs.len() < SEARCH_INPUTS_MAX {
                        search.inputs.push(input);
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps an input with features that `base` has not, if it is one.
    fn take_find(&mut self, input: &[u8]) -> Checked {
        let mut subject = self.start()?;
        let mut of = |input: &[u8]| -> Checked<Features> {
            let reply = subject.warm_up(input)?;
            Ok(self.snapshot(&reply)?.unwrap_or_default())
        };
        let (base, found) = (of(&self.base()?)?, of(input)?);
        if !has_all(&base, &found) {
            self.facts.find = Some((input.to_vec(), found));
        }
        Ok(())
    }
}

/// Unites features; both are ascending.
fn merge(known: &mut Features, more: &[(u32, u8)]) {
    for &(index, bits) in more {
        match known.binary_search_by_key(&index, |feature| feature.0) {
            Ok(at) => known[at].1 |= bits,
            Err(at) => known.insert(at, (index, bits)),
        }
    }
}

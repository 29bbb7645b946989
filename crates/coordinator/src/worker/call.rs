//! From calls of the decision core to lines of the protocol, and from replies back.
//!
//! Owns the mapping and the checks of every number and byte a reply holds. Pure but for the shared
//! memory it is given. Must not know deadlines or processes.
//!
//! | core | protocol |
//! |---|---|
//! | `Execute` | `Fuzz` with `Warmup` and `Limit` 1 |
//! | `Fuzz` | `Fuzz` with limits, `Seed`, `CoverageDelta`, `Ignore`, `MaxLen`, `Plan`, `Profile` |
//! | `MinimizeFind` | `Minimize` with `KeepSparse` |
//! | `MinimizeFailure` | `Minimize` with `Signature`, and `Fork`, `Search` |

use std::time::Duration;

use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::Input;
use fuzzd_core::schedule::Profile;
use fuzzd_core::session::{Call, PlanItem, Work};
use fuzzd_core::signature::Signature;
use fuzzd_protocol::limits::PLAN_ITEMS_MAX;
use fuzzd_protocol::message::{self, ForkLimits, FuzzCall, MinimizeCall};
use fuzzd_protocol::{profile, sparse};

use crate::limits::{FORK_GRACE, FORK_TIMEOUT_MAX, SEARCH_WALK_MAX};
use crate::shared::TestMemories;
use crate::worker::ping::Announced;
use crate::worker::watch::WatchLimits;

/// What the call in flight was, to read its reply by.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) kind: Kind,
    /// The input the call was given.
    pub(super) input: Input,
    /// Executions of newly mutated inputs it may do: 0 for all but `Fuzz`.
    pub(super) execs_max: u64,
    /// Its own time limit.
    pub(super) time_max: Option<Duration>,
    /// What may pass before its first execution, beyond the per-input timeout.
    pub(super) walk_max: Duration,
    /// The worker says by its phase whether an input is being executed.
    pub(super) has_phase: bool,
}

/// The kinds of call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Execute,
    Fuzz {
        ignore: Vec<Signature>,
        plan: SentPlan,
    },
    MinimizeFind,
    MinimizeFailure(Signature),
    /// The same in forked processes: the worker itself executes nothing.
    MinimizeForked(Signature),
}

/// What a worker was sent of the plan of a Fuzz call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SentPlan {
    /// It does not take plans: it works on the value in memory and ends the call with a find.
    Unknown,
    /// None of the entries lies in the arena: it works on the value in memory, which is the first.
    Value,
    /// Some items.
    Items {
        /// The position in the whole plan of each item sent.
        positions: Vec<usize>,
        /// Items of the whole plan.
        of: usize,
    },
}

impl SentPlan {
    /// What to send of `plan`, and what that is called.
    fn of(plan: &[PlanItem], memories: &TestMemories) -> (Vec<message::PlanItem>, Self) {
        let (mut items, mut positions) = (Vec::new(), Vec::new());
        for (position, item) in plan.iter().enumerate().take(PLAN_ITEMS_MAX) {
            if let Some(entry) = memories.item_of(item.entry) {
                let (weight, is_new) = (item.weight.max(1), item.is_new);
                items.push(message::PlanItem { entry, weight, is_new });
                positions.push(position);
            }
        }
        let sent = match items.is_empty() {
            true => Self::Value,
            false => Self::Items { positions, of: plan.len() },
        };
        (items, sent)
    }
}

impl Pending {
    /// What the call is watched with: a worker kills its children before it is killed for them.
    pub(super) fn watched(&self, limits: WatchLimits) -> WatchLimits {
        match &self.kind {
            Kind::MinimizeForked(_) => {
                let timeout = limits.input_timeout.min(FORK_TIMEOUT_MAX);
                let input_timeout = limits.input_timeout.max(timeout + FORK_GRACE);
                WatchLimits { input_timeout, ..limits }
            }
            Kind::Execute | Kind::Fuzz { .. } | Kind::MinimizeFind | Kind::MinimizeFailure(_) => {
                limits
            }
        }
    }

    /// Whether the worker may tell finds in the ring during this call.
    pub(super) fn has_ring(&self) -> bool {
        match &self.kind {
            Kind::Fuzz { plan: SentPlan::Value | SentPlan::Items { .. }, .. } => true,
            Kind::Fuzz { plan: SentPlan::Unknown, .. }
            | Kind::Execute
            | Kind::MinimizeFind
            | Kind::MinimizeFailure(_)
            | Kind::MinimizeForked(_) => false,
        }
    }

    /// The position in the plan of an item as the worker counts; `None`: there is no such item.
    pub(super) fn plan_position(&self, item: u32) -> Option<usize> {
        match &self.kind {
            Kind::Fuzz { plan: SentPlan::Value, .. } => (item == 0).then_some(0),
            Kind::Fuzz { plan: SentPlan::Items { positions, .. }, .. } => {
                positions.get(usize::try_from(item).ok()?).copied()
            }
            Kind::Fuzz { plan: SentPlan::Unknown, .. }
            | Kind::Execute
            | Kind::MinimizeFind
            | Kind::MinimizeFailure(_)
            | Kind::MinimizeForked(_) => None,
        }
    }
}

/// What one process knows of the merged coverage, and in which form it is told.
#[derive(Debug)]
pub(super) struct CoverageLink {
    counters: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// It reads them from the map by itself.
    Mapped,
    /// Bits it was not told yet.
    Sparse { untold: Vec<Feature> },
    /// The whole mask, sent again when it changed. Before the first one a worker finds nothing.
    Dense { mask: Vec<u8>, is_told: bool },
}

impl CoverageLink {
    pub(super) fn new(announced: &Announced) -> Self {
        let counters = announced.counters;
        let form = if announced.caps.has_map {
            Form::Mapped
        } else if announced.caps.has_sparse {
            Form::Sparse { untold: Vec::new() }
        } else {
            Form::Dense { mask: vec![0; counters], is_told: false }
        };
        Self { counters, form }
    }

    /// Takes what was merged since the last call. Not every call can carry it.
    fn add(&mut self, merged: &[Feature]) {
        match &mut self.form {
            Form::Mapped => {}
            Form::Sparse { untold } => untold.extend_from_slice(merged),
            Form::Dense { mask, is_told } => {
                for &(index, class) in merged {
                    if let Some(byte) = mask.get_mut(index as usize) {
                        *is_told &= *byte & class == class;
                        *byte |= class;
                    }
                }
            }
        }
    }

    fn tell(&mut self, call: &mut FuzzCall) {
        match &mut self.form {
            Form::Mapped => {}
            Form::Sparse { untold } if untold.is_empty() => {}
            Form::Sparse { untold } => {
                call.coverage_delta = Some(sparse::encode(&std::mem::take(untold)));
            }
            Form::Dense { is_told: true, .. } => {}
            Form::Dense { mask, is_told } => {
                call.coverage_data = (!mask.is_empty()).then(|| mask.clone());
                *is_told = true;
            }
        }
    }

    fn keep(&self, keep: &[Feature], call: &mut MinimizeCall) {
        match &self.form {
            Form::Mapped | Form::Sparse { .. } => call.keep_sparse = Some(sparse::encode(keep)),
            Form::Dense { mask, .. } => {
                let mut bytes = vec![0; mask.len()];
                for &(index, class) in keep {
                    if let Some(byte) = bytes.get_mut(index as usize) {
                        *byte |= class;
                    }
                }
                call.keep_coverage = Some(bytes);
            }
        }
    }

    /// The snapshot of a reply, in whichever form it came. `None`: it had none.
    pub(super) fn read(
        &self,
        in_sparse: Option<&[u8]>,
        in_dense: Option<&[u8]>,
    ) -> Result<Option<Vec<Feature>>, String> {
        let snapshot: Vec<Feature> = match (in_sparse, in_dense) {
            (Some(bytes), _) => {
                sparse::decode(bytes, self.counters).map_err(|error| error.to_string())?
            }
            (None, Some(bytes)) if bytes.len() != self.counters => {
                let (told, counters) = (bytes.len(), self.counters);
                return Err(format!("its coverage has {told} counters, it announced {counters}"));
            }
            (None, Some(bytes)) => {
                (0u32..).zip(bytes.iter().copied()).filter(|&(_, class)| class != 0).collect()
            }
            (None, None) => return Ok(None),
        };
        // Merged, bits that no execution showed would hide what later ones do show.
        match snapshot.iter().find(|(_, class)| !class.is_power_of_two()) {
            Some((index, _)) => Err(format!("its coverage has several classes of counter {index}")),
            None => Ok(Some(snapshot)),
        }
    }
}

/// What bounds every call of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallLimits {
    /// The longest input to make.
    pub(super) input_bytes_max: usize,
    /// One execution.
    pub(super) each: WatchLimits,
}

/// The line of a call, and what to read its reply by.
pub(super) fn encode(
    call: &Call,
    announced: &Announced,
    coverage: &mut CoverageLink,
    memories: Option<&TestMemories>,
    limits: CallLimits,
) -> (Vec<u8>, Pending) {
    coverage.add(&call.coverage);
    let pending = |kind, execs_max, time_max| Pending {
        kind,
        input: call.input.clone(),
        execs_max,
        time_max,
        walk_max: walk_max(&call.work),
        has_phase: announced.caps.has_control,
    };
    let (message, pending) = match &call.work {
        Work::Execute => {
            let mut fuzz = FuzzCall { warmup: true, limit: 1, ..FuzzCall::default() };
            coverage.tell(&mut fuzz);
            (message::Call::Fuzz(fuzz), pending(Kind::Execute, 0, None))
        }
        Work::Fuzz { execs_max, time_max, rng_seed, plan, len_max, profile } => {
            let memories = memories.filter(|_| announced.caps.has_plans);
            let (plan, sent) = memories.map_or_else(
                || (Vec::new(), SentPlan::Unknown),
                |memories| SentPlan::of(plan, memories),
            );
            let input_bytes_max = limits.input_bytes_max;
            let len_max = len_max.unwrap_or(input_bytes_max).min(input_bytes_max);
            let ignore: &[Signature] = if announced.caps.has_ignore { &call.ignore } else { &[] };
            let mut fuzz = FuzzCall {
                timeout_ns: nanoseconds(*time_max),
                limit: limit(*execs_max),
                seed: Some(*rng_seed),
                ignore: ignore.iter().map(Signature::to_string).collect(),
                max_len: Some(len_max as u64),
                plan,
                profile: profile_name(*profile).filter(|_| announced.caps.has_profiles),
                ..FuzzCall::default()
            };
            coverage.tell(&mut fuzz);
            let kind = Kind::Fuzz { ignore: ignore.to_vec(), plan: sent };
            (message::Call::Fuzz(fuzz), pending(kind, *execs_max, *time_max))
        }
        Work::MinimizeFind { keep, execs_max, time_max } => {
            let mut minimize = minimize_call(*execs_max, *time_max);
            coverage.keep(keep, &mut minimize);
            (message::Call::Minimize(minimize), pending(Kind::MinimizeFind, 0, *time_max))
        }
        Work::MinimizeFailure { signature, by_fork, search, execs_max, time_max } => {
            let mut minimize = minimize_call(*execs_max, *time_max);
            minimize.signature = Some(signature.to_string());
            minimize.fork = by_fork.then(|| fork_limits(limits.each));
            minimize.search = search.as_ref().map(|search| message::SearchPart {
                from: search.from,
                held: search.held.to_vec(),
                part: search.part,
                parts: search.parts,
            });
            let kind = match by_fork {
                true => Kind::MinimizeForked(*signature),
                false => Kind::MinimizeFailure(*signature),
            };
            (message::Call::Minimize(minimize), pending(kind, 0, *time_max))
        }
    };
    (message::encode_line(&message), pending)
}

/// A call that goes on with a search finds its place first.
fn walk_max(work: &Work) -> Duration {
    match work {
        Work::MinimizeFailure { search: Some(search), .. } if search.from > 0 => SEARCH_WALK_MAX,
        Work::Execute
        | Work::Fuzz { .. }
        | Work::MinimizeFind { .. }
        | Work::MinimizeFailure { .. } => Duration::ZERO,
    }
}

fn profile_name(profile: Profile) -> Option<String> {
    let name = match profile {
        Profile::Default => return None,
        Profile::Compare => profile::COMPARE,
        Profile::Structure => profile::STRUCTURE,
        Profile::Wild => profile::WILD,
    };
    Some(name.to_owned())
}

/// What a forked process may use. One that is to run into the per-input timeout is given all of it.
fn fork_limits(each: WatchLimits) -> ForkLimits {
    let timeout = each.input_timeout.min(FORK_TIMEOUT_MAX);
    ForkLimits { timeout_ns: nanoseconds(Some(timeout)), memory: each.rss_limit_bytes }
}

fn minimize_call(execs_max: u64, time_max: Option<Duration>) -> MinimizeCall {
    let (timeout_ns, limit) = (nanoseconds(time_max), limit(execs_max));
    MinimizeCall { timeout_ns, limit, ..MinimizeCall::default() }
}

/// 0 on the wire is no limit, so a limit of nothing becomes the smallest there is.
fn limit(execs_max: u64) -> i64 {
    i64::try_from(execs_max).unwrap_or(i64::MAX).max(1)
}

/// 0 on the wire is no limit.
fn nanoseconds(time_max: Option<Duration>) -> i64 {
    time_max.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX).max(1))
}

#[cfg(test)]
mod tests;

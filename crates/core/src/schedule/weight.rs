//! What an entry weighs when entries are picked.
//!
//! Owns the account of one entry and the formula. Must not know other entries but by their mean.

use std::time::Duration;

use rand_core::Rng;

use crate::chance::beta;
use crate::coverage::Gain;

/// What is left of finds and dry visits after one more visit.
const DECAY: f32 = 0.98;
/// An entry with so many times the mean of executions...
const EXECS_OVER_MEAN: f64 = 20.0;
/// ...and no find in so many visits is left out.
const DRY_VISITS: u16 = 8;
/// An entry with less fuzzing time of its own weighs four times, or twice, as much.
const FRESH_TIME: Duration = Duration::from_secs(2);
/// See [`FRESH_TIME`].
const YOUNG_TIME: Duration = Duration::from_secs(10);
/// The weight of what is left out. So little beside any other weight that a table never picks it
/// while there is something else: shares below 2^-32 are none.
const LEFT_OUT: f64 = 1e-40;
/// The weight of what brought nothing, as little beside what is left out: such entries have a share
/// of the picks apart ([`Stagnation::dull_share`]).
const DULL: f64 = 1e-80;
/// What is left of the weight of an entry that a shorter one stands in for.
const REPLACED: f64 = 0.02;

/// What an entry was kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// New edges.
    Edge,
    /// New classes of known edges alone.
    Class,
    /// Nothing: it was there before.
    Nothing,
}

impl Tier {
    pub(super) fn of(gain: Gain) -> Self {
        match (gain.edges, gain.features) {
            (0, 0) => Self::Nothing,
            (0, _) => Self::Class,
            (_, _) => Self::Edge,
        }
    }
}

/// How far the search stagnates: longer and longer without a new edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Stagnation {
    #[default]
    None,
    Short,
    Long,
    VeryLong,
}

impl Stagnation {
    /// After so much time without a new edge.
    pub(super) fn after(dry: Duration) -> Self {
        match dry.as_secs() {
            0..10 => Self::None,
            10..60 => Self::Short,
            60..300 => Self::Long,
            300.. => Self::VeryLong,
        }
    }

    /// What every entry has of yield; then the factors of what is not favoured, and of what was
    /// kept for classes alone.
    fn floors(self) -> (f64, f64, f64) {
        match self {
            Self::None => (0.05, 0.1, 0.3),
            Self::Short => (0.1, 0.15, 0.5),
            Self::Long => (0.2, 0.25, 0.75),
            Self::VeryLong => (0.4, 0.5, 1.0),
        }
    }

    /// The part of the picks that entries which brought nothing have together, however many they
    /// are. Coverage may not see what makes them worth having: somebody wrote them as seeds.
    pub(super) fn dull_share(self) -> f64 {
        match self {
            Self::None => 0.05,
            Self::Short => 0.15,
            Self::Long => 0.25,
            Self::VeryLong => 0.35,
        }
    }
}

/// The account of one entry.
#[derive(Debug, Clone)]
pub(super) struct Stats {
    pub(super) len: usize,
    pub(super) tier: Tier,
    pub(super) execs: u64,
    /// Fuzzing time of its own, in nanoseconds.
    pub(super) nanos: u64,
    /// Time of one execution when it came; 0: not measured.
    pub(super) exec_nanos: u64,
    /// Square root of its rarity, as of when it was last looked up.
    pub(super) rarity: f32,
    /// 1 and more: how much code that nobody reached is next to its rarest features; as of then.
    pub(super) frontier: f32,
    finds: f32,
    dry: f32,
    dry_run: u16,
    /// The newest choice of favoured entries that it was favoured in; 0: none.
    pub(super) favoured_in: u32,
    pub(super) is_replaced: bool,
    /// Some worker looked at it, or was to.
    pub(super) is_seen: bool,
    /// The worker that brought it did not look at it: who comes to it first does.
    pub(super) is_look_owed: bool,
    /// Plans under way that ask for that look.
    pub(super) looks: u8,
}

/// What one visit did with an entry.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visit {
    /// Executions.
    pub execs: u64,
    /// Time they took.
    pub elapsed: Duration,
    /// Finds that were kept: 1 for each with a new edge, less for others.
    pub finds: f32,
}

/// What the weight of one entry depends on beside itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    /// Mean executions of the entries that were executed at all.
    pub(super) mean_execs: f64,
    /// Mean time of one execution, in nanoseconds; 0: times do not count.
    pub(super) mean_nanos: f64,
    pub(super) stagnation: Stagnation,
    /// The choice of favoured entries that holds; what a newer one chose counts as well.
    pub(super) choice: u32,
}

impl Stats {
    pub(super) fn new(len: usize, tier: Tier) -> Self {
        Self {
            len,
            tier,
            execs: 0,
            nanos: 0,
            exec_nanos: 0,
            rarity: 0.0,
            frontier: 1.0,
            finds: 0.0,
            dry: 0.0,
            dry_run: 0,
            favoured_in: 0,
            is_replaced: false,
            is_seen: false,
            is_look_owed: false,
            looks: 0,
        }
    }

    pub(super) fn book(&mut self, visit: &Visit) {
        self.execs = self.execs.saturating_add(visit.execs);
        let nanos = u64::try_from(visit.elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.nanos = self.nanos.saturating_add(nanos);
        self.finds *= DECAY;
        self.dry *= DECAY;
        if visit.finds > 0.0 {
            self.finds += visit.finds;
            self.dry_run = 0;
        } else {
            self.dry += 1.0;
            self.dry_run = self.dry_run.saturating_add(1);
        }
    }

    /// How often to pick it, in relation to others; above 0. The yield is drawn, not computed: an
    /// entry that is little known may turn out well.
    pub(super) fn weight(&self, scene: &Scene, rng: &mut impl Rng) -> f64 {
        let draw = beta(rng, 1.0 + f64::from(self.finds), 1.0 + f64::from(self.dry));
        let is_over = self.execs as f64 > EXECS_OVER_MEAN * scene.mean_execs;
        if self.tier == Tier::Nothing {
            return DULL;
        }
        if is_over && self.dry_run >= DRY_VISITS {
            return LEFT_OUT;
        }
        let (floor, common, class) = scene.stagnation.floors();
        let own = Duration::from_nanos(self.nanos);
        let fresh = if own < FRESH_TIME {
            4.0
        } else if own < YOUNG_TIME {
            2.0
        } else {
            1.0
        };
        let mut weight = f64::from(self.rarity).max(1.0) * (floor + draw) * fresh;
        weight *= self.speed(scene) * f64::from(self.frontier);
        if self.favoured_in < scene.choice {
            weight *= common;
        }
        if self.tier == Tier::Class {
            weight *= class;
        }
        if self.is_replaced {
            weight *= REPLACED;
        }
        weight
    }

    fn speed(&self, scene: &Scene) -> f64 {
        let own = match self.execs {
            0 => self.exec_nanos as f64,
            execs => self.nanos as f64 / execs as f64,
        };
        if own <= 0.0 || scene.mean_nanos <= 0.0 {
            return 1.0;
        }
        (scene.mean_nanos / own).clamp(0.1, 3.0)
    }
}

//! One second of a session with 64 workers: what the session itself costs of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use criterion::Criterion;
use fuzzd_core::coverage::Feature;
use fuzzd_core::ids::{Epoch, Input, TestIndex, WorkerId};
use fuzzd_core::session::{
    Abilities, Effect, Event, Found, FoundParent, LoadedEntry, Origin, Outcome, Pace, PlanUse,
    Reply, Session, SessionConfig, TestConfig, Work, WorkerEvent,
};

const WORKERS: u32 = 64;
const COUNTERS: u32 = 16_384;
const ENTRIES: u32 = 5_000;

/// A session whose workers execute and find, and whose disk answers at once.
struct Stage {
    session: Session,
    now: Duration,
    /// Time spent in the session.
    cost: Duration,
    events: u64,
    effects: u64,
    /// Ends of calls, by time.
    ends: BTreeMap<(Duration, usize), (Epoch, usize)>,
    next_find: u32,
}

impl Stage {
    fn new() -> Self {
        let entries = (0..ENTRIES).map(|number| LoadedEntry {
            input: number.to_le_bytes().as_slice().into(),
            origin: Origin::Corpus,
            coverage: Some(snapshot(number)),
        });
        let test = TestConfig {
            name: "test".into(),
            counters: COUNTERS as usize,
            functions: (0..COUNTERS).step_by(12).collect(),
            entries: entries.collect(),
            bugs: Vec::new(),
            execs_before: 0,
            given_up: None,
            is_skipped: false,
        };
        let config = SessionConfig {
            seed: 1,
            pace: Pace::Clock,
            workers: WORKERS as usize,
            execs_max: None,
            time_max: None,
            fail_fast: false,
            minimize: true,
            minimize_timeouts: false,
            tests: vec![test],
        };
        let (session, zero) = (Session::new(config), Duration::ZERO);
        let ends = BTreeMap::new();
        let mut stage = Self {
            session,
            now: zero,
            cost: zero,
            events: 0,
            effects: 0,
            ends,
            next_find: ENTRIES,
        };
        stage.give(Event::Tick);
        stage
    }

    fn give(&mut self, event: Event) {
        let mut queue = vec![event];
        while let Some(event) = queue.pop() {
            let before = Instant::now();
            let effects = self.session.handle(self.now, event);
            self.cost += before.elapsed();
            self.events += 1;
            self.effects += effects.len() as u64;
            for effect in effects {
                match effect {
                    Effect::Spawn { worker, epoch, test: TestIndex(_) } => {
                        let ready = WorkerEvent::Ready {
                            pid: 1,
                            counters: COUNTERS as usize,
                            can: Abilities { has_plans: true, ..Abilities::default() },
                        };
                        queue.push(Event::Worker { worker, epoch, event: ready });
                    }
                    Effect::Call { worker, epoch, call } => {
                        let Work::Fuzz { time_max, plan, .. } = call.work else { continue };
                        let ends_at = self.now + time_max.unwrap_or_default();
                        self.ends.insert((ends_at, worker.0), (epoch, plan.len()));
                    }
                    Effect::Commit { token, .. } => {
                        queue.push(Event::Stored { token, path: None });
                    }
                    _ => {}
                }
            }
        }
    }

    /// Plays until `until`, with so many finds a second.
    fn play(&mut self, until: Duration, finds: u32) {
        let mut tick = self.now;
        let mut found_at = self.now;
        while self.now < until {
            if tick <= self.now {
                tick += Duration::from_millis(20);
                self.give(Event::Tick);
            }
            if finds > 0 && found_at <= self.now {
                found_at += Duration::from_secs(1) / finds;
                self.find();
            }
            let Some(entry) = self.ends.first_entry().filter(|entry| entry.key().0 <= self.now)
            else {
                self.now += Duration::from_millis(1);
                continue;
            };
            let ((_, worker), (epoch, items)) = entry.remove_entry();
            let elapsed = Duration::from_millis(100);
            let part = PlanUse { execs: 2_000, elapsed: elapsed / WORKERS };
            let reply = Reply {
                execs: 100_000,
                execs_other: 10,
                elapsed,
                ignored: Vec::new(),
                plan: vec![part; items],
                unlooked: Vec::new(),
                outcome: Outcome::Nothing,
            };
            let (worker, event) = (WorkerId(worker), WorkerEvent::Replied(reply));
            self.give(Event::Worker { worker, epoch, event });
        }
    }

    fn find(&mut self) {
        let Some((&(_, worker), &(epoch, _))) = self.ends.iter().next() else { return };
        self.next_find += 1;
        let input: Input = self.next_find.to_le_bytes().as_slice().into();
        let found = Found {
            input,
            coverage: snapshot(self.next_find),
            parent: FoundParent::Plan(0),
            exec_time: Duration::from_micros(1),
            replaces_parent: false,
        };
        let (worker, event) = (WorkerId(worker), WorkerEvent::Found(found));
        self.give(Event::Worker { worker, epoch, event });
    }
}

/// 160 hits, one of them of this input alone.
fn snapshot(number: u32) -> Vec<Feature> {
    let own = number % COUNTERS;
    let class = 1u8 << (number / COUNTERS % 8);
    (0..159).map(|hit| (hit * 7, 1)).chain([(own, class)]).collect()
}

pub(crate) fn seconds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a second of 64 workers");
    group.sample_size(10);
    for finds in [0, 10, 100] {
        let mut stage = Stage::new();
        stage.play(Duration::from_secs(2), finds);
        group.bench_function(format!("{finds} finds"), |bencher| {
            bencher.iter_custom(|seconds| {
                stage.cost = Duration::ZERO;
                let until = stage.now + Duration::from_secs(seconds);
                stage.play(until, finds);
                stage.cost
            });
        });
    }
    group.finish();
}

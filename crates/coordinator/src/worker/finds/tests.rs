//! Finds from a ring that somebody else writes, well and badly.

use fuzzd_core::ids::Input;
use fuzzd_protocol::layout::ring::{DATA, HEAD, PARENT_FOUND, REPLACES, RING_BYTES};
use fuzzd_protocol::sparse;
use fuzzd_shm::RingWriter;

use super::*;
use crate::worker::call::{Kind, SentPlan};
use crate::worker::ping::{Announced, Caps};

const TYPES: &[ValueType] = &[ValueType::Bytes];

struct Bench {
    memory: WorkerMemory,
    pending: Pending,
    coverage: CoverageLink,
    reader: FindReader,
    types: &'static [ValueType],
}

impl Bench {
    /// A call with items 0, 2 and 5 of a plan, to a worker with 4 counters and room for 64 bytes.
    fn new() -> Self {
        Self::with(SentPlan::Items { positions: vec![0, 2, 5], of: 6 })
    }

    fn with(plan: SentPlan) -> Self {
        let memory = WorkerMemory::create_with_ring(64).unwrap();
        memory.begin_call(b"value").unwrap();
        let kind = Kind::Fuzz { ignore: Vec::new(), plan };
        let input: Input = b"value".as_slice().into();
        let pending = Pending {
            kind,
            input,
            execs_max: 10,
            time_max: None,
            walk_max: Duration::ZERO,
            has_phase: true,
        };
        let caps = Caps { has_sparse: true, has_plans: true, has_map: true, ..Caps::default() };
        let announced = Announced { caps, counters: 4, ..Announced::default() };
        let coverage = CoverageLink::new(&announced);
        Self { memory, pending, coverage, reader: FindReader::default(), types: TYPES }
    }

    fn push(&self, record: &[u8]) {
        let ring = usize::try_from(self.memory.ring_offset().unwrap()).unwrap();
        let writer = RingWriter::new(self.memory.region(), ring, RING_BYTES).unwrap();
        assert!(writer.push(record));
    }

    fn find(&self, parent: FindParent, input: &[u8]) {
        self.push(&record(parent, input, &sparse::encode(&[(1, 2)])));
    }

    fn drain(&mut self, drain: Drain) -> (Vec<Found>, Result<(), String>) {
        let context = FindContext {
            pending: &self.pending,
            memory: &self.memory,
            types: self.types,
            coverage: &self.coverage,
            elapsed: Duration::from_millis(5),
        };
        let mut events = Vec::new();
        let drained = self.reader.drain(&context, drain, &mut events);
        let found = |event| match event {
            WorkerEvent::Found(found) => found,
            other => panic!("{other:?}"),
        };
        (events.into_iter().map(found).collect(), drained)
    }
}

fn record(parent: FindParent, input: &[u8], coverage: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    let find = FindRecord { parent, flags: REPLACES, count: 99, exec_ns: 1_500, input, coverage };
    find.encode_into(&mut record);
    record
}

#[test]
fn finds_are_told_in_order_with_their_parents_and_checked_numbers() {
    let mut bench = Bench::new();
    bench.find(FindParent::Plan(2), b"first");
    bench.find(FindParent::Found(0), b"second");
    let (found, drained) = bench.drain(Drain::Tick);
    assert_eq!(drained, Ok(()));
    assert_eq!((found.len(), bench.reader.told), (2, 2));
    assert_eq!((&*found[0].input, found[0].parent), (&b"first"[..], FoundParent::Plan(5)));
    assert_eq!((&*found[1].input, found[1].parent), (&b"second"[..], FoundParent::Found(0)));
    assert_eq!(found[0].coverage, [(1, 2)]);
    assert_eq!(found[0].exec_time, Duration::from_nanos(1_500));
    assert!(found[0].replaces_parent);
    bench.find(FindParent::Found(1), b"third");
    let (found, _) = bench.drain(Drain::End);
    assert_eq!(found[0].parent, FoundParent::Found(1));
    assert!(bench.drain(Drain::End).0.is_empty());
}

#[test]
fn inputs_are_canonical() {
    let mut bench = Bench::new();
    bench.types = &[ValueType::Uint16];
    bench.find(FindParent::Plan(0), b"\x07");
    bench.find(FindParent::Plan(0), b"\x07\x08\x09");
    let inputs = bench.drain(Drain::End).0.into_iter().map(|found| found.input.to_vec());
    assert_eq!(inputs.collect::<Vec<_>>(), [vec![7, 0], vec![7, 8]]);
}

#[test]
fn parents_that_do_not_exist_are_refused() {
    for parent in [
        FindParent::Plan(3),
        FindParent::Plan(PARENT_FOUND - 1),
        FindParent::Found(1),
        FindParent::Found(PARENT_FOUND - 1),
    ] {
        let mut bench = Bench::new();
        bench.find(FindParent::Plan(0), b"good");
        bench.find(parent, b"bad");
        let (found, drained) = bench.drain(Drain::Tick);
        assert_eq!(found.len(), 1, "what came before is kept");
        assert!(drained.unwrap_err().contains("as its parent"));
    }
    let mut bench = Bench::new();
    bench.find(FindParent::Found(0), b"its own parent");
    assert!(bench.drain(Drain::End).1.is_err());
}

#[test]
fn without_a_plan_the_value_is_the_only_item() {
    let mut bench = Bench::with(SentPlan::Value);
    bench.find(FindParent::Plan(0), b"good");
    bench.find(FindParent::Plan(1), b"bad");
    let (found, drained) = bench.drain(Drain::End);
    assert_eq!((found.len(), found[0].parent), (1, FoundParent::Plan(0)));
    assert!(drained.is_err());
}

#[test]
fn a_worker_without_plans_tells_nothing() {
    let mut bench = Bench::with(SentPlan::Unknown);
    bench.find(FindParent::Plan(0), b"unasked");
    let (found, drained) = bench.drain(Drain::End);
    assert!(found.is_empty() && drained == Ok(()));
}

#[test]
fn coverage_that_cannot_be_is_refused() {
    for coverage in [sparse::encode(&[(4, 1)]), vec![0x80], vec![1, 0], vec![0xff; 40]] {
        let mut bench = Bench::new();
        bench.find(FindParent::Plan(0), b"good");
        bench.push(&record(FindParent::Plan(0), b"bad", &coverage));
        let (found, drained) = bench.drain(Drain::End);
        assert_eq!(found.len(), 1);
        assert!(drained.unwrap_err().contains("sparse coverage"), "{coverage:?}");
    }
}

#[test]
fn an_execution_that_hit_a_counter_in_two_ways_is_refused() {
    let mut bench = Bench::new();
    bench.push(&record(FindParent::Plan(0), b"bad", &sparse::encode(&[(1, 2), (3, 0xff)])));
    let (found, drained) = bench.drain(Drain::End);
    assert!(found.is_empty());
    assert_eq!(drained.unwrap_err(), "its coverage has several classes of counter 3");
}

#[test]
fn records_that_are_no_finds_or_too_large_are_refused() {
    let mut long = record(FindParent::Plan(0), b"long", b"");
    long.push(0);
    for (bad, says) in [
        (b"short".to_vec(), "no room for its header"),
        (long, "says it has"),
        (record(FindParent::Plan(0), &[7; 65], b""), "room for 64"),
    ] {
        let mut bench = Bench::new();
        bench.push(&bad);
        let (found, drained) = bench.drain(Drain::End);
        assert!(found.is_empty());
        assert!(drained.unwrap_err().contains(says), "{says}");
    }
}

#[test]
fn a_damaged_head_is_told_once_and_ends_the_reading() {
    let mut bench = Bench::new();
    bench.find(FindParent::Plan(0), b"good");
    assert_eq!(bench.drain(Drain::Tick).0.len(), 1);
    let head = usize::try_from(bench.memory.ring_offset().unwrap()).unwrap() + HEAD;
    for garbage in [u64::MAX, 3, 1 << 40] {
        bench.memory.region().store_u64(head, garbage).unwrap();
        bench.reader.is_damaged = false;
        let (found, drained) = bench.drain(Drain::Tick);
        assert!(found.is_empty() && drained.unwrap_err().contains("head of the ring"));
        assert_eq!(bench.drain(Drain::End).1, Ok(()));
    }
}

#[test]
fn a_flood_is_taken_a_few_at_a_time_and_whole_at_the_end() {
    let mut bench = Bench::new();
    let total = FINDS_PER_TICK_MAX * 3;
    for _ in 0..total {
        bench.find(FindParent::Plan(1), b"x");
    }
    assert_eq!(bench.drain(Drain::Tick).0.len(), FINDS_PER_TICK_MAX);
    assert_eq!(bench.drain(Drain::Tick).0.len(), FINDS_PER_TICK_MAX);
    assert_eq!(bench.drain(Drain::End).0.len(), total - 2 * FINDS_PER_TICK_MAX);
}

#[test]
fn what_the_ring_holds_is_what_the_end_takes() {
    let mut bench = Bench::new();
    let smallest = record(FindParent::Plan(0), b"", b"");
    for _ in 0..RING_BYTES / 40 {
        bench.push(&smallest);
    }
    assert_eq!(bench.drain(Drain::End).0.len(), RING_BYTES / 40);
}

#[test]
fn no_bytes_in_the_ring_panic_or_are_read_without_end() {
    for seed in 1..=300_u64 {
        println!("seed {seed}");
        let mut state = seed;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 32) % limit
        };
        let mut bench = Bench::new();
        let ring = usize::try_from(bench.memory.ring_offset().unwrap()).unwrap();
        for at in 0..512 {
            // Small numbers pass for lengths now and then.
            let limit = [1 << 32, 48][usize::from(below(2) == 0)];
            let word = u32::try_from(below(limit)).unwrap();
            bench.memory.region().store_u32(ring + DATA + at * 4, word).unwrap();
        }
        let head = below(256) * 8;
        bench.memory.region().store_u64(ring + HEAD, head).unwrap();
        let (found, _) = bench.drain(Drain::End);
        assert!(found.len() <= 256);
        assert!(found.iter().all(|found| found.coverage.iter().all(|&(index, _)| index < 4)));
    }
}

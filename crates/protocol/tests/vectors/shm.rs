//! The vectors of the memories.

use fuzzd_protocol::layout::ring::{self, FindParent, FindRecord, RecordError};
use fuzzd_protocol::layout::{self, HEADER_BYTES, Header, arena, map};
use serde::Deserialize;

use super::unhex;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Shm {
    Header { header_hex: String, fields: HeaderFields, canonical_hex: Option<String> },
    Layout { cases: Vec<LayoutCase> },
    Capacity { cases: Vec<CapacityCase> },
    Ring { cases: Vec<RingCase> },
    RingPushes { data_bytes: usize, records_hex: Vec<String>, ring_hex: String },
    Find { record_hex: String, fields: FindFields },
    FindError { record_hex: String, error: String },
    Map { cases: Vec<MapCase> },
    MapHeader { counters: usize, header_hex: String },
    Arena { cases: Vec<ArenaCase> },
    ArenaHeader { header_hex: String },
    ArenaRecord { record_hex: String, offset: u64, len: u32, item_kind: u32 },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HeaderFields {
    count: i64,
    value_len: i64,
    rand_state: u64,
    rand_inc: u64,
    raw_in_mem: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayoutCase {
    capacity: usize,
    control_offset: usize,
    memory_bytes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapacityCase {
    memory_bytes: usize,
    control_offset: Option<u64>,
    capacity: Option<usize>,
}

pub(crate) fn check(case: Shm) {
    match case {
        Shm::Header { header_hex, fields, canonical_hex } => {
            let bytes: [u8; HEADER_BYTES] = unhex(&header_hex).try_into().unwrap();
            let header = Header::from_bytes(&bytes);
            let HeaderFields { count, value_len, rand_state, rand_inc, raw_in_mem } = fields;
            assert_eq!(header, Header { count, value_len, rand_state, rand_inc, raw_in_mem });
            assert_eq!(header.to_bytes().to_vec(), unhex(&canonical_hex.unwrap_or(header_hex)));
        }
        Shm::Layout { cases } => {
            for LayoutCase { capacity, control_offset, memory_bytes } in cases {
                assert_eq!(layout::control_offset(capacity), control_offset);
                assert_eq!(layout::memory_bytes(capacity), memory_bytes);
            }
        }
        Shm::Capacity { cases } => {
            for CapacityCase { memory_bytes, control_offset, capacity } in cases {
                assert_eq!(layout::capacity(memory_bytes, control_offset).ok(), capacity);
            }
        }
        other => check_extension(other),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RingCase {
    memory_bytes: usize,
    control_offset: u64,
    ring_offset: u64,
    ring_bytes: u64,
    is_accepted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindFields {
    parent: Parent,
    replaces: bool,
    count: u64,
    exec_ns: u64,
    input_hex: String,
    coverage_hex: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Parent {
    Plan(u32),
    Found(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapCase {
    counters: usize,
    blocks: usize,
    bits_offset: usize,
    memory_bytes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArenaCase {
    index: usize,
    record_offset: usize,
}

fn check_extension(case: Shm) {
    match case {
        Shm::Header { .. } | Shm::Layout { .. } | Shm::Capacity { .. } => unreachable!(),
        Shm::Ring { cases } => cases.iter().for_each(ring),
        Shm::RingPushes { data_bytes, records_hex, ring_hex } => {
            pushes(data_bytes, &records_hex, &ring_hex);
        }
        Shm::Find { record_hex, fields } => find(&record_hex, &fields),
        Shm::FindError { record_hex, error } => {
            let found = match FindRecord::decode(&unhex(&record_hex)).unwrap_err() {
                RecordError::Truncated { .. } => "truncated",
                RecordError::Lengths { .. } => "lengths",
            };
            assert_eq!(found, error);
        }
        Shm::Map { cases } => {
            for MapCase { counters, blocks, bits_offset, memory_bytes } in cases {
                assert_eq!(map::blocks(counters), blocks);
                assert_eq!(map::bits_offset(counters), bits_offset);
                assert_eq!(map::map_bytes(counters), memory_bytes);
            }
        }
        Shm::MapHeader { counters, header_hex } => {
            assert_eq!(map::header(counters).to_vec(), unhex(&header_hex));
        }
        Shm::Arena { cases } => {
            for ArenaCase { index, record_offset } in cases {
                assert_eq!(arena::record_offset(index), record_offset);
            }
        }
        Shm::ArenaHeader { header_hex } => {
            assert_eq!(arena::header().to_vec(), unhex(&header_hex));
        }
        Shm::ArenaRecord { record_hex, offset, len, item_kind } => {
            let record = arena::Record { offset, len, kind: item_kind };
            assert_eq!(record.to_bytes().to_vec(), unhex(&record_hex));
            assert_eq!(arena::Record::from_bytes(&record.to_bytes()), record);
        }
    }
}

fn ring(case: &RingCase) {
    let RingCase { memory_bytes, control_offset, ring_offset, ring_bytes, is_accepted } = *case;
    let found = ring::checked(memory_bytes, control_offset, ring_offset, ring_bytes);
    assert_eq!(found.is_ok(), is_accepted, "{ring_offset} {ring_bytes}");
}

/// The bytes of a ring after some pushes, as this crate's numbers lay them out.
fn pushes(data_bytes: usize, records_hex: &[String], ring_hex: &str) {
    let mut bytes = vec![0; ring::DATA + data_bytes];
    let mut head = 0;
    for record in records_hex {
        let payload = unhex(record);
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        for (at, byte) in length.into_iter().chain(payload.iter().copied()).enumerate() {
            bytes[ring::DATA + (head + at) % data_bytes] = byte;
        }
        head += ring::record_bytes(payload.len());
    }
    bytes[ring::HEAD..ring::HEAD + 8].copy_from_slice(&(head as u64).to_le_bytes());
    assert_eq!(bytes, unhex(ring_hex));
}

fn find(record_hex: &str, fields: &FindFields) {
    let (input, coverage) = (unhex(&fields.input_hex), unhex(&fields.coverage_hex));
    let find = FindRecord {
        parent: match fields.parent {
            Parent::Plan(position) => FindParent::Plan(position),
            Parent::Found(number) => FindParent::Found(number),
        },
        flags: if fields.replaces { ring::REPLACES } else { 0 },
        count: fields.count,
        exec_ns: fields.exec_ns,
        input: &input,
        coverage: &coverage,
    };
    let mut record = Vec::new();
    find.encode_into(&mut record);
    assert_eq!(record, unhex(record_hex));
    assert_eq!(FindRecord::decode(&record), Ok(find));
}

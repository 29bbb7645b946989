use super::*;
use crate::layout::{control_offset, memory_bytes_with_ring, ring_offset};

const FIND: FindRecord<'static> = FindRecord {
    parent: FindParent::Found(3),
    flags: REPLACES,
    count: 0x1_0000_0007,
    exec_ns: u64::MAX,
    input: b"in",
    coverage: &[1, 2, 3],
};

fn encoded(find: &FindRecord<'_>) -> Vec<u8> {
    let mut record = Vec::new();
    find.encode_into(&mut record);
    record
}

#[test]
fn a_find_comes_back_as_it_was() {
    let record = encoded(&FIND);
    assert_eq!(record.len(), FIND_HEADER + 5);
    assert_eq!(FindRecord::decode(&record), Ok(FIND));
    let empty = FindRecord { parent: FindParent::Plan(0), input: b"", coverage: b"", ..FIND };
    assert_eq!(FindRecord::decode(&encoded(&empty)), Ok(empty));
}

#[test]
fn a_record_that_is_cut_or_longer_is_refused() {
    let mut record = encoded(&FIND);
    for end in 0..record.len() {
        assert!(FindRecord::decode(&record[..end]).is_err(), "{end}");
    }
    record.push(0);
    assert!(matches!(FindRecord::decode(&record), Err(RecordError::Lengths { .. })));
}

#[test]
fn lengths_that_overflow_together_are_refused() {
    let mut record = encoded(&FIND);
    record[24..32].fill(0xff);
    let error = FindRecord::decode(&record).unwrap_err();
    assert_eq!(error, RecordError::Lengths { bytes: 37, input: u32::MAX, coverage: u32::MAX });
}

#[test]
fn every_word_is_a_parent_and_comes_back() {
    for word in [0, 1, PARENT_FOUND - 1, PARENT_FOUND, PARENT_FOUND + 1, u32::MAX] {
        assert_eq!(FindParent::from_word(word).to_word(), word);
    }
    assert_eq!(FindParent::from_word(PARENT_FOUND + 2), FindParent::Found(2));
}

#[test]
fn records_are_padded_to_eight_bytes() {
    assert_eq!([0, 4, 5, 12, 13].map(record_bytes), [8, 8, 16, 16, 24]);
}

#[test]
fn the_ring_that_the_coordinator_makes_is_accepted() {
    for capacity in [0, 1, 24, 4096, 1 << 20] {
        let found = checked(
            memory_bytes_with_ring(capacity),
            control_offset(capacity) as u64,
            ring_offset(capacity) as u64,
            RING_BYTES as u64,
        );
        assert_eq!(found, Ok((ring_offset(capacity), RING_BYTES)));
    }
}

#[test]
fn a_ring_on_the_control_block_or_beyond_the_end_is_refused() {
    let (memory, control) = (16_384, 64);
    let ring = control + CONTROL_BYTES as u64;
    assert_eq!(checked(memory, control, ring, 8192), Ok((4160, 8192)));
    for (offset, bytes) in [
        (ring - 64, 4096),
        (ring + 8, 4096),
        (ring, 4095),
        (ring, 0),
        (ring, 4),
        (ring, 16_384),
        (u64::MAX - 63, 8),
        (ring, 1 << 63),
    ] {
        let found = checked(memory, control, offset, bytes);
        assert!(matches!(found, Err(LayoutError::Ring { .. })), "{offset} {bytes}");
    }
    assert!(checked(memory, u64::MAX - 1, ring, 4096).is_err());
}

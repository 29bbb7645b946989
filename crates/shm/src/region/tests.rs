use proptest::prelude::*;

use super::*;

#[test]
fn a_heap_region_is_zeroed_and_keeps_what_is_written() {
    let region = Region::heap(21);
    let mut bytes = [9; 21];
    region.read(0, &mut bytes).unwrap();
    assert_eq!(bytes, [0; 21]);
    region.write(19, &[1, 2]).unwrap();
    region.read(0, &mut bytes).unwrap();
    assert_eq!(bytes[18..], [0, 1, 2]);
}

#[test]
fn an_empty_region_has_no_byte_to_read() {
    let region = Region::heap(0);
    assert!(region.is_empty());
    assert!(region.read(0, &mut []).is_ok());
    assert!(region.read(0, &mut [0]).is_err());
}

#[test]
fn accesses_outside_are_refused_and_change_nothing() {
    let region = Region::heap(16);
    let outside = |offset, bytes| OutOfBounds { offset, bytes, len: 16 };
    assert_eq!(region.write(15, &[1, 2]), Err(outside(15, 2)));
    assert_eq!(region.read(usize::MAX, &mut [0; 2]), Err(outside(usize::MAX, 2)));
    assert_eq!(region.store_u64(9, 1), Err(outside(9, 8)));
    assert_eq!(region.load_u32(14), Err(outside(14, 4)));
    assert_eq!(region.area(10, 7).err(), Some(outside(10, 7)));
    assert_eq!(region.load_u64(0), Ok(0));
    assert_eq!(region.load_u64(8), Ok(0));
}

#[test]
fn words_that_are_not_aligned_are_refused() {
    let region = Region::heap(64);
    assert!(region.load_u64(4).is_err());
    assert!(region.load_u32(2).is_err());
    assert!(region.load_u32(4).is_ok());
}

#[test]
fn words_are_the_bytes_in_native_order() {
    let region = Region::heap(16);
    assert_eq!(region.add_u64(8, 5), Ok(0));
    assert_eq!(region.add_u64(8, 2), Ok(5));
    let mut bytes = [0; 8];
    region.read(8, &mut bytes).unwrap();
    assert_eq!(u64::from_ne_bytes(bytes), 7);
    region.store_u32(4, 3).unwrap();
    assert_eq!(region.load_u32(4), Ok(3));
}

#[test]
fn the_error_names_the_access_and_the_length() {
    let text = Region::heap(16).load_u64(12).unwrap_err().to_string();
    assert_eq!(text, "8 bytes at 12 are not within a memory of 16 bytes, or not aligned");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_at_any_alignment(
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
        offset in 0usize..20,
    ) {
        let region = Region::heap(128);
        region.write(offset, &bytes).unwrap();
        let mut found = vec![0; bytes.len()];
        region.read(offset, &mut found).unwrap();
        prop_assert_eq!(&found, &bytes);
        let mut around = [0; 128];
        region.read(0, &mut around).unwrap();
        prop_assert!(around[..offset].iter().all(|byte| *byte == 0));
        prop_assert!(around[offset + bytes.len()..].iter().all(|byte| *byte == 0));
    }
}

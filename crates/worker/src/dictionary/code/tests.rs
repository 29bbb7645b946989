use super::*;

fn named(code: &[u8]) -> Vec<Named> {
    let mut found = Vec::new();
    findings(code, 0x1000, &mut found);
    found.into_iter().map(|finding| finding.named).collect()
}

#[cfg(target_arch = "x86_64")]
#[test]
fn immediates_of_moves_and_compares() {
    let movabs = [&[0x48, 0xb9][..], b"hello, w"].concat();
    let value = u64::from_le_bytes(*b"hello, w");
    assert!(named(&movabs).contains(&Named::Immediate { value, len: 8 }));
    let riff = u64::from(u32::from_le_bytes(*b"RIFF"));
    for start in [
        &[0x81, 0x3f][..],
        &[0x81, 0x7f, 8],
        &[0x81, 0x7c, 0x24, 8],
        &[0x81, 0xf9],
        &[0x81, 0xf1],
        &[0x3d],
        &[0xbe],
        &[0xc7, 0x04, 0x24],
        &[0x81, 0x3d, 1, 2, 3, 4],
    ] {
        let code = [start, b"RIFF"].concat();
        let wanted = Named::Immediate { value: riff, len: 4 };
        assert!(named(&code).contains(&wanted), "{start:x?}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn addresses_and_constants_relative_to_the_next_instruction() {
    let lea = [0x48, 0x8d, 0x35, 0x10, 0, 0, 0];
    assert!(named(&lea).contains(&Named::Address(0x1017)));
    let back = [0x4c, 0x8d, 0x05, 0xf9, 0xff, 0xff, 0xff];
    assert!(named(&back).contains(&Named::Address(0x1000)));
    let float = [0x66, 0x0f, 0x2e, 0x05, 0x10, 0, 0, 0];
    assert!(named(&float).contains(&Named::Constant { address: 0x1018, len: 8 }));
    let high = [0x66, 0x44, 0x0f, 0x74, 0x05, 0x10, 0, 0, 0];
    assert!(named(&high).contains(&Named::Constant { address: 0x1019, len: 16 }));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn small_numbers_can_be_lengths() {
    assert!(named(&[0xba, 14, 0, 0, 0]).contains(&Named::Length(14)));
    assert!(named(&[0x48, 0x83, 0xfe, 14]).contains(&Named::Length(14)));
    assert!(named(&[0x6a, 14]).contains(&Named::Length(14)));
    assert!(!named(&[0x6a, 100]).contains(&Named::Length(100)));
}

#[test]
fn any_bytes_are_scanned_without_end_or_panic() {
    let mut state = 1_u32;
    for len in 0..300 {
        let code: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_le_bytes()[3]
            })
            .collect();
        assert!(named(&code).len() <= FINDINGS_MAX + 4);
    }
}

//! Constants and addresses in machine code (x86-64).
//!
//! Owns recognising a few instructions by their bytes, at every offset: it does not follow the
//! instructions, so that it sees some that are none. Whoever uses a finding checks that it makes
//! sense. Other processors: nothing is found.

use super::limits::{FINDINGS_MAX, TOKEN_BYTES_MAX};

#[cfg(test)]
mod tests;

/// What an instruction names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A number of that many bytes: 1, 4 or 8.
    Immediate { value: u64, len: usize },
    /// A number that can be the length of a token.
    Length(usize),
    /// The address of data.
    Address(u64),
    /// A constant of that many bytes in the data: 4, 8 (floats) or 16.
    Constant { address: u64, len: usize },
    /// The upper half of 128 bits is computed: an addition or subtraction takes a carry over.
    Carry,
}

/// One instruction that names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finding {
    /// Offset in the code.
    pub(super) at: usize,
    pub(super) named: Named,
}

/// The first bytes of all instructions that are recognised: most bytes are none of them.
static STARTS: [bool; 256] = {
    let mut starts = [false; 256];
    let first = [
        0x48, 0x49, 0x4c, 0x4d, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0x3d, 0x35, 0x3c,
        0x34, 0x6a, 0x81, 0xc7, 0x80, 0x83, 0x0f_usize,
    ];
    let mut at = 0;
    while at < first.len() {
        starts[first[at]] = true;
        at += 1;
    }
    starts
};

/// What the code of one function names, in order. `address` is that of its first byte.
pub(super) fn findings(code: &[u8], address: u64, found: &mut Vec<Finding>) {
    found.clear();
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    for (at, byte) in code.iter().enumerate() {
        if !STARTS[usize::from(*byte)] {
            continue;
        }
        if found.len() >= FINDINGS_MAX {
            break;
        }
        named_at(code, at, address, &mut |named| found.push(Finding { at, named }));
    }
}

fn named_at(code: &[u8], at: usize, address: u64, add: &mut dyn FnMut(Named)) {
    let next = code.get(at + 1).copied().unwrap_or(0);
    match code[at] {
        // movabs r64, imm64; lea r64, [rip + disp32]
        0x48 | 0x49 | 0x4c | 0x4d => match next {
            0xb8..=0xbf if code[at] & 4 == 0 => number(code, at + 2, 8, add),
            0x8d => relative(code, at + 2, address, &mut |target| add(Named::Address(target))),
            // adc, sbb r64, r/m64 and r/m64, r64; not of a register with itself, which makes a mask
            0x11 | 0x13 | 0x19 | 0x1b => {
                let operands = code.get(at + 2).copied().unwrap_or(0);
                let is_mask = operands >> 6 == 3 && operands >> 3 & 7 == operands & 7;
                if !is_mask {
                    add(Named::Carry);
                }
            }
            // adc, sbb r/m64, imm
            0x81 | 0x83 if code.get(at + 2).is_some_and(|byte| matches!(byte >> 3 & 7, 2 | 3)) => {
                add(Named::Carry);
            }
            _ => {}
        },
        // mov r32, imm32
        0xb8..=0xbf => {
            number(code, at + 1, 4, add);
            length(code, at + 1, 4, add);
        }
        // cmp eax, imm32; xor eax, imm32
        0x3d | 0x35 => number(code, at + 1, 4, add),
        // cmp al, imm8; xor al, imm8; push imm8
        0x3c | 0x34 => number(code, at + 1, 1, add),
        0x6a => length(code, at + 1, 1, add),
        // cmp, xor, sub r/m32, imm32; mov m32, imm32
        0x81 if matches!(next >> 3 & 7, 5..=7) => operand(code, at, 4, add),
        0xc7 if next >> 3 & 7 == 0 => operand(code, at, 4, add),
        // cmp, xor, sub r/m, imm8: of a byte, or a length
        0x80 | 0x83 if matches!(next >> 3 & 7, 5..=7) => operand(code, at, 1, add),
        // Instructions of vectors and floats with a constant in the data.
        0x0f => vector(code, at, address, add),
        _ => {}
    }
}

/// An immediate behind an operand in a register or in memory.
fn operand(code: &[u8], at: usize, len: usize, add: &mut dyn FnMut(Named)) {
    let Some(bytes) = code.get(at + 1..).and_then(operand_bytes) else { return };
    number(code, at + 1 + bytes, len, add);
    length(code, at + 1 + bytes, len, add);
}

/// Bytes of an operand: its ModRM byte, scale, displacement.
fn operand_bytes(code: &[u8]) -> Option<usize> {
    let (mode, register) = (code.first()? >> 6, code.first()? & 7);
    let (scale, is_absolute) = match (mode, register) {
        (3, _) => return Some(1),
        (_, 4) => (1, mode == 0 && code.get(1)? & 7 == 5),
        _ => (0, mode == 0 && register == 5),
    };
    let displacement = match mode {
        1 => 1,
        2 => 4,
        _ if is_absolute => 4,
        _ => 0,
    };
    Some(1 + scale + displacement)
}

fn number(code: &[u8], at: usize, len: usize, add: &mut dyn FnMut(Named)) {
    if let Some(value) = read(code, at, len) {
        add(Named::Immediate { value, len });
    }
}

fn length(code: &[u8], at: usize, len: usize, add: &mut dyn FnMut(Named)) {
    let value = read(code, at, len).and_then(|value| usize::try_from(value).ok());
    if let Some(value) = value.filter(|value| (2..=TOKEN_BYTES_MAX).contains(value)) {
        add(Named::Length(value));
    }
}

/// The address `[rip + disp32]` of the operand at `at`, of an instruction that ends with it.
fn relative(code: &[u8], at: usize, address: u64, add: &mut dyn FnMut(u64)) {
    if code.get(at).is_none_or(|byte| byte & 0xc7 != 5) {
        return;
    }
    let Some(displacement) = code.get(at + 1..at + 5) else { return };
    let displacement = <[u8; 4]>::try_from(displacement).map_or(0, i32::from_le_bytes);
    let next = address.wrapping_add(at as u64 + 5);
    add(next.wrapping_add_signed(i64::from(displacement)));
}

/// Loads, compares and xors of vectors (16 bytes) and of floats (8 or 4). The prefix, which tells
/// which, lies before, perhaps with a byte of further registers between.
fn vector(code: &[u8], at: usize, address: u64, add: &mut dyn FnMut(Named)) {
    let before = |back: usize| at.checked_sub(back).and_then(|at| code.get(at)).copied();
    let has_rex = before(1).is_some_and(|byte| (0x40..0x50).contains(&byte));
    let prefix = before(1 + usize::from(has_rex)).unwrap_or(0);
    let len = match (prefix, code.get(at + 1)) {
        (0xf2, Some(0x10 | 0xc2 | 0x5c)) | (0x66, Some(0x2e | 0x2f)) => 8,
        (0xf3, Some(0x10 | 0xc2 | 0x5c)) | (_, Some(0x2e | 0x2f)) => 4,
        (0x66, Some(0x6f | 0x74 | 0x75 | 0x76 | 0xef | 0xdb)) | (0xf3, Some(0x6f)) => 16,
        (_, Some(0x10 | 0x28 | 0x57)) => 16,
        _ => return,
    };
    relative(code, at + 2, address, &mut |address| add(Named::Constant { address, len }));
}

/// A number of up to eight bytes, little-endian.
fn read(code: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = code.get(at..at.checked_add(len)?)?;
    Some(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

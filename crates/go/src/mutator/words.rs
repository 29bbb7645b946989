//! Operators that take some bytes for a number.
//!
//! Owns: seven of the operators of `mutators_byteslice.go` and the tables of `mutator.go`
//! (Go 1.27.3).

use super::draws::{byte, place};
use super::scratch::Scratch;
use crate::pcg::Random;

/// Numbers that are added and subtracted are from 1 to this.
const STEP_MAX: u16 = 35;

/// `interesting8`.
const INTERESTING_8: [i8; 9] = [-128, -1, 0, 1, 16, 32, 64, 100, 127];

/// `interesting16`: ten of its own, then the nine of [`INTERESTING_8`].
const INTERESTING_16: [i16; 19] = [
    -32768, -129, 128, 255, 256, 512, 1000, 1024, 4096, 32767, -128, -1, 0, 1, 16, 32, 64, 100, 127,
];

/// `interesting32`: eight of its own, then the nineteen of [`INTERESTING_16`].
const INTERESTING_32: [i32; 27] = [
    -2_147_483_648,
    -100_663_046,
    -32769,
    32768,
    65535,
    65536,
    100_663_045,
    2_147_483_647,
    -32768,
    -129,
    128,
    255,
    256,
    512,
    1000,
    1024,
    4096,
    32767,
    -128,
    -1,
    0,
    1,
    16,
    32,
    64,
    100,
    127,
];

pub(super) fn arithmetic_byte(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let at = place(random, value.len());
    let step = byte(random, STEP_MAX) + 1;
    let byte = &mut value.value_mut()[at];
    *byte = if random.coin() { byte.wrapping_add(step) } else { byte.wrapping_sub(step) };
    Some(())
}

/// Adds to a number of `BYTES` bytes, or, after a coin, subtracts. Then position, then byte order.
pub(super) fn arithmetic<const BYTES: usize>(
    value: &mut Scratch,
    random: &mut impl Random,
) -> Option<()> {
    if value.len() < BYTES {
        return None;
    }
    let step = u64::from(byte(random, STEP_MAX)) + 1;
    let step = if random.coin() { step.wrapping_neg() } else { step };
    let at = place(random, value.len() - (BYTES - 1));
    let is_little = random.coin();
    let bytes = &mut value.value_mut()[at..at + BYTES];
    // Little end first, so that the low bytes of a wider sum are the number.
    if !is_little {
        bytes.reverse();
    }
    let mut word = [0; 8];
    word[..BYTES].copy_from_slice(bytes);
    let sum = u64::from_le_bytes(word).wrapping_add(step).to_le_bytes();
    bytes.copy_from_slice(&sum[..BYTES]);
    if !is_little {
        bytes.reverse();
    }
    Some(())
}

pub(super) fn interesting_byte(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let at = place(random, value.len());
    let number = INTERESTING_8[place(random, INTERESTING_8.len())];
    value.value_mut()[at] = number.to_le_bytes()[0];
    Some(())
}

pub(super) fn interesting_16(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    put(value, random, |random| INTERESTING_16[place(random, INTERESTING_16.len())].to_le_bytes())
}

pub(super) fn interesting_32(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    put(value, random, |random| INTERESTING_32[place(random, INTERESTING_32.len())].to_le_bytes())
}

/// Writes a number over some bytes. Position, then number, then byte order.
fn put<R: Random, const BYTES: usize>(
    value: &mut Scratch,
    random: &mut R,
    draw: impl FnOnce(&mut R) -> [u8; BYTES],
) -> Option<()> {
    if value.len() < BYTES {
        return None;
    }
    let at = place(random, value.len() - (BYTES - 1));
    let mut number = draw(random);
    if !random.coin() {
        number.reverse();
    }
    value.value_mut()[at..at + BYTES].copy_from_slice(&number);
    Some(())
}

//! Floating-point literals of Go, decimal and hexadecimal.
//!
//! Owns: their grammar and their rounding (to nearest, ties to even). A number beyond the range of
//! its type is refused, as Go does. Must not: know tokens or types.

/// Bits of Go's `math.NaN()`, which is the one that `NaN` stands for; Rust's has another payload.
pub(super) const GO_NAN_64: u64 = 0x7ff8_0000_0000_0001;

/// Bits of `float32(math.NaN())`.
pub(super) const GO_NAN_32: u32 = 0x7fc0_0000;

/// `NaN`, `+Inf` or `-Inf`. As in Go, every operator but `-` counts as `+`.
pub(super) fn named_f64(sign: Option<char>, name: &str) -> Option<f64> {
    match (sign, name) {
        (None, "NaN") => Some(f64::from_bits(GO_NAN_64)),
        (Some('-'), "Inf") => Some(f64::NEG_INFINITY),
        (Some(_), "Inf") => Some(f64::INFINITY),
        _ => None,
    }
}

/// The same in 32 bits.
pub(super) fn named_f32(sign: Option<char>, name: &str) -> Option<f32> {
    match (sign, name) {
        (None, "NaN") => Some(f32::from_bits(GO_NAN_32)),
        (Some('-'), "Inf") => Some(f32::NEG_INFINITY),
        (Some(_), "Inf") => Some(f32::INFINITY),
        _ => None,
    }
}

/// The number of a literal, negated if `is_negative` (also `-0`).
pub(super) fn parse_f64(is_negative: bool, literal: &str) -> Option<f64> {
    let magnitude: f64 = match hexadecimal(literal) {
        Some(hexadecimal) => f64::from_bits(hexadecimal.parse()?.round(53, 11)?),
        None => decimal(literal)?.parse().ok()?,
    };
    let value = if is_negative { -magnitude } else { magnitude };
    value.is_finite().then_some(value)
}

/// The number of a literal, negated if `is_negative` (also `-0`).
pub(super) fn parse_f32(is_negative: bool, literal: &str) -> Option<f32> {
    let magnitude: f32 = match hexadecimal(literal) {
        Some(hexadecimal) => {
            f32::from_bits(u32::try_from(hexadecimal.parse()?.round(24, 8)?).ok()?)
        }
        None => decimal(literal)?.parse().ok()?,
    };
    let value = if is_negative { -magnitude } else { magnitude };
    value.is_finite().then_some(value)
}

/// `digits` with the underscores taken out that stand between two digits; `None` if one stands
/// elsewhere, if there is no digit, or if another character is among them.
pub(super) fn without_underscores(digits: &str, is_digit: impl Fn(char) -> bool) -> Option<String> {
    let is_separated = digits.split('_').all(|group| !group.is_empty());
    let plain = digits.replace('_', "");
    (is_separated && plain.chars().all(is_digit)).then_some(plain)
}

/// A decimal literal in the form that Rust reads.
///
/// An integer with a leading 0 counts as decimal here, as in Go's `strconv.ParseFloat`; an octal
/// literal must be one for Go's scanner all the same.
fn decimal(literal: &str) -> Option<String> {
    let (mantissa, exponent) = match literal.find(['e', 'E']) {
        Some(at) => (&literal[..at], Some(&literal[at + 1..])),
        None => (literal, None),
    };
    let is_digit = |digit: char| digit.is_ascii_digit();
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_integer = fraction.is_none() && exponent.is_none();
    if is_integer && whole.starts_with('0') && whole.contains(['8', '9']) {
        return None;
    }
    let mut plain = optional_digits(whole, is_digit)?;
    let fraction = optional_digits(fraction.unwrap_or(""), is_digit)?;
    if plain.is_empty() && fraction.is_empty() {
        return None;
    }
    plain.push('.');
    plain.push_str(&fraction);
    if let Some(exponent) = exponent {
        plain.push('e');
        plain.push_str(&signed_digits(exponent)?);
    }
    // Rust wants a digit on one side of the point only, which was checked above.
    Some(plain)
}

fn optional_digits(digits: &str, is_digit: impl Fn(char) -> bool) -> Option<String> {
    if digits.is_empty() { Some(String::new()) } else { without_underscores(digits, is_digit) }
}

fn signed_digits(exponent: &str) -> Option<String> {
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let plain = without_underscores(digits, |digit| digit.is_ascii_digit())?;
    Some(if exponent.starts_with('-') { format!("-{plain}") } else { plain })
}

/// The parts of a hexadecimal literal behind its `0x`, not yet validated.
struct Hexadecimal<'a> {
    body: &'a str,
}

fn hexadecimal(literal: &str) -> Option<Hexadecimal<'_>> {
    let body = literal.strip_prefix("0x").or_else(|| literal.strip_prefix("0X"))?;
    Some(Hexadecimal { body })
}

impl Hexadecimal<'_> {
    /// An exponent is required: without one the literal is an integer, which Go's `ParseFloat`
    /// does not read in hexadecimal.
    fn parse(&self) -> Option<Scaled> {
        let at = self.body.find(['p', 'P'])?;
        let (mantissa, exponent) = (&self.body[..at], &self.body[at + 1..]);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digit = |digit: char| digit.is_ascii_hexdigit();
        // One underscore may stand between the prefix and a digit, but not before the point.
        let whole = match whole.strip_prefix('_') {
            Some(behind) => without_underscores(behind, is_digit)?,
            None => optional_digits(whole, is_digit)?,
        };
        let fraction = optional_digits(fraction, is_digit)?;
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut scaled = Scaled { mantissa: 0, exponent: 0, is_inexact: false };
        for digit in whole.chars() {
            scaled.push(digit, 4);
        }
        for digit in fraction.chars() {
            scaled.push(digit, 0);
        }
        // Far beyond every range the exact exponent no longer matters; zero stays zero.
        let exponent = signed_digits(exponent)?;
        let limit = if exponent.starts_with('-') { -EXPONENT_MAX } else { EXPONENT_MAX };
        scaled.exponent += exponent.parse().unwrap_or(limit).clamp(-EXPONENT_MAX, EXPONENT_MAX);
        Some(scaled)
    }
}

/// Larger than the bits of any literal that fits a line plus every float's exponent range.
const EXPONENT_MAX: i64 = 1 << 48;

/// `mantissa * 2^exponent`, and whether bits below it were dropped.
struct Scaled {
    mantissa: u64,
    exponent: i64,
    is_inexact: bool,
}

impl Scaled {
    /// Appends a hexadecimal digit. `weight` is 4 before the point and 0 behind it. Digits for
    /// which there is no room count only by not being zero.
    fn push(&mut self, digit: char, weight: i64) {
        let digit = u64::from(digit.to_digit(16).unwrap_or(0));
        if self.mantissa >> 60 == 0 {
            self.mantissa = self.mantissa << 4 | digit;
            self.exponent += weight - 4;
        } else {
            self.is_inexact |= digit != 0;
            self.exponent += weight;
        }
    }

    /// Bits of the nearest IEEE 754 number with this precision and width of exponent; `None` if it
    /// would be infinite.
    fn round(self, precision: u32, exponent_bits: u32) -> Option<u64> {
        if self.mantissa == 0 {
            return Some(0);
        }
        let bias = (1i64 << (exponent_bits - 1)) - 1;
        // The mantissa has its highest bit at 63 from here on.
        let shift = self.mantissa.leading_zeros();
        let mantissa = self.mantissa << shift;
        let top = self.exponent + 63 - i64::from(shift);
        let subnormal = (1 - bias - top).max(0);
        let drop = u64::from(64 - precision).saturating_add(u64::try_from(subnormal).ok()?);
        let (kept, rest, half) = match drop {
            0..=63 => (mantissa >> drop, mantissa & ((1 << drop) - 1), 1u64 << (drop - 1)),
            64 => (0, mantissa, 1 << 63),
            _ => return Some(0),
        };
        let above = rest > half || (rest == half && self.is_inexact);
        let tie_to_even = rest == half && !self.is_inexact && kept & 1 == 1;
        let kept = kept + u64::from(above || tie_to_even);
        // The mantissa's own top bit adds 1 to the exponent field; a carry does the same.
        let field = if subnormal > 0 { 0 } else { u64::try_from(top + bias - 1).ok()? };
        if field >= 1 << exponent_bits {
            return None;
        }
        let bits = (field << (precision - 1)) + kept;
        let infinity = ((1u64 << exponent_bits) - 1) << (precision - 1);
        (bits < infinity).then_some(bits)
    }
}

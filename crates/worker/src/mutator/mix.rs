//! Operators that mix in what others have: tokens of the dictionary, and pieces of other inputs.
//!
//! Owns where such pieces come from and where they go.

use fuzzd_protocol::input::LENGTH_BYTES;
use fuzzd_protocol::value::ValueType;

use super::blocks::{block_len, insert};
use super::context::Context;
use super::value::Value;
use crate::rng::Rng;

pub(super) fn overwrite_by_token(
    value: &mut Value<'_>,
    context: Context<'_>,
    rng: &mut Rng,
) -> bool {
    let Some(token) = context.materials.tokens.pick(rng) else { return false };
    if token.len() > value.len() {
        let at = rng.below(value.len() + 1);
        return value.splice(at..value.len(), token);
    }
    overwrite(value, token, rng)
}

pub(super) fn insert_token(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let Some(token) = context.materials.tokens.pick(rng) else { return false };
    insert(value, token, rng)
}

/// Writes `bytes` over a place that is long enough.
pub(super) fn overwrite(value: &mut Value<'_>, bytes: &[u8], rng: &mut Rng) -> bool {
    if bytes.is_empty() || bytes.len() > value.len() {
        return false;
    }
    let at = value.place(bytes.len(), rng);
    value.write(at, bytes);
    true
}

/// The content of a value of the same type: of another input, or another value of the base.
pub(super) fn donor<'a>(context: Context<'a>, rng: &mut Rng) -> Option<&'a [u8]> {
    let fields = context.base.fields();
    let partners = &context.materials.partners;
    if matches!(fields, [field] if field.varies() && !field.is_prefixed) {
        return partners.get(rng.below(partners.len())).map(Vec::as_slice);
    }
    let value_type = fields.get(context.field)?.value_type;
    let alike = fields.iter().filter(|field| field.value_type == value_type).count();
    let is_own = alike > 1 && (partners.is_empty() || rng.chance(1, 4));
    if is_own {
        let mut alike_fields = fields.iter().filter(|field| field.value_type == value_type);
        let field = alike_fields.nth(rng.below(alike))?;
        return Some(&context.base.bytes()[field.bytes.clone()]);
    }
    let partner = partners.get(rng.below(partners.len()))?;
    content_of(context, partner, value_type, rng.below(alike))
}

/// The content of value number `nth` of this type in a memory form.
fn content_of<'a>(
    context: Context<'_>,
    memory: &'a [u8],
    value_type: ValueType,
    mut nth: usize,
) -> Option<&'a [u8]> {
    let mut rest = memory;
    for field in context.base.fields() {
        let len = match field.value_type.width() {
            Some(width) => width,
            None => {
                let (length, behind) = rest.split_at_checked(LENGTH_BYTES)?;
                rest = behind;
                usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?
            }
        };
        let (content, behind) = rest.split_at(len.min(rest.len()));
        if field.value_type == value_type {
            if nth == 0 {
                return Some(content);
            }
            nth -= 1;
        }
        rest = behind;
    }
    None
}

/// Writes a piece of another input over a place; half of the time the place it was taken from.
pub(super) fn cross_over(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let Some(donor) = donor(context, rng) else { return false };
    let len = block_len(donor.len().min(value.len()), rng);
    if len == 0 {
        return false;
    }
    let from = rng.below(donor.len() - len + 1);
    let to = if rng.chance(1, 2) {
        from.min(value.len() - len)
    } else {
        rng.below(value.len() - len + 1)
    };
    let piece = &donor[from..from + len];
    if value.content()[to..to + len] == *piece {
        return false;
    }
    value.write(to, piece);
    true
}

/// Inserts a piece of another input; sometimes what begins there takes the place of all the rest.
pub(super) fn cross_in(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let Some(donor) = donor(context, rng) else { return false };
    if donor.is_empty() {
        return false;
    }
    if value.len() > 0 && rng.chance(1, 4) {
        let at = rng.below(value.len());
        let from = if rng.chance(1, 2) { at.min(donor.len()) } else { rng.below(donor.len()) };
        let tail = &donor[from..];
        let tail = &tail[..tail.len().min(value.len() - at + value.room())];
        return value.splice(at..value.len(), tail);
    }
    let len = block_len(donor.len().min(value.room()), rng);
    if len == 0 {
        return false;
    }
    let from = rng.below(donor.len() - len + 1);
    insert(value, &donor[from..from + len], rng)
}

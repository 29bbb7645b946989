//! Values of several arguments: each is changed as its type asks, and takes from its like.

use super::*;

/// Mutations of the values `base`, with the values `partner` of another input at hand.
fn typed(types: &[ValueType], base: &[Value], partner: &[Value], count: u64) -> Vec<Vec<Value>> {
    let partners = vec![input::to_memory(types, partner)];
    let materials = Materials { partners, ..Materials::default() };
    let base = Base::new(types, input::to_memory(types, base));
    let mut mutator = Mutator::new(types);
    mutator.begin_visit(Rc::new(base), Rc::new(materials), 256);
    let mut buffer = vec![0; 256];
    let all = (0..count).map(|iteration| {
        let len = mutator.mutate(mutation_seed(3, iteration), &mut buffer);
        input::to_values(types, &buffer[..len])
    });
    all.collect()
}

fn has_text(value: &Value, text: &[u8]) -> bool {
    match value {
        Value::String(bytes) | Value::Bytes(bytes) => {
            bytes.windows(text.len()).any(|part| part == text)
        }
        _ => false,
    }
}

#[test]
fn an_integer_takes_the_value_of_another_one_of_its_type() {
    let types = [ValueType::Uint32, ValueType::Uint32, ValueType::Int64];
    let base = [Value::Uint32(0x1122_3344), Value::Uint32(0x5566_7788), Value::Int64(-5)];
    let partner = [Value::Uint32(0xa1b2_c3d4), Value::Uint32(0x0f1e_2d3c), Value::Int64(7)];
    let all = typed(&types, &base, &partner, 20_000);
    for wanted in [0x5566_7788, 0xa1b2_c3d4, 0x0f1e_2d3c] {
        let wanted = Value::Uint32(wanted);
        assert!(all.iter().any(|values| values[0] == wanted), "{wanted:?}");
    }
    assert!(all.iter().any(|values| values[2] == Value::Int64(7)), "from the same place");
}

#[test]
fn integers_are_stepped_negated_and_set_to_the_ends_of_their_type() {
    let types = [ValueType::Int16, ValueType::String];
    let base = [Value::Int16(1000), Value::String(b"x".to_vec())];
    let all = typed(&types, &base, &base, 20_000);
    for wanted in [1001, 999, 1035, -1000, 2000, 500, i16::MIN, i16::MAX, 0, -1, 4096] {
        assert!(all.iter().any(|values| values[0] == Value::Int16(wanted)), "{wanted}");
    }
}

#[test]
fn a_string_takes_words_of_other_strings_and_nothing_of_bytes() {
    let types = [ValueType::String, ValueType::Bytes, ValueType::String];
    let text = |text: &str| Value::String(text.as_bytes().to_vec());
    let base = [text("alpha beta"), Value::Bytes(b"\x01QZX9\x02QZX9\x03".to_vec()), text("gamma")];
    let partner = [text("delta epsilon"), Value::Bytes(b"QZX9".to_vec()), text("zeta")];
    let all = typed(&types, &base, &partner, 20_000);
    for wanted in ["gamma", "delta", "zeta"] {
        assert!(all.iter().any(|values| has_text(&values[0], wanted.as_bytes())), "{wanted}");
    }
    let is_mixed =
        |values: &Vec<Value>| has_text(&values[0], b"QZX9") || has_text(&values[2], b"QZX9");
    assert!(!all.iter().any(is_mixed));
}

#[test]
fn a_number_in_a_string_is_changed_as_a_number() {
    let types = [ValueType::String, ValueType::Bool];
    let base = [Value::String(b"width=1099;".to_vec()), Value::Bool(false)];
    let all = typed(&types, &base, &base, 40_000);
    for wanted in ["width=1100;", "width=1098;", "width=-1099;", "width=65535;"] {
        assert!(all.iter().any(|values| has_text(&values[0], wanted.as_bytes())), "{wanted}");
    }
    assert!(all.iter().any(|values| values[1] == Value::Bool(true)));
}

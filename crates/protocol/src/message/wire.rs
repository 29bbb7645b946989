//! The parts of decoding that serde does not derive.
//!
//! Owns: the call object with its rules for methods, `null` as zero value, and "an object, not an
//! array" (serde's derived structs would take either). Must not know what the fields mean.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Call, FuzzCall, MessageError, MinimizeCall, PingCall, SeedCall};

/// Reads a missing value's stand-in: `null` is the zero value, as in Go.
pub(super) fn null_is_zero<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `null` or an object.
pub(super) fn option_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

/// Reads `null` or a list of objects.
pub(super) fn object_list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(|Object(value)| value).collect())
}

/// A `T` that stands on the wire as an object and as nothing else.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

pub(super) fn decode_call(line: &[u8]) -> Result<Call, MessageError> {
    let methods: Methods = serde_json::from_slice(line)?;
    if let Some(name) = methods.duplicate {
        return Err(MessageError::DuplicateMethod(name));
    }
    let fuzz = methods.fuzz.map(Call::Fuzz);
    let minimize = methods.minimize.map(Call::Minimize);
    let ping = methods.ping.map(Call::Ping);
    let seed = methods.seed.map(Call::Seed);
    fuzz.or(minimize).or(ping).or(seed).ok_or(MessageError::NoMethod)
}

/// The call object as it stands on the wire.
#[derive(Default)]
struct Methods {
    ping: Option<PingCall>,
    fuzz: Option<FuzzCall>,
    minimize: Option<MinimizeCall>,
    seed: Option<SeedCall>,
    duplicate: Option<&'static str>,
}

/// The keys met so far; only the four we know can be counted twice.
#[derive(Default)]
struct Seen([bool; 4]);

impl Seen {
    /// Whether the method at `position` had stood in the object before.
    fn again(&mut self, position: usize) -> bool {
        std::mem::replace(&mut self.0[position], true)
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MethodsVisitor)
    }
}

struct MethodsVisitor;

impl<'de> Visitor<'de> for MethodsVisitor {
    type Value = Methods;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a call object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Methods, A::Error> {
        let mut methods = Methods::default();
        let mut seen = Seen::default();
        while let Some(key) = map.next_key::<String>()? {
            let again = match key.as_str() {
                "Ping" => {
                    methods.ping = next_object(&mut map)?;
                    seen.again(0).then_some("Ping")
                }
                "Fuzz" => {
                    methods.fuzz = next_object(&mut map)?;
                    seen.again(1).then_some("Fuzz")
                }
                "Minimize" => {
                    methods.minimize = next_object(&mut map)?;
                    seen.again(2).then_some("Minimize")
                }
                "Seed" => {
                    methods.seed = next_object(&mut map)?;
                    seen.again(3).then_some("Seed")
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            methods.duplicate = methods.duplicate.or(again);
        }
        Ok(methods)
    }
}

fn next_object<'de, A, T>(map: &mut A) -> Result<Option<T>, A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    Ok(map.next_value::<Option<Object<T>>>()?.map(|Object(value)| value))
}

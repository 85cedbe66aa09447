//! Reads typed values from a tree, without a detour over JSON.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Entry, Node, NodeValue};

/// Why a tree is no value of a type. Where it is wrong, the tree's shape tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Unfit(message.to_string())
    }
}

/// Reads a map of some entries.
pub(crate) fn entries_deserializer<'de>(
    entries: impl Iterator<Item = &'de Entry>,
) -> impl Deserializer<'de, Error = Unfit> {
    MapDeserializer::new(entries.map(|entry| (entry.key.as_ref(), &entry.value)))
}

impl<'de> IntoDeserializer<'de, Unfit> for &'de Node {
    type Deserializer = &'de Node;

    fn into_deserializer(self) -> &'de Node {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match &self.value {
            NodeValue::Null => visitor.visit_unit(),
            NodeValue::Bool(value) => visitor.visit_bool(*value),
            NodeValue::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            NodeValue::Float(text) => visitor.visit_f64(text.parse().unwrap_or(f64::NAN)),
            NodeValue::String(text) => visitor.visit_borrowed_str(&text.text),
            NodeValue::Secret(_) => Err(de::Error::invalid_type(de::Unexpected::Other(self.kind()), &visitor)),
            NodeValue::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            NodeValue::Map(map) => entries_deserializer(map.entries().iter()).deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.as_str() {
            Some(variant) => visitor.visit_enum(UnitVariant(variant)),
            None => Err(de::Error::invalid_type(de::Unexpected::Other(self.kind()), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The name of a variant without content; the types of documents have no others.
struct UnitVariant<'de>(&'de str);

impl<'de> EnumAccess<'de> for UnitVariant<'de> {
    type Error = Unfit;
    type Variant = NoContent;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NoContent), Unfit> {
        let variant: StrDeserializer<'de, Unfit> = self.0.into_deserializer();
        Ok((seed.deserialize(variant)?, NoContent))
    }
}

struct NoContent;

impl<'de> de::VariantAccess<'de> for NoContent {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Unfit> {
        Err(de::Error::custom("a word cannot hold a value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("a word cannot hold a list"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("a word cannot hold a map"))
    }
}

//! The form of resources in documents.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::exception::ExceptionWire;
use super::{Exception, Held, Meta, Resource, Spec, Variant};
use crate::address::Address;
use crate::collection::Collection;

#[derive(Serialize)]
struct EnvelopeRef<'a> {
    address: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: &'a Option<String>,
    #[serde(skip_serializing_if = "Meta::is_default")]
    meta: &'a Meta,
    attributes: &'a Spec,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<ExceptionWire<&'a Spec>>,
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Resource { address, application, meta, spec, exception } = self;
        let exception = exception.as_ref().map(Exception::to_wire);
        EnvelopeRef { address, application, meta, attributes: spec, exception }.serialize(serializer)
    }
}

/// The fields of a resource.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Address,
    Application,
    Meta,
    Attributes,
    Exception,
}

const FIELDS: &[&str] = &["address", "application", "meta", "attributes", "exception"];

/// Attributes: read, or kept until the address has told whose they are.
enum Attributes {
    Read(Spec),
    Unread(Map<String, Value>),
}

impl Attributes {
    fn read<E: Error>(self, address: &Address) -> Result<Spec, E> {
        match self {
            Attributes::Read(spec) => Ok(spec),
            Attributes::Unread(attributes) => Spec::from_json(address.collection(), attributes.into())
                .map_err(|source| E::custom(format_args!("{address}: {source}"))),
        }
    }
}

/// Reads the attributes of a collection as they come.
struct AttributesOf(Collection);

impl<'de> DeserializeSeed<'de> for AttributesOf {
    type Value = Spec;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Spec, D::Error> {
        Spec::deserialize_as(self.0, deserializer)
    }
}

struct ResourceVisitor;

impl<'de> Visitor<'de> for ResourceVisitor {
    type Value = Resource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resource, A::Error> {
        let mut address: Option<Address> = None;
        let mut application: Option<Option<String>> = None;
        let mut meta: Option<Meta> = None;
        let mut attributes: Option<Attributes> = None;
        let mut exception: Option<Option<ExceptionWire<Map<String, Value>>>> = None;
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Address => set(&mut address, "address", map.next_value()?)?,
                Field::Application => set(&mut application, "application", map.next_value()?)?,
                Field::Meta => set(&mut meta, "meta", map.next_value()?)?,
                Field::Exception => set(&mut exception, "exception", map.next_value()?)?,
                Field::Attributes => {
                    let value = match &address {
                        Some(address) => {
                            let read = map.next_value_seed(AttributesOf(address.collection()));
                            Attributes::Read(
                                read.map_err(|source| A::Error::custom(format_args!("{address}: {source}")))?,
                            )
                        }
                        None => Attributes::Unread(map.next_value()?),
                    };
                    set(&mut attributes, "attributes", value)?;
                }
            }
        }
        let address = address.ok_or_else(|| A::Error::missing_field("address"))?;
        let spec = attributes.unwrap_or_else(|| Attributes::Unread(Map::new())).read(&address)?;
        let exception = exception.flatten().map(|wire| read_exception(wire, &address)).transpose()?;
        Ok(Resource { address, application: application.flatten(), meta: meta.unwrap_or_default(), spec, exception })
    }
}

fn set<T, E: Error>(field: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    if field.replace(value).is_some() { Err(E::duplicate_field(name)) } else { Ok(()) }
}

fn read_exception<E: Error>(wire: ExceptionWire<Map<String, Value>>, address: &Address) -> Result<Exception, E> {
    let ExceptionWire { reason, until, state, attributes } = wire;
    let variant = |spec| Held::Instead(Box::new(Variant { state: state.unwrap_or_default(), spec }));
    let spec = attributes.map(|attributes| Attributes::Unread(attributes).read(address)).transpose()?;
    Ok(Exception { reason, until, holds: spec.map_or(Held::Waiver, variant) })
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Resource", FIELDS, ResourceVisitor)
    }
}

//! Names of fleets, hosts and environments: lower-case labels.

/// The longest name, in bytes: that of a DNS label.
pub const MAX_NAME_BYTES: usize = 63;

/// Whether `name` is made of `a-z 0-9 - . _`, starts and ends with a letter or
/// digit, has no `..`, and is at most [`MAX_NAME_BYTES`] long.
///
/// Such a name is safe in a path, a queue name, a URL and a terminal.
pub fn is_name(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= MAX_NAME_BYTES
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|byte| alphanumeric(byte) || matches!(byte, b'-' | b'.' | b'_'))
        && !name.contains("..")
}

/// The name is not of the form that [`is_name`] tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name; use a-z, 0-9, '-', '.' and '_', at most 63 of them, with a letter or digit at both ends")]
pub struct BadName(pub String);

/// Defines a string type that only holds names.
macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::name::BadName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if $crate::name::is_name(text) {
                    Ok($type(text.into()))
                } else {
                    Err($crate::name::BadName(text.to_owned()))
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::from_text::deserialize(deserializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$",
                    "maxLength": 63,
                })
            }
        }
    };
}
pub(crate) use name_type;

#[cfg(test)]
mod tests;

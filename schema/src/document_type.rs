//! The type that every signed document begins with.

/// Defines a unit type that reads and writes as one word, so that a signed
/// document of one type can never be read as another.
macro_rules! document_type {
    ($(#[$doc:meta])* $type:ident = $word:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $type {
            /// The only value.
            #[default]
            #[serde(rename = $word)]
            Is,
        }
    };
}
pub(crate) use document_type;

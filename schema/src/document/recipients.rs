//! Who can read which secret.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Selector;

/// `secrets/recipients.yaml`: who can read which secret. Each secret is a file of age, `secrets/<name>.age`; whom it is
/// encrypted to stands in `secrets/<name>.recipients`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecipientsDocument {
    /// The keys of the people who can read every secret.
    #[schemars(inner(regex(pattern = "^age1[0-9a-z]+$")))]
    pub admins: Vec<String>,
    /// The secrets, by name.
    pub secrets: BTreeMap<String, SecretDocument>,
}

/// Who can read one secret, beside the admins.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretDocument {
    /// The hosts, by their labels.
    pub hosts: Selector,
}

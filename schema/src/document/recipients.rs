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
    /// The keys of sealers. They open the secrets with `sealer: true`, and no others.
    #[schemars(inner(regex(pattern = "^age1[0-9a-z]+$")))]
    pub sealers: Vec<String>,
    /// The secrets, by name.
    pub secrets: BTreeMap<String, SecretDocument>,
}

/// Who can read one secret, beside the admins.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretDocument {
    /// The hosts, by their labels.
    pub hosts: Selector,
    /// Whether the sealers open it as well, and re-encrypt it when hosts come and go. No unless said.
    #[serde(default)]
    pub sealer: bool,
}

impl RecipientsDocument {
    /// The keys of the sealers that open this secret.
    pub fn sealers_of(&self, name: &str) -> &[String] {
        let opens = self.secrets.get(name).is_some_and(|rule| rule.sealer);
        if opens { &self.sealers } else { &[] }
    }
}

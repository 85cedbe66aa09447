//! Packages.

use crate::address::IdForm;
use crate::resource::{Existence, Meta, OrderClass, ResourceSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A package, by the host's package manager.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PackageSpec {
    /// The exact version, or a prefix that ends in `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the manager may change the version on its own (`true`: it may not).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
    /// Whether a lower version than the installed one may be installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_downgrade: Option<bool>,
}

impl ResourceSpec for PackageSpec {
    const ID: IdForm = IdForm::Package;
    const CLASS: Option<OrderClass> = Some(OrderClass::Packages);

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        let both = meta.state == Existence::Latest && self.version.is_some();
        both.then(|| "cannot have a version and the state 'latest'".to_owned())
    }
}

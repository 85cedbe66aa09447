//! Symbolic links.

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSpec {
    /// What the link holds; need not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether a file in its place may be replaced. A directory never is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}

impl ResourceSpec for LinkSpec {
    const ID: IdForm = IdForm::Path;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        self.target.is_none().then(|| "needs a 'target'".to_owned())
    }
}

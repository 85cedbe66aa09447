//! Regular files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::mode::Mode;
use crate::resource::{ContentForm, Meta, NamedAccounts, OrderClass, ResourceSpec};

/// A regular file. On creation it gets root:root and mode 0644 where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileSpec {
    /// Its whole content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobRef>,
    /// The owner: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Tests a candidate before it takes the file's place: an argument vector in
    /// which `{path}` stands for the candidate. Must end with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<Vec<String>>,
    /// Runs after the change; another end than code 0 restores what was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Vec<String>>,
}

impl ResourceSpec for FileSpec {
    const ID: IdForm = IdForm::Path;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Whole;
    const HAS_PERMISSIONS: bool = true;

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.content.map(|content| ("content", content)).into_iter().collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.content = Some(content);
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let empty = self.validate.as_ref().is_some_and(Vec::is_empty);
        empty.then(|| "has an empty list in 'validate'".to_owned())
    }
}

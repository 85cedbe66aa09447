//! Blocks of lines in files that belong to others.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::{Position, check_edited_path, check_position};
use crate::address::IdForm;
use crate::content::BlobRef;
use crate::resource::{ContentForm, Meta, OrderClass, ResourceSpec};
use crate::secret::{Content, SecretContent};

/// Lines between two markers, in a file whose other lines belong to somebody else. The file may not be managed by
/// `files`.
///
/// The markers are lines of their own: `# BEGIN muster NAME` and `# END muster NAME`, with `comment` in front, or what
/// `begin` and `end` say. What is between them belongs to muster alone. A marker that stands twice, or one without the
/// other, is `blocked`. Where there is no block, it is put in at `position`, or beside the line that `after` or
/// `before` finds; in these patterns `*` stands for any text. A file that is missing is made, root:root 0644; its
/// folder is not.
///
/// ```yaml
/// blocks:
///   cluster:
///     path: /etc/hosts
///     content: |
///       10.0.0.1 db-1
///       10.0.0.2 db-2
/// ```
///
/// When it leaves, the block goes with its markers, and one that was found comes back; nothing else of the file is
/// touched. A file that we made goes with the last thing in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlockSpec {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The lines between the markers. Secrets may stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// What begins a comment in this file; `#` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The whole line before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin: Option<String>,
    /// The whole line after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Where a new block is put; at the end where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Finds the one line after which a new block is put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Finds the one line before which a new block is put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl BlockSpec {
    /// Its content, where there are secrets in it.
    pub fn secret(&self) -> Option<&SecretContent> {
        self.content.as_ref()?.secret()
    }

    /// The lines before and after the block of this name.
    pub fn markers(&self, id: &str) -> [String; 2] {
        let comment = self.comment.as_deref().unwrap_or("#");
        [(&self.begin, "BEGIN"), (&self.end, "END")]
            .map(|(given, word)| given.clone().unwrap_or_else(|| format!("{comment} {word} muster {id}")))
    }
}

impl ResourceSpec for BlockSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Whole;
    const EDITS_FILE: bool = true;
    const SECRET_SLOTS: &'static [&'static str] = &["content"];

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.content.iter().filter_map(Content::blob).map(|blob| ("content", blob)).collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.content = Some(content.into());
    }

    fn set_secret_content(&mut self, _: &str, content: SecretContent) {
        self.content = Some(content.into());
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        self.content.iter().filter_map(|content| Some(("content".into(), content.secret()?))).collect()
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        self.content.iter_mut().filter_map(Content::secret_mut).collect()
    }

    fn edited_path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    fn place(&self) -> Option<String> {
        // The name is the same wherever two of these are compared.
        let [begin, end] = self.markers("");
        Some([self.path.as_deref().unwrap_or_default(), &begin, &end].join("\n"))
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if let Some(reason) = check_edited_path(&self.path) {
            return Some(reason);
        }
        match &self.content {
            None => return Some("needs a content: one of 'content', 'source' and 'template'".to_owned()),
            Some(content) => {
                if let Some(fault) = content.secret().and_then(SecretContent::fault) {
                    return Some(fault);
                }
            }
        }
        let [begin, end] = self.markers("");
        if begin == end {
            return Some("has the same marker before and after the block".to_owned());
        }
        if [&begin, &end].iter().any(|marker| marker.trim().is_empty() || marker.contains(['\n', '\r'])) {
            return Some("has a marker that is not one line".to_owned());
        }
        check_position(self.position, &self.after, &self.before)
    }
}

//! Single lines in files that belong to others.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::{IdForm, is_clean_absolute};
use crate::glob;
use crate::resource::{Meta, OrderClass, ResourceSpec};
use crate::secret::{SecretContent, Text};

/// Where something is put into a file that does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Before everything else.
    Start,
    /// After everything else.
    End,
}

/// One line in a file whose other lines belong to somebody else. The file may not be managed by `files`.
///
/// The line that `match` finds becomes `line`; where none is found, `line` is put in at `position`, or beside the line
/// that `after` or `before` finds. A line that is there already stays where it is. Several lines that `match` finds
/// are `blocked`: muster does not guess which one is meant. In patterns `*` stands for any text, and a pattern is
/// about the whole line. A file that is missing is made, root:root 0644; its folder is not.
///
/// ```yaml
/// lines:
///   root-login: {path: /etc/ssh/sshd_config, line: "PermitRootLogin no", match: "*PermitRootLogin *"}
///   nfs-share: {path: /etc/exports, line: "/srv 10.0.0.0/8(ro)"}
/// ```
///
/// When it leaves, the line that was found comes back in its place, and a line that was put in goes; nothing else of
/// the file is touched. A file that we made goes with the last thing in it. With `state: absent` a line goes, and comes
/// back at `position`, because where it was is not known any more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineSpec {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The whole line, without the line feed at its end. Secrets may stand in it where `match` finds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Text>,
    /// Finds the line that is to become `line`, which it has to find too; `line` itself where nothing is said.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matching: Option<String>,
    /// Where a new line is put; at the end where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Finds the one line after which a new line is put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Finds the one line before which a new line is put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl LineSpec {
    /// Its line, where there are secrets in it.
    pub fn secret(&self) -> Option<&SecretContent> {
        self.line.as_ref()?.secret()
    }
}

impl ResourceSpec for LineSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const EDITS_FILE: bool = true;
    const SECRET_TEXTS: &'static [&'static str] = &["line"];

    fn set_secret_content(&mut self, _: &str, content: SecretContent) {
        self.line = Some(content.into());
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        self.line.iter().filter_map(|line| Some(("line".into(), line.secret()?))).collect()
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        self.line.iter_mut().filter_map(Text::secret_mut).collect()
    }

    fn edited_path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    fn place(&self) -> Option<String> {
        let finder = self.matching.as_deref().or(self.line.as_ref().and_then(Text::plain));
        Some(format!("{}\n{}", self.path.as_deref().unwrap_or_default(), finder.unwrap_or_default()))
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if let Some(reason) = check_edited_path(&self.path) {
            return Some(reason);
        }
        let line = match &self.line {
            Some(Text::Plain(line)) if !line.is_empty() => line,
            Some(Text::Secret(secret)) => {
                // Another secret has to find the line with the old one.
                let unfound = || "has a secret in 'line', and no 'match' that finds it".to_owned();
                let fault = secret.fault().or_else(|| self.matching.is_none().then(unfound));
                return fault.or_else(|| check_position(self.position, &self.after, &self.before));
            }
            _ => return Some("needs a 'line'".to_owned()),
        };
        if line.contains(['\n', '\r']) {
            return Some("has a line feed in 'line'; several lines are a block".to_owned());
        }
        if self.matching.as_ref().is_some_and(|pattern| !glob::matches(pattern, line)) {
            return Some(
                "has a 'match' that does not find its own 'line', which would be put in again each time".to_owned(),
            );
        }
        check_position(self.position, &self.after, &self.before)
    }
}

/// Whether the path of a file to edit is one.
pub(super) fn check_edited_path(path: &Option<String>) -> Option<String> {
    match path.as_deref() {
        None => Some("needs a 'path'".to_owned()),
        Some(path) if !is_clean_absolute(path) => Some(format!("has no clean absolute path in 'path', but {path:?}")),
        Some(_) => None,
    }
}

/// Only one place can be meant.
pub(super) fn check_position(
    position: Option<Position>,
    after: &Option<String>,
    before: &Option<String>,
) -> Option<String> {
    let places = usize::from(position.is_some()) + usize::from(after.is_some()) + usize::from(before.is_some());
    (places > 1).then(|| "has more than one of 'position', 'after' and 'before'".to_owned())
}

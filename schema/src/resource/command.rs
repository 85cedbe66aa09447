//! Commands with guards.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::resource::{ContentForm, Meta, NamedAccounts, Reactions, ResourceSpec};
use crate::secret::{Content, SecretContent, Text};

/// How a command is undone when its resource leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UndoSpec {
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// A script, run by `argv` or by its own first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<BlobRef>,
}

/// A command. No shell stands between muster and the program.
///
/// It runs when no guard says that its effect is there. With `run_on` and no
/// guard it runs only as a reaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CommandSpec {
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// A script, written to a private file; its path follows `argv`, or it runs by its own first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<BlobRef>,
    /// What the command reads on standard input; nothing where nothing is said. Secrets may stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Content>,
    /// The path that the command makes: it runs only where that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// It does not run when this ends with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Vec<String>>,
    /// It runs only when this ends with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Vec<String>>,
    /// It runs once for each value that this takes, and the host remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// What undoes it; runs on removal, only where the command was run by muster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSpec>,
    /// The working directory; `/` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The user it runs as; root where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variables; nothing is inherited but PATH, HOME and LANG=C.UTF-8. Secrets may stand in them; what a
    /// command with secrets says when it fails is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, Text>>,
    /// The exit codes that mean success; 0 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok_codes: Option<Vec<i32>>,
}

impl ResourceSpec for CommandSpec {
    const ID: IdForm = IdForm::Free;
    const REACTIONS: Reactions = Reactions::Run;
    const CONTENTS: ContentForm = ContentForm::Attributes(&["script", "stdin", "undo.script"]);
    // Not the script, which is in a file while it runs.
    const SECRET_SLOTS: &'static [&'static str] = &["stdin"];
    const SECRET_TEXTS: &'static [&'static str] = &["env.*"];

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        let undo = self.undo.as_ref().and_then(|undo| undo.script);
        let stdin = self.stdin.as_ref().and_then(Content::blob);
        let slots = [("script", self.script), ("stdin", stdin), ("undo.script", undo)];
        slots.into_iter().filter_map(|(slot, blob)| Some((slot, blob?))).collect()
    }

    fn set_content(&mut self, slot: &str, content: BlobRef) {
        match slot {
            "script" => self.script = Some(content),
            "stdin" => self.stdin = Some(content.into()),
            _ => self.undo.get_or_insert_default().script = Some(content),
        }
    }

    fn set_secret_content(&mut self, slot: &str, content: SecretContent) {
        match slot.strip_prefix("env.") {
            Some(name) => _ = self.env.get_or_insert_default().insert(name.to_owned(), content.into()),
            None => self.stdin = Some(content.into()),
        }
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        let stdin = self.stdin.iter().filter_map(|stdin| Some(("stdin".into(), stdin.secret()?)));
        let env =
            self.env.iter().flatten().filter_map(|(name, text)| Some((format!("env.{name}").into(), text.secret()?)));
        stdin.chain(env).collect()
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        let env = self.env.iter_mut().flat_map(BTreeMap::values_mut).filter_map(Text::secret_mut);
        self.stdin.iter_mut().filter_map(Content::secret_mut).chain(env).collect()
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_user(&self.user)
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let runs_nothing = self.script.is_none() && self.argv.as_ref().is_none_or(Vec::is_empty);
        if runs_nothing {
            return Some("manages nothing: 'argv' or 'script' is missing".to_owned());
        }
        let mut secrets = self.secrets().into_iter().map(|(_, content)| content);
        if let Some(fault) = secrets.find_map(SecretContent::fault) {
            return Some(fault);
        }
        // It runs when the manifest that brought them is gone.
        let in_env = self.env.iter().flat_map(BTreeMap::values).any(|text| text.secret().is_some());
        (in_env && self.undo.is_some())
            .then(|| "has secrets in 'env' and an 'undo', which could not have them".to_owned())
    }
}

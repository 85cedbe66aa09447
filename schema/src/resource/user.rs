//! Users.

use std::borrow::Cow;

use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, ResourceSpec};
use crate::secret::{SecretContent, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a list of members is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// At least these.
    #[default]
    Min,
    /// Exactly these.
    Exact,
}

/// A user of the local account database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserSpec {
    /// The user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The primary group: a name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Further groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// How `groups` is meant; `min` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
    /// The home directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Whether a home that is missing is made, from /etc/skel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_home: Option<bool>,
    /// The login shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// The comment (GECOS) field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The password's hash in crypt(5) form. It may be a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Text>,
    /// Whether the password is locked (`!` in front of the hash).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// The last day the account works, as YYYY-MM-DD, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether it is made as a system user; read on creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<bool>,
}

impl UserSpec {
    /// Its password, where there are secrets in it.
    pub fn secret(&self) -> Option<&SecretContent> {
        self.password.as_ref()?.secret()
    }
}

impl ResourceSpec for UserSpec {
    const ID: IdForm = IdForm::Account;
    const SECRET_TEXTS: &'static [&'static str] = &["password"];

    fn set_secret_content(&mut self, _: &str, content: SecretContent) {
        self.password = Some(content.into());
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        self.password.iter().filter_map(|password| Some(("password".into(), password.secret()?))).collect()
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        self.password.iter_mut().filter_map(Text::secret_mut).collect()
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        let groups = self.group.iter().chain(self.groups.iter().flatten());
        NamedAccounts { users: Vec::new(), groups: groups.map(String::as_str).collect() }
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        self.secret()?.fault()
    }
}

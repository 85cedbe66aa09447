//! The host's language and its customs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// The variables of locale(7) that a host may have.
pub const LOCALE_VARIABLES: [&str; 14] = [
    "LANG",
    "LANGUAGE",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

/// The host's language and customs: variables in `/etc/default/locale` on Debian, in `/etc/locale.conf` elsewhere, and
/// which locales are generated. There is one, with the id `system`.
///
/// ```yaml
/// locale:
///   system:
///     lang: de_DE.UTF-8
///     variables: {LC_MESSAGES: C.UTF-8}
///     generate: [de_DE.UTF-8 UTF-8]
/// ```
///
/// Variables that are not named stay as they are. `generate` names lines of `/etc/locale.gen` that are enabled; when
/// one is missing it is, and `locale-gen` runs. It needs the package `locales`. Sessions that are open keep what they
/// have.
///
/// When the resource leaves, variables get what was found, and locales that it added are disabled again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LocaleSpec {
    /// The variable LANG: what counts where no other variable does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Further variables: LANGUAGE, LC_TIME and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<BTreeMap<String, String>>,
    /// Locales with their character sets, as `/etc/locale.gen` has them; at least these are generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate: Option<Vec<String>>,
}

impl ResourceSpec for LocaleSpec {
    const ID: IdForm = IdForm::Single("system");
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if *self == LocaleSpec::default() {
            return Some("manages nothing: say 'lang', 'variables' or 'generate'".to_owned());
        }
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b':' | b'-'))
        };
        let variables = self.variables.iter().flatten();
        for (name, value) in variables {
            if !LOCALE_VARIABLES.contains(&name.as_str()) || (name == "LANG" && self.lang.is_some()) {
                return Some(format!("has a variable {name:?}: take LANGUAGE or one of LC_*, and 'lang' for LANG"));
            }
            if !is_word(value) {
                return Some(format!("has {value:?}, which is no locale"));
            }
        }
        if let Some(lang) = self.lang.as_ref().filter(|lang| !is_word(lang)) {
            return Some(format!("has {lang:?}, which is no locale"));
        }
        let line = self
            .generate
            .iter()
            .flatten()
            .find(|line| line.split(' ').count() != 2 || !line.split(' ').all(is_word))?;
        Some(format!("has {line:?} in 'generate': write it as in \"de_DE.UTF-8 UTF-8\""))
    }
}

//! Writes into `secrets/recipients.yaml`, and leaves what people wrote as it is.

use std::sync::Arc;

use muster_schema::document::{RecipientsDocument, Selector};
use muster_schema::secret::SecretName;

use crate::model::{RECIPIENTS_FILE, load_yaml};

/// Why the document is not changed.
#[derive(Debug, thiserror::Error)]
pub enum RuleFault {
    /// It is faulty already.
    #[error("{RECIPIENTS_FILE} is faulty; see: muster validate")]
    Faulty,
    /// It says something else.
    #[error(
        "{RECIPIENTS_FILE} gives the secret {name} to hosts of '{found}'; change it there, then run: muster secret rekey {name}"
    )]
    Other {
        /// The secret.
        name: SecretName,
        /// Who has it.
        found: Selector,
    },
    /// Nothing says who is to have it.
    #[error("which hosts are to have the secret {0}? Say it by --hosts, as in --hosts role=db")]
    NoHosts(SecretName),
    /// It is of no form that this edit knows.
    #[error("write it into {RECIPIENTS_FILE} by hand: {0}")]
    Form(String),
}

/// The document with a rule for `name`, and with `admins` if it has none yet; none where it stays as it is.
///
/// # Errors
/// When it says something else already, or is of no form that this edit knows.
pub fn with_rule(
    text: Option<&str>,
    name: &SecretName,
    hosts: Option<&Selector>,
    admins: &[String],
) -> Result<(RecipientsDocument, Option<String>), RuleFault> {
    let before = text.unwrap_or_default();
    let mut document = load(before).ok_or(RuleFault::Faulty)?;
    let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
    let mut changed = false;
    if document.admins.is_empty() && !admins.is_empty() {
        lines.retain(|line| !matches!(line.trim_end(), "admins:" | "admins: []"));
        lines.push("admins:".to_owned());
        lines.extend(admins.iter().map(|admin| format!("  - {admin}")));
        document.admins = admins.to_vec();
        changed = true;
    }
    let wanted = match (document.secrets.get(name.as_str()), hosts) {
        (None, None) => return Err(RuleFault::NoHosts(name.clone())),
        (Some(rule), Some(hosts)) if rule.hosts != *hosts => {
            return Err(RuleFault::Other { name: name.clone(), found: rule.hosts.clone() });
        }
        (Some(_), _) => None,
        (None, Some(hosts)) => Some(hosts),
    };
    if let Some(hosts) = wanted {
        let line = format!("  {name}: {{hosts: \"{hosts}\"}}");
        match lines.iter().position(|line| line.trim_end() == "secrets:") {
            Some(at) => lines.insert(at + 1, line),
            None => lines.extend(["secrets:".to_owned(), line]),
        }
        let rule = serde_json::json!({"hosts": hosts.to_string()});
        let rule = serde_json::from_value(rule).map_err(|_| RuleFault::Faulty)?;
        document.secrets.insert(name.to_string(), rule);
        changed = true;
    }
    if !changed {
        return Ok((document, None));
    }
    let after = format!("{}\n", lines.join("\n"));
    // What a person wrote in another form is left to that person.
    match load(&after) {
        Some(found) if found == document => Ok((document, Some(after))),
        _ => Err(RuleFault::Form(lines.last().map_or_else(String::new, |line| line.trim().to_owned()))),
    }
}

fn load(text: &str) -> Option<RecipientsDocument> {
    let root = load_yaml(&Arc::from(RECIPIENTS_FILE), text.as_bytes()).ok()?;
    if root.is_null() {
        return Some(RecipientsDocument::default());
    }
    serde_json::from_value(root.to_json()).ok()
}

//! What the kernel has of our table, by `nft -j` (libnftables-json(5)).

use crate::host::{FileKind, HostPath, Program};
use crate::resource::system_text::load_text;
use crate::resource::{ResourceError, View};
use serde_json::Value;
use std::collections::BTreeMap;

const UFW: &str = "/etc/ufw/ufw.conf";
const ACCEPT: &str = "accept";

/// The rules that say whose they are, once per look.
pub(super) struct KernelRules {
    comments: BTreeMap<String, Vec<String>>,
    /// What happens to what no rule names.
    pub(super) policy: String,
}

impl KernelRules {
    /// Asks the kernel.
    ///
    /// # Errors
    /// `Blocked` without nftables, and where another firewall is active.
    pub(super) fn load(view: &View<'_>) -> Result<KernelRules, ResourceError> {
        check_alone(view)?;
        let tables = ask(view, &["nft", "-j", "list", "tables"])?;
        let names: Vec<&str> =
            tables.iter().filter_map(|one| one.pointer("/table/name").and_then(Value::as_str)).collect();
        if names.contains(&"firewalld") {
            return Err(ResourceError::Blocked("firewalld is active, and two firewalls would fight".to_owned()));
        }
        let mut rules = KernelRules { comments: BTreeMap::new(), policy: ACCEPT.to_owned() };
        if !names.contains(&"muster") {
            return Ok(rules);
        }
        for object in ask(view, &["nft", "-j", "list", "table", "inet", "muster"])? {
            if let Some(policy) = object.pointer("/chain/policy").and_then(Value::as_str) {
                policy.clone_into(&mut rules.policy);
            }
            let comment = object.pointer("/rule/comment").and_then(Value::as_str);
            if let Some((name, rest)) = comment.and_then(|comment| comment.split_once(' ')) {
                rules.comments.entry(name.to_owned()).or_default().push(rest.to_owned());
            }
        }
        Ok(rules)
    }

    /// The names of all sections.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.comments.keys().map(String::as_str)
    }

    /// The digest of a section, where its rules are all there, in order, and no others.
    pub(super) fn digest(&self, name: &str) -> Option<String> {
        let comments = self.comments.get(name)?;
        let digest = comments.first()?.split_once(' ')?.1;
        let count = comments.len();
        let whole = comments.iter().enumerate().all(|(at, found)| *found == format!("{}/{count} {digest}", at + 1));
        Some(if whole { digest.to_owned() } else { "in parts".to_owned() })
    }
}

fn ask(view: &View<'_>, argv: &[&str]) -> Result<Vec<Value>, ResourceError> {
    let output = view.host().query(&Program::new(argv.iter().copied()))?;
    if !output.success() {
        return Err(ResourceError::Program {
            program: "nft".to_owned(),
            code: output.code,
            message: output.last_words(),
        });
    }
    let document: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| ResourceError::Failed(format!("nft: {error}")))?;
    Ok(document.get("nftables").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// Without nftables there is nothing to do, and beside another firewall there is too much.
fn check_alone(view: &View<'_>) -> Result<(), ResourceError> {
    let programs = ["/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft"];
    let paths = programs.iter().filter_map(|path| HostPath::new(path).ok());
    let mut there = false;
    for path in paths {
        there |= view.reader().meta(&path)?.is_some_and(|meta| meta.kind != FileKind::Directory);
    }
    if !there {
        return Err(ResourceError::Blocked("nftables is not installed".to_owned()));
    }
    let Ok(ufw) = HostPath::new(UFW) else { return Ok(()) };
    let text = load_text(&ufw, view.reader().as_mut())?.unwrap_or_default();
    if text.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes")) {
        return Err(ResourceError::Blocked("ufw is active, and two firewalls would fight".to_owned()));
    }
    Ok(())
}

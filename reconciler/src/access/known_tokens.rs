//! Which tokens the audit log tells of, so that each one that is made or taken back stands in it.

use std::collections::BTreeMap;

use muster_schema::Timestamp;

use super::{Token, TokenList};
use crate::audit::{AuditEntry, Decision};

/// Whoever may write the file of tokens.
const WHO: &str = "local";
const ACTION: &str = "token ";
const CREATED: &str = "TokenCreated";
const REVOKED: &str = "TokenRevoked";

/// Tokens by name, and what is said of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownTokens(BTreeMap<String, Said>);

/// With which hosts, and which token with what rights for how long.
type Said = (String, String);

impl KnownTokens {
    /// Those that a log tells of at its end.
    pub fn of_log(entries: &[AuditEntry]) -> KnownTokens {
        let mut known = BTreeMap::new();
        for entry in entries {
            let Some(name) = entry.action.strip_prefix(ACTION) else { continue };
            match entry.code.as_str() {
                CREATED => drop(known.insert(name.to_owned(), (entry.hosts.clone(), entry.reason.clone()))),
                REVOKED => drop(known.remove(name)),
                _ => {}
            }
        }
        KnownTokens(known)
    }

    /// What is to be written down where `tokens` are what there is, and what is known then.
    pub fn compare(&self, tokens: &TokenList, now: Timestamp) -> (Vec<AuditEntry>, KnownTokens) {
        let there: BTreeMap<String, Said> =
            tokens.tokens.iter().map(|token| (token.name.clone(), said(token))).collect();
        let gone = self.0.iter().filter(|(name, said)| there.get(*name) != Some(said)).map(|line| (line, REVOKED));
        let new = there.iter().filter(|(name, said)| self.0.get(*name) != Some(said)).map(|line| (line, CREATED));
        let entry = |((name, (hosts, reason)), code): ((&String, &Said), &str)| {
            let entry = AuditEntry::new(now, WHO, format!("{ACTION}{name}"), Decision::Allow, code);
            AuditEntry { hosts: hosts.clone(), ..entry.because(reason) }
        };
        (gone.chain(new).map(entry).collect(), KnownTokens(there))
    }
}

/// The first digits of its digest tell it from another token of its name.
fn said(token: &Token) -> Said {
    let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
    let digest: String = token.sha256.to_string().chars().take(12).collect();
    let person = token.principal.as_ref().map_or_else(String::new, |principal| format!(" for {principal}"));
    (token.hosts.to_string(), format!("{digest}{person}: {} until {}", scopes.join(", "), token.expires))
}

//! The rules of one resource, by nft(8).

use muster_schema::Sha256Digest;
use muster_schema::resource::{FirewallAction, FirewallPolicy, FirewallProtocol, FirewallSpec};

/// What stands between the rules of a section where they are one text.
pub(super) const BETWEEN: &str = " ; ";
/// A rule that changes nothing and says that the section is there.
const MARK: &str = "continue";

pub(super) fn policy_word(policy: FirewallPolicy) -> &'static str {
    match policy {
        FirewallPolicy::Accept => "accept",
        FirewallPolicy::Drop => "drop",
    }
}

/// The rules in one text, without comments.
pub(super) fn render_section(spec: &FirewallSpec) -> String {
    let mut parts: Vec<String> =
        spec.policy.map(|policy| format!("policy {}", policy_word(policy))).into_iter().collect();
    let ports: Vec<String> = spec.ports.iter().flatten().map(ToString::to_string).collect();
    let interfaces: Vec<String> = spec.interfaces.iter().flatten().map(|name| format!("\"{name}\"")).collect();
    let sources: Vec<String> = spec.sources.iter().flatten().cloned().collect();
    let protocol = match spec.protocol.unwrap_or_default() {
        FirewallProtocol::Tcp => "tcp",
        FirewallProtocol::Udp => "udp",
    };
    let action = match spec.action.unwrap_or_default() {
        FirewallAction::Accept => "accept",
        FirewallAction::Drop => "drop",
        FirewallAction::Reject => "reject",
    };
    if ports.is_empty() && interfaces.is_empty() && sources.is_empty() {
        parts.push(MARK.to_owned());
        return parts.join(BETWEEN);
    }
    let (new, old): (Vec<String>, Vec<String>) = sources.iter().cloned().partition(|source| source.contains(':'));
    let from = [("ip saddr", old), ("ip6 saddr", new)];
    let from: Vec<String> =
        from.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| one_of(key, &list)).collect();
    let everywhere = [String::new()];
    for source in if sources.is_empty() { everywhere.as_slice() } else { &from } {
        let matches = [
            one_of("iifname", &interfaces),
            source.clone(),
            one_of(&format!("{protocol} dport"), &ports),
            action.to_owned(),
        ];
        let words: Vec<&str> = matches.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        parts.push(words.join(" "));
    }
    parts.join(BETWEEN)
}

/// A match of one of several values; nothing where there is none.
fn one_of(key: &str, values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!("{key} {{ {} }}", values.join(", ")) }
}

/// Stands for a section in comments.
pub(super) fn digest_of(section: &str) -> String {
    let digest = Sha256Digest::of(section.as_bytes()).to_string();
    digest.get(..16).unwrap_or(&digest).to_owned()
}

/// The rules as they stand in the chain, each with a comment that tells whose it is and which one of how many.
pub(super) fn commented_rules(name: &str, section: &str) -> Vec<String> {
    let is_policy = |part: &&str| part.starts_with("policy ");
    let count = section.split(BETWEEN).filter(|part| !is_policy(part)).count();
    let digest = digest_of(section);
    let mut at = 0;
    let line = |part: &str| {
        if is_policy(&part) {
            return format!("{part};");
        }
        at += 1;
        format!("{part} comment \"{name} {at}/{count} {digest}\"")
    };
    section.split(BETWEEN).map(line).collect()
}

//! The rules of ARCHITECTURE and the house style that neither compiler nor clippy keeps.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "tidy/attacks.rs"]
mod attacks;
#[path = "tidy/generated.rs"]
mod generated;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

/// Fails with all findings at once.
fn check(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

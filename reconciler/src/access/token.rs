//! A token, as it is kept: whoever reads the list cannot use what is in it.

use std::collections::BTreeSet;
use std::time::Duration;

use muster_schema::document::Selector;
use muster_schema::{Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use super::Scope;

/// What tokens begin with, so that people and scanners for secrets know one.
const PREFIX: &str = "muster_";
/// Random bytes in a token.
const SECRET: usize = 32;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 63;

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Who or what has it. The audit log names it.
    pub name: String,
    /// SHA-256 of the token. It has 256 random bits, so that nothing slower is needed.
    pub sha256: Sha256Digest,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// With which hosts, by their labels.
    #[serde(serialize_with = "as_text")]
    pub hosts: Selector,
    /// A person whom the state repository lists: beside the scopes, the rules of its policy for that person count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

/// All tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenList {
    /// In the order in which they were made.
    pub tokens: Vec<Token>,
}

/// A token cannot be made or taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// Another has the name.
    #[error("there is a token '{0}' already")]
    Taken(String),
    /// The name is none.
    #[error("a token's name is 1 to {LONGEST_NAME} letters, digits, '-', '_' or '.'")]
    Name,
    /// There is none of this name.
    #[error("there is no token '{0}'")]
    Unknown(String),
}

impl Token {
    /// A token, and the text that is given to who is to have it and kept nowhere.
    pub fn make(
        name: &str,
        secret: [u8; SECRET],
        scopes: BTreeSet<Scope>,
        hosts: Selector,
        now: Timestamp,
        life: Duration,
    ) -> (Token, String) {
        let text = format!("{PREFIX}{}", hex::encode(secret));
        let sha256 = Sha256Digest::of(text.as_bytes());
        let (name, expires) = (name.to_owned(), now.plus(life));
        (Token { name, sha256, scopes, hosts, principal: None, created: now, expires }, text)
    }

    /// Whether it is worth nothing any more.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }
}

impl TokenList {
    /// Adds a token.
    ///
    /// # Errors
    /// When its name is none, or taken.
    pub fn add(&mut self, token: Token) -> Result<(), BadToken> {
        check_name(&token.name)?;
        if self.tokens.iter().any(|other| other.name == token.name) {
            return Err(BadToken::Taken(token.name));
        }
        self.tokens.push(token);
        Ok(())
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn revoke(&mut self, name: &str) -> Result<(), BadToken> {
        let before = self.tokens.len();
        self.tokens.retain(|token| token.name != name);
        if self.tokens.len() == before { Err(BadToken::Unknown(name.to_owned())) } else { Ok(()) }
    }

    /// The token of this text. All are compared, each to its end: the time that it takes tells nothing.
    pub fn find(&self, text: &str) -> Option<&Token> {
        let digest = Sha256Digest::of(text.as_bytes()).to_string();
        let mut found = None;
        for token in &self.tokens {
            if is_same(&token.sha256.to_string(), &digest) {
                found = Some(token);
            }
        }
        found
    }
}

/// Whether a token may have this name: it stands in the audit log and in tables.
///
/// # Errors
/// When it is empty, too long, or has other characters.
pub fn check_name(name: &str) -> Result<(), BadToken> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) { Err(BadToken::Name) } else { Ok(()) }
}

fn is_same(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0_u8, |all, (one, other)| all | (one ^ other));
    std::hint::black_box(differing) == 0 && one.len() == other.len()
}

fn as_text<S: Serializer>(selector: &Selector, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(selector)
}

//! Who asks, and whether they may.

use std::collections::BTreeMap;

use super::{Scope, Token};

/// Whoever reaches the API from this machine, where there are no tokens.
const LOCAL: &str = "local";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A program on the orchestrator's own machine, where there are no tokens. It may do everything.
    Local,
    /// Who has this token.
    Token(Box<Token>),
}

/// It may not, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(String);

impl Caller {
    /// As the audit log names it.
    pub fn name(&self) -> String {
        match self {
            Caller::Local => LOCAL.to_owned(),
            Caller::Token(token) => format!("token:{}", token.name),
        }
    }

    /// The person whose rights bound it.
    pub fn principal(&self) -> Option<&str> {
        match self {
            Caller::Local => None,
            Caller::Token(token) => token.principal.as_deref(),
        }
    }

    /// Whether it may do this at all, be it with some hosts only.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_scope(&self, scope: Scope) -> Result<(), Denied> {
        match self {
            Caller::Token(token) if !token.scopes.contains(&scope) => {
                Err(Denied(format!("token '{}' has no scope '{scope}'", token.name)))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may do this with all hosts, and with what is of no host alone.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_fleet(&self, scope: Scope) -> Result<(), Denied> {
        self.check_scope(scope)?;
        match self {
            Caller::Token(token) if token.hosts.to_string() != "*" => Err(Denied(format!(
                "token '{}' is for the hosts '{}', and this is about the whole fleet",
                token.name, token.hosts
            ))),
            _ => Ok(()),
        }
    }

    /// Whether it may do this with a host of these labels; `None` is a host that is not known.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_host(&self, scope: Scope, labels: Option<&BTreeMap<String, String>>) -> Result<(), Denied> {
        let Some(labels) = labels else { return self.check_fleet(scope) };
        self.check_scope(scope)?;
        match self {
            Caller::Token(token) if !token.hosts.selects(labels) => {
                Err(Denied(format!("token '{}' is for the hosts '{}' only", token.name, token.hosts)))
            }
            _ => Ok(()),
        }
    }
}

//! Machines that are hosts by enrolment tokens, as the orchestrator tells of them.

use anyhow::Context;
use muster_schema::message::TokenClaim;
use muster_schema::{CommitId, HostId, PublicKey, Timestamp};
use serde::Deserialize;

use super::super::server::Server;
use crate::status::{Binding, Standing};

/// A token, as far as it is of interest here.
#[derive(Debug, Deserialize)]
struct Token {
    name: String,
    expires: Timestamp,
    state: String,
    used: Option<Use>,
}

#[derive(Debug, Deserialize)]
struct Use {
    host: HostId,
    key: PublicKey,
    at: Timestamp,
    revision: CommitId,
    environment: String,
    recipient: String,
    claim: TokenClaim,
}

/// How the orchestrator says that a machine became this host by a token, where it is that; nothing is checked yet.
pub(super) fn fetch_binding(server: &Server, id: &HostId) -> Result<Option<Binding>, anyhow::Error> {
    let tokens: Vec<Token> = serde_json::from_value(server.fetch("enrolment/tokens")?)
        .context("the orchestrator's list of enrolment tokens has an unknown form")?;
    let used = tokens.into_iter().filter(|token| token.state == "used");
    let mut uses = used.filter_map(|token| Some((token.name, token.expires, token.used?)));
    let Some((name, expires, used)) = uses.find(|(.., used)| used.host == *id) else { return Ok(None) };
    let Use { host, key, at, revision, environment, recipient, claim } = used;
    let (confirmed, ended, standing) = (false, None, Standing::Unchecked);
    let binding =
        Binding { name, revision, expires, host, environment, key, recipient, claim, at, confirmed, ended, standing };
    Ok(Some(binding))
}

//! Machines that are hosts by enrolment tokens, as the orchestrator tells of them.

use muster_schema::HostId;
use muster_schema::fleet_api::{TokenState, TokenUse, TokenView};

use super::super::server::Server;
use crate::status::{Binding, Standing};

/// How the orchestrator says that a machine became this host by a token, where it is that; nothing is checked yet.
pub(super) fn fetch_binding(server: &Server, id: &HostId) -> Result<Option<Binding>, anyhow::Error> {
    let tokens: Vec<TokenView> = server.fetch_list("enrolment/tokens")?;
    let used = tokens.into_iter().filter(|token| token.state == TokenState::Used);
    let mut uses = used.filter_map(|token| Some((token.name, token.expires, token.used?)));
    let Some((name, expires, used)) = uses.find(|(.., used)| used.host == *id) else { return Ok(None) };
    let TokenUse { host, key, at, revision, environment, recipient, claim, .. } = used;
    let (confirmed, ended, standing) = (false, None, Standing::Unchecked);
    let binding =
        Binding { name, revision, expires, host, environment, key, recipient, claim, at, confirmed, ended, standing };
    Ok(Some(binding))
}

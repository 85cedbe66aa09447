//! Who asks, and whether they may: before every request of the API.
//!
//! Without tokens only programs on this machine are let in, and may do everything, as they may read the keys beside.
//! Where there are tokens, everybody needs one, on this machine too: a proxy's requests come from here.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use muster_schema::HostId;
use muster_schema::api::{Problem, ProblemReason};

use super::live::refused;
use crate::access::{Caller, Denied, KnownTokens, Scope, TokenList};
use crate::audit::{AuditEntry, Decision, load_entries};
use crate::io::audit::{AuditError, AuditLog, read_log};
use crate::io::clock;
use crate::io::token_file::TokenFile;
use crate::state::SharedState;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 256;

/// What access goes by.
#[derive(Debug)]
pub struct Access {
    tokens: TokenFile,
    /// Those that the audit log tells of, and the list that was compared with it last.
    known: Mutex<(KnownTokens, Arc<TokenList>)>,
    state: Arc<SharedState>,
    audit: Arc<AuditLog>,
}

/// Put there by [`crate::io::bus::serve_http`].
type ClientAddress = Option<Extension<ConnectInfo<SocketAddr>>>;

impl Access {
    /// By the tokens in this data folder. Those that came or went since the audit log was written are written down.
    ///
    /// # Errors
    /// When the audit log cannot be read or written.
    pub fn new(data: &Path, state: Arc<SharedState>, audit: Arc<AuditLog>) -> Result<Access, AuditError> {
        let known = KnownTokens::of_log(&load_entries(&read_log(audit.folder())?));
        let access = Access { tokens: TokenFile::new(data), known: Mutex::new((known, Arc::default())), state, audit };
        // A file that cannot be read lets nobody in, and tells nothing of tokens.
        if let Ok(tokens) = access.tokens.load() {
            access.note_tokens(&tokens.unwrap_or_default())?;
        }
        Ok(access)
    }

    /// Lets nobody reach these routes who may not. Handlers get the [`Caller`].
    pub fn protect(self: Arc<Self>, routes: Router) -> Router {
        routes.route_layer(from_fn_with_state(self, admit))
    }

    fn identify(&self, headers: &HeaderMap, is_local: bool) -> Result<Caller, Problem> {
        let tokens = self.tokens.load().map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "nobody is let in");
            Problem::new(ProblemReason::Busy, "the tokens cannot be read, so nobody is let in")
        })?;
        self.note_tokens(&tokens.clone().unwrap_or_default()).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "nobody is let in");
            Problem::new(ProblemReason::Busy, "who has a token cannot be written down, so nobody is let in")
        })?;
        let stranger = |detail: &str| Problem::new(ProblemReason::Unauthorized, detail);
        let needed = || stranger("a token is needed here").with_hint("pass --token-file FILE, or set MUSTER_TOKEN");
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        match (given.next(), given.next(), tokens) {
            (None, _, None) if is_local => Ok(Caller::Local),
            (None, ..) => Err(needed()),
            (Some(_), Some(_), _) => Err(stranger("there is more than one Authorization")),
            (Some(given), None, tokens) => {
                let text = bearer(given).ok_or_else(|| stranger("Authorization is not 'Bearer TOKEN'"))?;
                let tokens = tokens.unwrap_or_default();
                let token = tokens.find(text).ok_or_else(|| stranger("this token is not known, or was revoked"))?;
                if token.has_expired(clock::now()) {
                    let detail = format!("token '{}' has expired at {}", token.name, token.expires);
                    return Err(stranger(&detail).with_hint("have another made by 'muster token create'"));
                }
                Ok(Caller::Token(Box::new(token.clone())))
            }
        }
    }

    /// Whether it may read what is at this path of the orchestrator's own.
    fn check_read(&self, caller: &Caller, path: &str) -> Result<(), Denied> {
        if ["/api/v1/docs", "/api/v1/openapi.json"].contains(&path) {
            return caller.check_scope(Scope::Read);
        }
        match path.strip_prefix("/api/v1/hosts") {
            // The list holds those that it may see.
            Some("" | "/") => caller.check_scope(Scope::Read),
            Some(rest) => {
                // A name that is written in another way is of no host that we know, here.
                let id = rest.strip_prefix('/').and_then(|id| id.parse::<HostId>().ok());
                let fleet = self.state.fleet();
                let host = id.and_then(|id| fleet.hosts.get(&id));
                caller.check_host(Scope::Read, host.map(|host| &host.labels))
            }
            None => caller.check_fleet(Scope::Read),
        }
    }

    /// Writes down which tokens came and went.
    fn note_tokens(&self, tokens: &Arc<TokenList>) -> Result<(), AuditError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.1 != *tokens || known.1.tokens.is_empty() {
            let (entries, there) = known.0.compare(tokens, clock::now());
            self.audit.append(entries)?;
            *known = (there, tokens.clone());
        }
        Ok(())
    }

    /// Writes a refusal down, but not each of a flood; strangers are one kind together.
    fn note(&self, who: &str, request: &Request, problem: &Problem, is_stranger: bool) {
        let path: String = request.uri().path().chars().take(LONGEST).collect();
        let code = format!("{:?}", problem.reason);
        let kind = if is_stranger { code.clone() } else { format!("{code} {who}") };
        let action = format!("{} {path}", request.method());
        let entry = AuditEntry::new(clock::now(), who, action, Decision::Deny, code).because(&problem.detail);
        if let Err(error) = self.audit.append_limited(entry, &kind) {
            tracing::error!(error = &error as &dyn std::error::Error, "a refusal is not written down");
        }
    }
}

async fn admit(
    State(access): State<Arc<Access>>,
    address: ClientAddress,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path == "/healthz" {
        return next.run(request).await;
    }
    let address = address.map(|Extension(ConnectInfo(address))| address.ip().to_canonical());
    let caller = match access.identify(request.headers(), address.is_some_and(|address| address.is_loopback())) {
        Ok(caller) => caller,
        Err(problem) => {
            let who = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            access.note(&who, &request, &problem, true);
            let mut response = refused(&problem);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
    };
    if !is_live(path)
        && let Err(denied) = access.check_read(&caller, path)
    {
        let problem = Problem::new(ProblemReason::Forbidden, denied.to_string());
        access.note(&caller.name(), &request, &problem, false);
        return refused(&problem);
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Whether agents are asked there: that is judged where it is known which.
fn is_live(path: &str) -> bool {
    let of_host = |rest: &str| rest.split_once('/').is_some_and(|(_, rest)| rest == "v1" || rest.starts_with("v1/"));
    path == "/api/v1/query" || path.strip_prefix("/api/v1/hosts/").is_some_and(of_host)
}

/// The token of `Bearer TOKEN`, RFC 6750.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST).then_some(token)
}

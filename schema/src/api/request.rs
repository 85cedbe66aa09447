//! What may be asked of an agent. Everything else is refused by the one place that reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, ProblemReason};
use crate::address::Address;
use crate::collection::Collection;

/// The longest path and query, in bytes.
const MAX_TARGET_BYTES: usize = 16 * 1024;
const ALL: &str = "all";

/// How something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads only.
    Get,
    /// Has the agent do something.
    Post,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiRequest {
    /// `GET /v1`
    Collections,
    /// `GET /v1/<collection>`, with `?all=true` for what the host has beside what is managed.
    Collection {
        /// Which.
        collection: Collection,
        /// Whether things that nobody manages are listed too.
        all: bool,
    },
    /// `GET /v1/<collection>/<id>`
    Resource(Address),
    /// `GET /v1/facts`
    Facts,
    /// `POST /v1/plan`
    Plan,
    /// `POST /v1/converge`
    Converge,
}

impl ApiRequest {
    /// Reads method, path and query.
    ///
    /// # Errors
    /// With the problem to answer.
    pub fn load(method: Method, target: &str) -> Result<ApiRequest, Problem> {
        if target.len() > MAX_TARGET_BYTES {
            return Err(Problem::new(ProblemReason::BadRequest, "the path is longer than any id"));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let unknown = || {
            let hint = "GET /v1 names the collections; there are also /v1/facts, /v1/plan and /v1/converge";
            Problem::new(ProblemReason::UnknownPath, format!("there is nothing at {path:?}")).with_hint(hint)
        };
        let rest = path.strip_prefix("/v1").ok_or_else(unknown)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(unknown());
        }
        let rest = rest.trim_start_matches('/');
        let (name, id) = rest.split_once('/').map_or((rest, None), |(name, id)| (name, Some(id)));
        let id = id.filter(|id| !id.is_empty());
        let (request, expected) = match (name, id) {
            ("", _) => (ApiRequest::Collections, Method::Get),
            ("facts", None) => (ApiRequest::Facts, Method::Get),
            ("plan", None) => (ApiRequest::Plan, Method::Post),
            ("converge", None) => (ApiRequest::Converge, Method::Post),
            (name, None) => (ApiRequest::Collection { collection: load_collection(name)?, all: false }, Method::Get),
            (name, Some(id)) => (ApiRequest::Resource(load_address(load_collection(name)?, id)?), Method::Get),
        };
        if method != expected {
            let word = if expected == Method::Get { "GET" } else { "POST" };
            let hint = "what is managed is changed by a commit to the state repository";
            return Err(Problem::new(ProblemReason::WrongMethod, format!("{path} is asked by {word}")).with_hint(hint));
        }
        load_query(request, query)
    }

    /// The one collection that it is about.
    pub fn collection(&self) -> Option<Collection> {
        match self {
            ApiRequest::Collection { collection, .. } => Some(*collection),
            ApiRequest::Resource(address) => Some(address.collection()),
            _ => None,
        }
    }

    /// Whether it has the agent do something.
    pub fn acts(&self) -> bool {
        matches!(self, ApiRequest::Converge)
    }
}

fn load_collection(name: &str) -> Result<Collection, Problem> {
    name.parse::<Collection>().map_err(|error| {
        let names: Vec<&str> = Collection::ALL.iter().map(|collection| collection.name()).collect();
        Problem::new(ProblemReason::UnknownCollection, error.to_string())
            .with_hint(format!("there are {}", names.join(", ")))
    })
}

/// The id of a path collection may be written as it is or with its slashes encoded; of others, encoded only.
fn load_address(collection: Collection, written: &str) -> Result<Address, Problem> {
    let bad = |detail: String| Problem::new(ProblemReason::BadRequest, detail);
    let id = decode(written).ok_or_else(|| bad(format!("{written:?} is not percent-encoded UTF-8")))?;
    if collection.id_is_path() {
        let id = if id.starts_with('/') { id } else { format!("/{id}") };
        return Address::new(collection, id).map_err(|error| bad(error.to_string()));
    }
    if written.contains('/') {
        let hint = "in an id that is no path, write each '/' as %2F";
        return Err(bad(format!("{collection}: '{written}' has a slash")).with_hint(hint));
    }
    Address::new(collection, id).map_err(|error| {
        let problem = bad(error.to_string());
        match error.hint() {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    })
}

fn load_query(request: ApiRequest, query: &str) -> Result<ApiRequest, Problem> {
    if query.is_empty() {
        return Ok(request);
    }
    match (request, query.split_once('=')) {
        (ApiRequest::Collection { collection, .. }, Some((ALL, value @ ("true" | "false")))) => {
            Ok(ApiRequest::Collection { collection, all: value == "true" })
        }
        _ => Err(Problem::new(ProblemReason::BadRequest, format!("{query:?} is not a query that is known here"))
            .with_hint("a collection takes ?all=true")),
    }
}

/// Decodes percent-encoding (RFC 3986, 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

//! Asking a running orchestrator.

use std::path::PathBuf;

use anyhow::{Context, bail};
use muster_schema::fleet_api::{MAX_LIMIT, Page};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Body;
use ureq::http::Response;
use zeroize::Zeroizing;

use crate::io::password::load_password;

/// The most bytes of one answer.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;

/// Which orchestrator.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    /// The orchestrator's address.
    #[arg(long, env = "MUSTER_SERVER", default_value = "http://127.0.0.1:8420", value_name = "URL")]
    server: String,
    /// Certificates of those who may sign for it, where they are no public authorities.
    #[arg(long = "server-ca", env = "MUSTER_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A token for its API, where it asks for one. A file, or the environment, shows it to fewer people.
    #[arg(long, env = "MUSTER_TOKEN", hide_env_values = true, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file whose first line is the token.
    #[arg(long, env = "MUSTER_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Server {
    /// The JSON document at `path`, below `/api/v1`.
    pub(super) fn fetch(&self, path: &str) -> Result<Value, anyhow::Error> {
        self.fetch_with(path, &[])
    }

    /// All items of the list at `path`, below `/api/v1`, whatever the number of its pages.
    pub(super) fn fetch_list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, anyhow::Error> {
        let limit = MAX_LIMIT.to_string();
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let from = after.as_deref().map(|after| ("after", after));
            let query: Vec<(&str, &str)> = [("limit", limit.as_str())].into_iter().chain(from).collect();
            let page: Page<T> = serde_json::from_value(self.fetch_with(path, &query)?).with_context(|| {
                format!("the list of {path} at {} has an unknown form; is it of this version?", self.server)
            })?;
            items.extend(page.items);
            let Some(next) = page.next else { return Ok(items) };
            anyhow::ensure!(after.as_ref() != Some(&next), "the list of {path} at {} has no end", self.server);
            after = Some(next);
        }
    }

    /// The JSON document at `path`, below `/api/v1`, with this query.
    pub(super) fn fetch_with(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, anyhow::Error> {
        let mut answer = check_answer(self.ask(path, query, &[])?)?;
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string()?;
        serde_json::from_str(&text).with_context(|| format!("{} answers no JSON to {path}", self.server))
    }

    /// The answer for what is at `path`, below `/api/v1`, whatever its status.
    pub(super) fn ask(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>, anyhow::Error> {
        let url = format!("{}/api/v1/{path}", self.server.trim_end_matches('/'));
        let agent = self.agent(None)?;
        let mut request = agent.get(&url).query_pairs(query.iter().copied());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = self.token()? {
            request = request.header("Authorization", format!("Bearer {}", token.as_str()));
        }
        request.call().with_context(|| {
            format!("no orchestrator answers at {}; is 'muster serve' running, or --server wrong?", self.server)
        })
    }

    fn agent(&self, timeout: Option<std::time::Duration>) -> Result<ureq::Agent, anyhow::Error> {
        let mut config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(timeout);
        if let Some(ca) = &self.ca {
            config = config.tls_config(crate::io::tls::trust_for_http(ca)?);
        }
        Ok(config.build().into())
    }

    fn token(&self) -> Result<Option<Zeroizing<String>>, anyhow::Error> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Zeroizing::new(token.clone()),
            (None, Some(file)) => load_password(file)?,
            (None, None) => return Ok(None),
        };
        let token = Zeroizing::new(token.trim().to_owned());
        anyhow::ensure!(token.bytes().all(|byte| byte.is_ascii_graphic()), "the token is none: copy it anew");
        Ok(Some(token))
    }

    /// Has it look at the state repository now. It looks by itself too, so
    /// nothing depends on this.
    pub(super) fn hint_at_push(&self) {
        let url = format!("{}/hooks/push", self.server.trim_end_matches('/'));
        if let Ok(agent) = self.agent(Some(std::time::Duration::from_secs(5))) {
            let _ = agent.post(&url).send_empty();
        }
    }

    /// The status of one host.
    pub(super) fn fetch_host(&self, id: &str) -> Result<Value, anyhow::Error> {
        let id: muster_schema::HostId = id.parse()?;
        self.fetch(&format!("hosts/{id}"))
    }
}

/// Lets an answer pass that is none of a refusal; a refusal's words are the error.
pub(super) fn check_answer(mut answer: Response<Body>) -> Result<Response<Body>, anyhow::Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string()?;
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = problem.get("detail").and_then(Value::as_str).unwrap_or(status.as_str());
    match problem.get("hint").and_then(Value::as_str) {
        Some(hint) => bail!("{detail}\n  hint: {hint}"),
        None => bail!("{detail}"),
    }
}

/// The text at `key`, or a dash.
pub(super) fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "–".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// The first eight digits of the commit at `key`, or a dash.
pub(super) fn commit(value: &Value, key: &str) -> String {
    text(value, key).chars().take(8).collect()
}

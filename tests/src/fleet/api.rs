//! What the orchestrator says of its fleet.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Fleet, SOON};
use crate::process::tail;
use crate::wait::wait_for;

const ANSWER: Duration = Duration::from_secs(10);

impl Fleet {
    /// The document at `path` below `/api/v1`.
    ///
    /// # Errors
    /// When nobody answers, or with an error.
    pub fn fetch(&self, path: &str) -> Result<Value> {
        let url = format!("{}/api/v1/{path}", self.api_url());
        let mut config = ureq::Agent::config_builder().timeout_global(Some(ANSWER));
        if let Some(ca) = &self.ca {
            let ca = Certificate::from_pem(&std::fs::read(ca)?)?;
            let roots = RootCerts::Specific(Arc::new(vec![ca]));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let agent: ureq::Agent = config.build().into();
        let text = agent.get(&url).call().with_context(|| url.clone())?.body_mut().read_to_string()?;
        serde_json::from_str(&text).with_context(|| format!("{url} answers no JSON"))
    }

    /// Waits until the view of a host is as `wanted`, and gives it.
    ///
    /// # Errors
    /// When it is not in time; the message has the last view and the orchestrator's log.
    pub fn wait_host(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait_host_within(SOON, id, what, wanted)
    }

    /// As [`Fleet::wait_host`], within another limit.
    ///
    /// # Errors
    /// As [`Fleet::wait_host`].
    pub fn wait_host_within(
        &self,
        limit: Duration,
        id: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut last = Value::Null;
        wait_for(&format!("{id}: {what}"), limit, || {
            last = self.fetch(&format!("hosts/{id}")).unwrap_or(Value::Null);
            wanted(&last).then(|| last.clone())
        })
        .with_context(|| format!("{:#}\n{}", brief(&last), tail(&self.log())))
    }

    /// Waits until a host is healthy and has what its revision says, and that revision is `commit`.
    ///
    /// # Errors
    /// As [`Fleet::wait_host`].
    pub fn wait_synced(&self, id: &str, commit: &str) -> Result<Value> {
        self.wait_host(id, &format!("to be in sync with {commit}"), |host| {
            host["assigned"] == commit && host["sync"] == "Synced" && host["health"] == "Healthy"
        })
    }

    /// Waits until an unknown agent has announced itself as `name`, and gives its key.
    ///
    /// # Errors
    /// When none does in time.
    pub fn wait_pending(&self, name: &str) -> Result<String> {
        let mut last = Value::Null;
        wait_for(&format!("an announcement of {name}"), SOON, || {
            last = self.fetch("enrolment").unwrap_or(Value::Null);
            let pending = last["items"].as_array()?.iter().find(|pending| pending["announce"]["name"] == name)?;
            pending["key"].as_str().map(str::to_owned)
        })
        .with_context(|| format!("{last:#}\n{}", tail(&self.log())))
    }

    /// Waits until the fleet's condition `Verified` is of this reason at `commit`, and gives it.
    ///
    /// # Errors
    /// When it does not come to that in time.
    pub fn wait_verified(&self, reason: &str, commit: &str) -> Result<Value> {
        wait_for(&format!("Verified to be {reason}"), SOON, || {
            let view = self.fetch("fleet").ok()?;
            let verified = view["conditions"].as_array()?.iter().find(|held| held["type"] == "Verified")?.clone();
            (verified["reason"] == reason && verified["observed_revision"] == commit).then_some(verified)
        })
        .with_context(|| tail(&self.log()))
    }
}

/// A view with no more than the first few of each list: for a failure's message.
fn brief(view: &Value) -> Value {
    match view {
        Value::Array(items) => items.iter().take(5).map(brief).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), brief(value))).collect(),
        other => other.clone(),
    }
}

//! What many hosts answered.

use muster_schema::HostId;
use muster_schema::message::LiveAnswer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The answers, and who gave none.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueryView {
    /// By id.
    pub answers: Vec<Answered>,
    /// By id.
    pub unanswered: Vec<Unanswered>,
}

/// What one host answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answered {
    /// The host.
    pub host: HostId,
    /// The HTTP status.
    pub status: u16,
    /// JSON: what was asked for, or a problem.
    pub body: Box<RawValue>,
}

/// A host that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// The host.
    pub host: HostId,
    /// Why, for people.
    pub reason: String,
}

impl Answered {
    /// Takes an answer.
    ///
    /// # Errors
    /// With the reason, when it is no JSON.
    pub fn load(host: HostId, answer: LiveAnswer) -> Result<Answered, String> {
        let LiveAnswer { status, body } = answer;
        let body = RawValue::from_string(body).map_err(|_| "its answer is no JSON".to_owned())?;
        Ok(Answered { host, status, body })
    }
}

//! Break-glass, for who is on the host. The orchestrator cannot ask this: live requests do not come here.

use super::{Answer, Rest, found, unreadable};
use crate::breakglass::{BreakGlassError, BreakGlassOrder};
use muster_schema::api::{Method, Problem, ProblemReason};
use serde::Serialize;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::oneshot;

/// `POST`: give a challenge.
pub const CHALLENGE_PATH: &str = "/v1/breakglass/challenge";
/// `POST`: take the bundle in the folder that follows, in hexadecimal.
pub const APPLY_PATH: &str = "/v1/breakglass/apply?folder=";
/// The answer to a bundle that does not stand.
pub const REFUSED: u16 = 422;
/// So long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a bundle or a challenge is refused.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    code: &'a str,
    message: &'a str,
}

impl Rest {
    /// Answers one request of somebody on the host: what [`Rest::answer`] does, and break-glass.
    pub async fn answer_local(self: &std::sync::Arc<Self>, method: Method, target: &str) -> Answer {
        let asked = match (method, target.strip_prefix(APPLY_PATH)) {
            (Method::Post, Some(folder)) => self.apply_bundle(folder).await,
            (Method::Post, None) if target == CHALLENGE_PATH => self.ask_cycle(BreakGlassOrder::Challenge).await,
            _ => return self.answer(method, target).await,
        };
        asked.unwrap_or_else(|problem| Answer::from(&problem))
    }

    async fn apply_bundle(&self, folder: &str) -> Result<Answer, Problem> {
        let bytes = hex::decode(folder);
        let bytes = bytes.map_err(|_| Problem::new(ProblemReason::BadRequest, "the folder is not hexadecimal"))?;
        let folder = PathBuf::from(OsString::from_vec(bytes));
        self.ask_cycle(|respond| BreakGlassOrder::Apply(folder, respond)).await
    }

    async fn ask_cycle<T: Serialize>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, BreakGlassError>>) -> BreakGlassOrder,
    ) -> Result<Answer, Problem> {
        let (respond, answered) = oneshot::channel();
        let busy = || {
            let hint = "the agent has to be enrolled, and answers one at a time";
            Problem::new(ProblemReason::Busy, "the agent cannot take that now").with_hint(hint)
        };
        self.break_glass.try_send(order(respond)).map_err(|_| busy())?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(done))) => found(&done),
            Ok(Ok(Err(BreakGlassError::Refused(reject)))) => {
                let refusal = Refusal { code: reject.code.as_str(), message: &reject.message };
                let body = serde_json::to_string(&refusal).map_err(|error| unreadable(&error))?;
                Ok(Answer { status: REFUSED, body })
            }
            Ok(Ok(Err(error))) => Err(unreadable(&error)),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

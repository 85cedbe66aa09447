//! Hints and live requests: what the orchestrator has to say while the host goes on.

use super::{Cycle, CycleError, next_pause};
use crate::asked::{Asked, NotTaken};
use crate::io::messenger::{Messenger, Woken};
use crate::message::{RefusedRequest, VerifiedRequest};
use crate::rest::Answer;
use crate::verify::{Reject, RejectCode};
use muster_schema::api::{ApiRequest, Problem, ProblemReason};
use muster_schema::message::LiveAnswer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// So many requests are answered at once; the rest wait where they are.
const AT_ONCE: usize = 8;
/// An answer that is larger goes into no message: quotes are doubled in it.
const MOST_BYTES: usize = 900_000;

/// Listens for ever: a hint wakes who follows the head, a request is answered beside.
pub(super) async fn listen_for_ever(
    cycle: &Cycle,
    messenger: &Arc<Messenger>,
    hinted: &Notify,
) -> Result<(), CycleError> {
    let mut asked = Asked::load(&cycle.store)?;
    let mut answers = JoinSet::new();
    let mut pause = Duration::ZERO;
    loop {
        while answers.len() >= AT_ONCE {
            answers.join_next().await;
        }
        match messenger.listen().await {
            Ok(Woken::Look) => {
                pause = Duration::ZERO;
                hinted.notify_one();
            }
            Ok(Woken::Nothing) => pause = Duration::ZERO,
            Ok(Woken::Request(frame)) => {
                pause = Duration::ZERO;
                let (id, answer) = match take(cycle, messenger, &mut asked, &frame) {
                    Ok(request) => (request.id().to_owned(), Ok(request)),
                    Err(RefusedRequest { reject, answer_to }) => {
                        note_refusal(cycle, &reject);
                        let Some(id) = answer_to else { continue };
                        (id, Err(Problem::new(ProblemReason::Stale, reject.message)))
                    }
                };
                let (rest, messenger) = (cycle.rest.clone(), messenger.clone());
                answers.spawn(async move {
                    let answer = match answer {
                        Ok(taken) => rest.answer(taken.request().method, &taken.request().target).await,
                        Err(problem) => Answer::from(&problem),
                    };
                    tell(&messenger, id, answer).await;
                });
            }
            Err(error) => {
                pause = next_pause(pause);
                tracing::debug!(error = &error as &dyn std::error::Error, "no hints");
                tokio::time::sleep(pause).await;
            }
        }
        while answers.try_join_next().is_some() {}
    }
}

/// Verifies a request and takes it, once.
fn take(
    cycle: &Cycle,
    messenger: &Messenger,
    asked: &mut Asked,
    frame: &[u8],
) -> Result<VerifiedRequest, RefusedRequest> {
    let request = messenger.verify_request(frame)?;
    let what = request.request();
    let acts = ApiRequest::load(what.method, &what.target).is_ok_and(|request| request.acts());
    match asked.take(&cycle.store, request.id(), request.expires(), acts, messenger.now()) {
        Ok(()) => Ok(request),
        // Who asked has an answer already, or waits for it.
        Err(again @ NotTaken::Again) => {
            Err(RefusedRequest { reject: Reject::new(RejectCode::RequestReplayed, again), answer_to: None })
        }
        Err(other) => {
            let reject = Reject::new(RejectCode::RequestReplayed, other);
            Err(RefusedRequest { reject, answer_to: Some(request.id().to_owned()) })
        }
    }
}

fn note_refusal(cycle: &Cycle, reject: &Reject) {
    tracing::warn!(%reject, "a live request is not acted upon");
    if let Err(error) = cycle.note_refusal(reject) {
        tracing::error!(error = &error as &dyn std::error::Error, "a refusal cannot be written down");
    }
}

async fn tell(messenger: &Messenger, id: String, answer: Answer) {
    let answer = if answer.body.len() > MOST_BYTES {
        let problem = Problem::new(ProblemReason::TooLarge, "the answer does not fit into a message");
        Answer::from(&problem.with_hint("ask for one resource, or on the host itself"))
    } else {
        answer
    };
    let told = messenger.answer(id, LiveAnswer { status: answer.status, body: answer.body }).await;
    if let Err(error) = told {
        tracing::debug!(error = &error as &dyn std::error::Error, "an answer was not told");
    }
}

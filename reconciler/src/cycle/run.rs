//! The loop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use git2::Oid;
use muster_schema::envelope::join_frame;
use muster_schema::message::{Body, HeadReply, Message, Receipt};
use muster_schema::{HostId, ReceiptCode};
use tokio::sync::{mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until};

use super::broker::next_state;
use super::greet::Greeting;
use super::{CycleError, Orchestrator};
use crate::io::bus::{BrokerState, Inbound, InboundMessage, WitnessCall};

/// How often heads are looked at.
const RENEWAL: Duration = Duration::from_secs(30);

/// How often newer root documents are looked for.
const KEYS: Duration = Duration::from_secs(2);

/// The published tree is pruned for the first time so long after the start, and then so often.
const FIRST_PRUNING: Duration = Duration::from_secs(10);
const PRUNING: Duration = Duration::from_secs(24 * 60 * 60);

/// After a failed reconcile, the next try comes after so long.
const RETRY: Duration = Duration::from_secs(5);

/// How many messages are made durable by one write.
const MOST_AT_ONCE: usize = 1000;

/// Runs the orchestrator until `ended` is ready. `broker` tells how the broker
/// stands, where agents use one.
pub async fn run_cycle(
    mut orchestrator: Orchestrator,
    door: Arc<Inbound>,
    mut tips: mpsc::Receiver<Oid>,
    mut inbound: mpsc::Receiver<InboundMessage>,
    mut broker: Option<watch::Receiver<BrokerState>>,
    mut witness: mpsc::Receiver<WitnessCall>,
    ended: impl Future<Output = ()>,
) {
    let mut ended = std::pin::pin!(ended);
    let mut renewal = interval(RENEWAL);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keys = interval(KEYS);
    keys.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pruning = interval_at(Instant::now() + FIRST_PRUNING, PRUNING);
    pruning.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keys_refused = None;
    let mut enrolment = door.enrolment_changes();
    let mut retry: Option<Instant> = None;
    orchestrator.take_enrolment(&door);
    door.set_approved(orchestrator.approved_hosts());
    if broker.is_none() {
        orchestrator.forget_broker();
    }
    let mut greeting = Greeting::new(&orchestrator);
    loop {
        let (status_due, facts_due) = (orchestrator.status_due(), orchestrator.facts_due());
        tokio::select! {
            () = &mut ended => break,
            Some(_) = tips.recv() => retry = reconcile(&mut orchestrator, &door),
            () = at(retry) => retry = reconcile(&mut orchestrator, &door),
            Some(message) = inbound.recv() => {
                let mut messages = vec![message];
                while messages.len() < MOST_AT_ONCE && let Ok(message) = inbound.try_recv() {
                    messages.push(message);
                }
                take(&mut orchestrator, messages);
                match block_in_place(|| orchestrator.retire_reverted()) {
                    Ok(retired) => door.hints().notify_hosts(&retired),
                    Err(error) => log(Err::<(), _>(error), "a host cannot be retired"),
                }
            }
            Some(call) = witness.recv() => {
                let published = block_in_place(|| orchestrator.answer_witness(call));
                door.hints().notify_hosts(&published);
            }
            () = at(facts_due) => match block_in_place(|| orchestrator.render_for_facts()) {
                Ok(published) => door.hints().notify_hosts(&published),
                Err(error) => {
                    log(Err::<(), _>(error), "rendering for facts failed and is tried again");
                    tokio::time::sleep(RETRY).await;
                }
            },
            standing = next_state(&mut broker) => orchestrator.take_broker(standing),
            Ok(()) = enrolment.changed() => orchestrator.take_enrolment(&door),
            _ = renewal.tick() => {
                orchestrator.fold_conditions();
                log(block_in_place(|| orchestrator.renew_heads()), "heads cannot be renewed");
                // Where publishing a head failed, its witnesses do not sign again.
                let published = block_in_place(|| orchestrator.promote_witnessed());
                door.hints().notify_hosts(&published);
                match block_in_place(|| orchestrator.take_over_again()) {
                    Ok(published) => door.hints().notify_hosts(&published),
                    Err(error) => log(Err::<(), _>(error), "a host cannot be taken over from break-glass"),
                }
            }
            _ = keys.tick() => {
                let version = orchestrator.keys.roots.len();
                let taken = block_in_place(|| orchestrator.take_newer_keys());
                if orchestrator.keys.roots.len() != version && taken.is_err() {
                    retry = Some(Instant::now() + RETRY);
                }
                take_keys(taken, &door, &mut keys_refused);
            }
            _ = pruning.tick() => orchestrator.prune_tree(),
            hosts = greeting.next() => {
                door.hints().notify_hosts(&orchestrator.still_to_greet(hosts));
            }
            () = at(status_due) => log(block_in_place(|| orchestrator.save_status()), "status cannot be saved"),
            Some(saved) = orchestrator.writer.saved.recv() => {
                log(block_in_place(|| orchestrator.take_saved(saved)), "the inbox cannot be shortened");
                if orchestrator.take_bound() {
                    retry = reconcile(&mut orchestrator, &door);
                }
            }
        }
    }
    orchestrator.save_last_status().await;
}

/// Waits for a moment; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Reconciles, tells agents, and gives the time to try again where it failed.
fn reconcile(orchestrator: &mut Orchestrator, door: &Inbound) -> Option<Instant> {
    let published = block_in_place(|| orchestrator.reconcile_and_tell(&|approved| door.set_approved(approved)));
    // First the new keys may come in, then their holders are told.
    door.set_approved(orchestrator.approved_hosts());
    orchestrator.released.drain(..).for_each(|host| door.release(&host));
    orchestrator.take_enrolment(door);
    match published {
        Ok(hosts) => {
            door.hints().notify_hosts(&hosts);
            None
        }
        Err(error) => {
            log(Err::<(), _>(error), "reconciling failed and is tried again");
            Some(Instant::now() + RETRY)
        }
    }
}

/// Tells agents of a new root document; says once why it cannot be used.
fn take_keys(taken: Result<Vec<HostId>, CycleError>, door: &Inbound, refused: &mut Option<String>) {
    match taken {
        Ok(hosts) => {
            door.hints().notify_hosts(&hosts);
            *refused = None;
        }
        Err(error) => {
            let text = format!("{:?}", &error);
            if refused.as_ref() != Some(&text) {
                log(Err::<(), _>(error), "newer root documents cannot be taken up; the keys of before go on");
            }
            *refused = Some(text);
        }
    }
}

/// Lets messages have their effects, then answers them.
fn take(orchestrator: &mut Orchestrator, messages: Vec<InboundMessage>) {
    let (lasting, passing): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|sent| matches!(sent.message.body, Body::Report(_) | Body::Facts(_)));
    for sent in passing {
        let reply = block_in_place(|| orchestrator.answer(&sent.message));
        let _ = sent.respond.send(reply);
    }
    if lasting.is_empty() {
        return;
    }
    let frames: Vec<Vec<u8>> = lasting.iter().map(|sent| join_frame(&sent.signature, &sent.payload)).collect();
    let reply = match block_in_place(|| orchestrator.take_frames(&frames)) {
        Ok(()) => receipt(true, ReceiptCode::Accepted, "it is kept"),
        Err(error) => {
            log(Err::<(), _>(error), "messages cannot be kept");
            receipt(false, ReceiptCode::Busy, "the orchestrator cannot keep it now")
        }
    };
    for sent in lasting {
        let _ = sent.respond.send(reply.clone());
    }
}

fn receipt(accepted: bool, code: ReceiptCode, message: &str) -> Body {
    Body::Receipt(Receipt { accepted, code: code.to_string(), message: message.to_owned(), seq: None })
}

fn log<T>(result: Result<T, CycleError>, what: &str) {
    if let Err(error) = result {
        tracing::error!(error = &error as &dyn std::error::Error, "{what}");
    }
}

impl Orchestrator {
    /// Answers a message that leaves nothing behind.
    fn answer(&mut self, message: &Message) -> Body {
        let Some(sender) = message.sender() else {
            return receipt(false, ReceiptCode::WrongType, "agents do not send this");
        };
        if let Body::Announce(announce) = &message.body {
            return match &announce.token {
                Some(claim) => self.take_claim(sender, announce, claim),
                None => receipt(false, ReceiptCode::WrongType, "this is for the enrolment desk"),
            };
        }
        self.note_contact(sender);
        match &message.body {
            Body::HeadRequest(request) => match self.head_with_nonce(sender, &request.nonce) {
                Ok(head) => Body::HeadReply(HeadReply {
                    head: head.as_ref().map(|head| String::from_utf8_lossy(head.bytes()).into_owned()),
                    signature: head.map(|head| head.signature().text().to_owned()),
                    root: self.keys.root().map(|root| root.root().version),
                }),
                Err(error) => {
                    log(Err::<(), _>(error), "a head cannot be signed");
                    receipt(false, ReceiptCode::Busy, "no head can be signed now")
                }
            },
            _ => receipt(true, ReceiptCode::Accepted, ""),
        }
    }
}

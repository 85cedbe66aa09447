//! The bus over an AMQP broker.
//!
//! A connection is not mended: when it breaks, a new one is made and everything
//! is declared anew. (lapin can recover by itself, but tells nobody while it
//! does.) What the broker delivered and was not acknowledged, it delivers again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, DefaultConnectionBuilder, ExchangeKind,
};
use muster_schema::bus::{
    INBOUND_EXCHANGE, InboundQueue, MAX_QUEUE_NAME, NOTIFY_EXCHANGE, REPLY_QUEUE_PREFIX, leaves_this_machine,
    live_routing_key,
};
use muster_schema::message::Hint;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::hints::Hints;
use super::inbound::{Inbound, Source};
use super::live::{DueRequest, Live, NotAnswered};
use super::reply::Reply;
use crate::io::clock;
use crate::io::tls::{ClientFiles, TlsFileError};

const HEARTBEAT_SECONDS: u16 = 15;
const CONNECT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Messages of one queue that are worked on at once.
const PREFETCH: u16 = 256;
/// What is worth nothing after a minute is dropped by the broker after it.
const TRANSIENT_LIFE_MS: i32 = 60_000;
const MOST_TRANSIENT: i32 = 100_000;
const TRANSIENT: u8 = 1;

/// Whether the broker can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerState {
    /// Everything is declared and consumed.
    Connected,
    /// Not now, and why.
    Lost(String),
}

/// The address of a broker.
#[derive(Clone)]
pub struct BrokerUrl {
    uri: AMQPUri,
    tls: Option<ClientFiles>,
}

/// The text is no address of a broker. It may hold a password, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the broker's address is no amqp:// or amqps:// URL")]
pub struct BadBrokerUrl;

impl std::str::FromStr for BrokerUrl {
    type Err = BadBrokerUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut uri: AMQPUri = text.parse().map_err(|_| BadBrokerUrl)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(BrokerUrl { uri, tls: None })
    }
}

impl BrokerUrl {
    /// With these files for TLS, which an `amqps://` URL needs and no other can use.
    ///
    /// # Errors
    /// When URL and files do not go together, or a file cannot be used.
    pub fn with_tls(self, tls: Option<ClientFiles>) -> Result<Self, BadBrokerTls> {
        match (&self.uri.scheme, &tls) {
            (AMQPScheme::AMQPS, None) => return Err(BadBrokerTls::NoFiles),
            (AMQPScheme::AMQP, Some(_)) => return Err(BadBrokerTls::NotTls),
            (AMQPScheme::AMQPS, Some(files)) => drop(files.load()?),
            (AMQPScheme::AMQP, None) => {}
        }
        Ok(BrokerUrl { tls, ..self })
    }
}

/// The address of a broker and the files for TLS do not go together.
#[derive(Debug, thiserror::Error)]
pub enum BadBrokerTls {
    /// It is not known whom to trust.
    #[error("an amqps:// broker needs --bus-ca: whose certificates to trust")]
    NoFiles,
    /// The password would go in the open.
    #[error("--bus-ca is given and the broker's address is no amqps:// one: nothing would go by TLS")]
    NotTls,
    /// A file cannot be used.
    #[error("TLS cannot be set up")]
    Files(#[from] TlsFileError),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    #[error("TLS cannot be set up: {0}")]
    Files(#[from] TlsFileError),
}

/// Without the password.
impl std::fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
        write!(f, "{scheme}://{}:{}/{vhost}", authority.host, authority.port)
    }
}

impl std::fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

/// Takes messages from the broker and sends hints by it, until `end` comes.
/// `state` tells how it stands. Hints of before it is polled are not lost.
pub fn serve_amqp(
    url: BrokerUrl,
    inbound: Arc<Inbound>,
    state: watch::Sender<BrokerState>,
    end: impl Future<Output = ()>,
) -> impl Future<Output = ()> {
    inbound.hints().keep_for_broker();
    if url.uri.scheme == AMQPScheme::AMQP && leaves_this_machine(&url.uri.authority.host) {
        tracing::warn!(broker = %url, "no TLS: who is on the way to the broker can read the password and all messages");
    }
    async move {
        tokio::select! {
            () = serve_for_ever(&url, &inbound, &state) => {}
            () = end => {}
        }
    }
}

async fn serve_for_ever(url: &BrokerUrl, inbound: &Arc<Inbound>, state: &watch::Sender<BrokerState>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match tokio::time::timeout(CONNECT, open(url)).await {
            Ok(Ok(connection)) => {
                pause = FIRST_PAUSE;
                tracing::info!(broker = %url, "connected to the broker");
                state.send_replace(BrokerState::Connected);
                serve_connection(connection, inbound).await
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", CONNECT.as_secs()),
        };
        tracing::warn!(broker = %url, error, "the broker cannot be used");
        state.send_replace(BrokerState::Lost(error));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A connection on which everything is declared.
struct Opened {
    connection: Connection,
    channel: Channel,
}

async fn open(url: &BrokerUrl) -> Result<Opened, OpenError> {
    let properties = ConnectionProperties::default().with_connection_name("muster serve".into());
    let tls = url.tls.as_ref().map(ClientFiles::load).transpose()?.unwrap_or_default();
    let to =
        DefaultConnectionBuilder::new()?.with_uri(url.uri.clone()).with_properties(properties).with_tls_config(tls);
    let connection = to.connect().await?;
    let channel = connection.create_channel().await?;
    for (name, kind) in [(NOTIFY_EXCHANGE, ExchangeKind::Topic), (INBOUND_EXCHANGE, ExchangeKind::Topic)] {
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(name.into(), kind, durable, FieldTable::default()).await?;
    }
    for queue in InboundQueue::ALL {
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(queue.name().into(), durable, arguments(queue)).await?;
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.name().into(), INBOUND_EXCHANGE.into(), queue.pattern().into(), options, none).await?;
    }
    Ok(Opened { connection, channel })
}

/// Reports survive the loss of a node of a cluster; what is transient is
/// bounded, and the broker says so to whom it cannot take more from.
fn arguments(queue: InboundQueue) -> FieldTable {
    let mut arguments = FieldTable::default();
    if queue.is_durable() {
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    } else {
        arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(TRANSIENT_LIFE_MS));
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(MOST_TRANSIENT));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    }
    arguments
}

/// Works until the connection breaks; gives why.
async fn serve_connection(opened: Opened, inbound: &Arc<Inbound>) -> String {
    let Opened { connection, channel } = opened;
    let mut consumers = JoinSet::new();
    for queue in InboundQueue::ALL {
        let own = match connection.create_channel().await {
            Ok(own) => own,
            Err(error) => return error.to_string(),
        };
        consumers.spawn(consume(own, queue, inbound.clone()));
    }
    let ended = tokio::select! {
        Some(ended) = consumers.join_next() => match ended {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) => "the broker ended a consumer".to_owned(),
            Err(error) => error.to_string(),
        },
        error = send_hints(&channel, inbound.hints()) => error.to_string(),
        error = send_requests(&connection, inbound.live()) => error.to_string(),
    };
    // What is left of it would keep deliveries from being delivered again.
    let _ = tokio::time::timeout(FIRST_PAUSE, connection.close(200, "".into())).await;
    ended
}

async fn consume(channel: Channel, queue: InboundQueue, inbound: Arc<Inbound>) -> Result<(), lapin::Error> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut deliveries = channel.basic_consume(queue.name().into(), "".into(), options, none).await?;
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            delivery = deliveries.next() => match delivery {
                Some(delivery) => {
                    tasks.spawn(take(channel.clone(), delivery?, inbound.clone()));
                }
                None => return Ok(()),
            },
            Some(done) = tasks.join_next() => {
                // One that panicked is not acknowledged, and comes again on the next connection.
                if let Ok(result) = done {
                    result?;
                }
            }
        }
    }
}

/// Handles one message: its effect first, then the reply, then the acknowledgement.
/// The agent keeps a message until its receipt comes, so one that is refused is acknowledged too.
async fn take(channel: Channel, delivery: Delivery, inbound: Arc<Inbound>) -> Result<(), lapin::Error> {
    let reply = inbound.handle_frame(&delivery.data, Source::Broker).await;
    if let (Some((queue, id)), Reply::Taken(frame) | Reply::Refused(_, frame)) = (answer_to(&delivery), reply) {
        let properties =
            BasicProperties::default().with_correlation_id(id.as_str().into()).with_delivery_mode(TRANSIENT);
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), queue.as_str().into(), options, &frame, properties).await?.await?;
    }
    delivery.ack(BasicAckOptions::default()).await.map(|_| ())
}

/// Where the reply goes. Only to a queue for replies: else a host could have us
/// write into queues that it may not write into.
fn answer_to(delivery: &Delivery) -> Option<(String, String)> {
    let queue = delivery.properties.reply_to().as_ref()?.as_str();
    let id = delivery.properties.correlation_id().as_ref()?.as_str();
    let known = queue.starts_with(REPLY_QUEUE_PREFIX) && queue.len() <= MAX_QUEUE_NAME;
    known.then(|| (queue.to_owned(), id.to_owned()))
}

/// Sends hints until the connection breaks, those first that waited for it.
async fn send_hints(channel: &Channel, hints: &Hints) -> lapin::Error {
    loop {
        let batch = hints.due_for_broker().await;
        let start = clock::now();
        let count = batch.len();
        for (host, hint) in batch {
            let payload = serde_json::to_vec(&Hint { hint }).unwrap_or_default();
            let properties = BasicProperties::default().with_delivery_mode(TRANSIENT);
            let options = BasicPublishOptions::default();
            let sent =
                channel.basic_publish(NOTIFY_EXCHANGE.into(), host.as_str().into(), options, &payload, properties);
            if let Err(error) = sent.await {
                return error;
            }
            hints.sent_to_broker(&host, hint);
        }
        tracing::debug!(count, took = ?clock::now().since(start), "hints were sent");
    }
}

/// Sends live requests until the connection breaks, each without waiting for the one before.
async fn send_requests(connection: &Connection, live: &Live) -> lapin::Error {
    let channel = match confirming_channel(connection).await {
        Ok(channel) => channel,
        Err(error) => return error,
    };
    let way = live.begin_broker();
    let mut confirms = FuturesUnordered::new();
    loop {
        tokio::select! {
            due = way.due() => for request in due {
                confirms.push(send_request(&channel, request));
            },
            Some((id, sent)) = confirms.next() => match sent {
                Ok(Confirmation::Ack(None) | Confirmation::NotRequested) => {}
                Ok(Confirmation::Ack(Some(_))) => live.fail(&id, NotAnswered::NotConnected),
                Ok(Confirmation::Nack(_)) => live.fail(&id, NotAnswered::Busy),
                Err(error) => return error,
            },
        }
    }
}

async fn confirming_channel(connection: &Connection) -> Result<Channel, lapin::Error> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// A host that does not read its queue has none, and the broker says so at once.
async fn send_request(channel: &Channel, request: DueRequest) -> (String, Result<Confirmation, lapin::Error>) {
    let DueRequest { host, id, frame, life } = request;
    let properties =
        BasicProperties::default().with_delivery_mode(TRANSIENT).with_expiration(life.as_millis().to_string().into());
    let mandatory = BasicPublishOptions { mandatory: true, ..Default::default() };
    let key = live_routing_key(&host.id);
    let sent =
        async { channel.basic_publish(NOTIFY_EXCHANGE.into(), key.into(), mandatory, &frame, properties).await?.await };
    (id, sent.await)
}

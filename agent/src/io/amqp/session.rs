//! One connection to the broker, from its opening to its end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    DefaultConnectionBuilder as ConnectionBuilder,
};
use muster_schema::bus::{
    HINT_QUEUE_LIFE_MS, INBOUND_EXCHANGE, InboundQueue, LIVE_REQUEST_LIFE_MS, MAX_LIVE_REQUESTS, MAX_REPLY_QUEUE_BYTES,
    NOTIFY_EXCHANGE, hint_queue, live_queue, live_routing_key,
};
use muster_schema::message::Hint;
use muster_schema::{HostId, KeyId};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::io::transport::Waited;
use crate::message::SignedMessage;

/// Deliveries on the way to us at once; bounds our memory whatever the broker holds.
const PREFETCH: u16 = 8;
const TRANSIENT: u8 = 1;
const PERSISTENT: u8 = 2;

/// Why the broker did not serve us.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The broker or the connection failed.
    #[error("the broker failed")]
    Amqp(#[from] lapin::Error),
    /// The broker does not let this user in.
    #[error("the broker does not let {user} in: after a host is enrolled, run 'muster broker setup'")]
    NotLetIn {
        /// The user.
        user: String,
        /// What the broker said.
        source: lapin::Error,
    },
    /// No queue takes messages of this type: the orchestrator was never here.
    #[error("no orchestrator has set up this broker yet")]
    Unroutable,
    /// The broker refused to take the message.
    #[error("the broker has no room for the message")]
    Nacked,
    /// The connection ended while we waited.
    #[error("the connection to the broker ended")]
    Ended,
}

impl SessionError {
    /// Names the user where the broker does not let him in.
    pub(super) fn of_user(self, user: &str) -> Self {
        match self {
            SessionError::Amqp(source) if is_not_let_in(&source) => {
                SessionError::NotLetIn { user: user.to_owned(), source }
            }
            other => other,
        }
    }
}

fn is_not_let_in(error: &lapin::Error) -> bool {
    let refused = AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED);
    matches!(error.kind(), lapin::ErrorKind::ProtocolError(error) if *error.kind() == refused)
}

/// How long the broker may take to say goodbye.
const CLOSE: Duration = Duration::from_secs(1);

/// A connection with its two queues.
pub(super) struct Session {
    connection: Connection,
    channel: Channel,
    reply_queue: String,
    shared: Arc<Shared>,
    /// Whose hints come; set once per id.
    listening: AsyncMutex<Option<HostId>>,
    requests: AsyncMutex<mpsc::Receiver<Vec<u8>>>,
    /// Those who read the queues. They end with the session, or they would take hints and requests from the next one.
    readers: Mutex<JoinSet<()>>,
}

/// What the tasks that read the queues share with those that wait.
struct Shared {
    ended: AtomicBool,
    waiting: Mutex<HashMap<String, oneshot::Sender<Vec<u8>>>>,
    hint: AtomicU64,
    hinted: Notify,
    requested: mpsc::Sender<Vec<u8>>,
}

impl Session {
    /// Connects, and declares the queue for replies of this name.
    pub(super) async fn open(
        uri: AMQPUri,
        tls: OwnedTLSConfig,
        key: KeyId,
        name: String,
    ) -> Result<Self, SessionError> {
        let properties = ConnectionProperties::default().with_connection_name(format!("muster-agent {key}").into());
        let to = ConnectionBuilder::new()?.with_uri(uri).with_properties(properties).with_tls_config(tls);
        let connection = to.connect().await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(MAX_REPLY_QUEUE_BYTES as i64));
        let exclusive = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
        channel.queue_declare(name.as_str().into(), exclusive, arguments).await?;
        let replies = consume(&channel, &name).await?;
        let (requested, requests) = mpsc::channel(PREFETCH.into());
        let shared = Arc::new(Shared {
            ended: AtomicBool::default(),
            waiting: Mutex::default(),
            hint: AtomicU64::default(),
            hinted: Notify::new(),
            requested,
        });
        let (listening, requests) = (AsyncMutex::default(), AsyncMutex::new(requests));
        let readers = Mutex::default();
        let session = Session { connection, channel, reply_queue: name, shared, listening, requests, readers };
        session.read(take_replies(replies, session.shared.clone()));
        Ok(session)
    }

    /// Reads a queue beside all else, as long as the session is there.
    fn read(&self, reader: impl Future<Output = ()> + Send + 'static) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).spawn(reader);
    }

    /// Ends the connection; who waits on it is told. One that is dead already is left to its heartbeat.
    pub(super) async fn end(&self) {
        let closing = self.connection.close(200, "".into());
        let _ = tokio::time::timeout(CLOSE, closing).await;
    }

    /// Whether it can still be used.
    pub(super) fn is_open(&self) -> bool {
        !self.shared.ended.load(Ordering::Acquire)
            && self.connection.status().connected()
            && self.channel.status().connected()
    }

    /// Publishes a message and waits until the broker has it and the
    /// orchestrator has answered.
    pub(super) async fn ask(&self, message: &SignedMessage, queue: InboundQueue) -> Result<Vec<u8>, SessionError> {
        let (sender, reply) = oneshot::channel();
        let _waiting = Waiting::enter(&self.shared, &message.id, sender);
        if !self.is_open() {
            return Err(SessionError::Ended);
        }
        let mut properties = BasicProperties::default()
            .with_correlation_id(message.id.as_str().into())
            .with_reply_to(self.reply_queue.as_str().into())
            .with_delivery_mode(if queue.is_durable() { PERSISTENT } else { TRANSIENT });
        if !queue.is_durable() {
            properties = properties.with_expiration(message.life.as_millis().to_string().into());
        }
        let mandatory = BasicPublishOptions { mandatory: true, ..Default::default() };
        let routing_key = queue.routing_key(&message.host);
        let confirm = self
            .channel
            .basic_publish(INBOUND_EXCHANGE.into(), routing_key.into(), mandatory, &message.frame, properties)
            .await?;
        match confirm.await? {
            Confirmation::Ack(None) | Confirmation::NotRequested => {}
            Confirmation::Ack(Some(_)) => return Err(SessionError::Unroutable),
            Confirmation::Nack(_) => return Err(SessionError::Nacked),
        }
        reply.await.map_err(|_| SessionError::Ended)
    }

    /// Sees to it that hints to `host` come here.
    pub(super) async fn listen(&self, host: &HostId) -> Result<(), SessionError> {
        let mut listening = self.listening.lock().await;
        if listening.as_ref() == Some(host) {
            return Ok(());
        }
        let name = hint_queue(host);
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("drop-head".into()));
        arguments.insert("x-expires".into(), AMQPValue::LongLongInt(HINT_QUEUE_LIFE_MS.into()));
        self.channel.queue_declare(name.as_str().into(), QueueDeclareOptions::default(), arguments).await?;
        self.channel
            .queue_bind(
                name.as_str().into(),
                NOTIFY_EXCHANGE.into(),
                host.as_str().into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        self.read(take_hints(consume(&self.channel, &name).await?, self.shared.clone()));
        self.take_requests_to(host).await?;
        *listening = Some(host.clone());
        Ok(())
    }

    /// Declares the queue of live requests to `host` and reads it. It goes away with whoever reads it, so that the
    /// orchestrator learns at once that nobody does.
    async fn take_requests_to(&self, host: &HostId) -> Result<(), SessionError> {
        let name = live_queue(host);
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(MAX_LIVE_REQUESTS.into()));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(LIVE_REQUEST_LIFE_MS.into()));
        let options = QueueDeclareOptions { auto_delete: true, ..Default::default() };
        self.channel.queue_declare(name.as_str().into(), options, arguments).await?;
        let (key, options) = (live_routing_key(host), QueueBindOptions::default());
        let none = FieldTable::default();
        self.channel.queue_bind(name.as_str().into(), NOTIFY_EXCHANGE.into(), key.into(), options, none).await?;
        self.read(take_requests(consume(&self.channel, &name).await?, self.shared.clone()));
        Ok(())
    }

    /// The next hint or request; one that came while nobody waited counts.
    pub(super) async fn next(&self) -> Result<Waited, SessionError> {
        let mut requests = self.requests.lock().await;
        tokio::select! {
            () = self.shared.hinted.notified() => {}
            Some(frame) = requests.recv() => return Ok(Waited::Request(frame)),
        }
        if !self.is_open() {
            return Err(SessionError::Ended);
        }
        Ok(Waited::Hint(Hint { hint: self.shared.hint.load(Ordering::Acquire) }))
    }
}

impl Shared {
    /// Tells everyone who waits that nothing will come any more.
    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.hinted.notify_one();
    }
}

/// A place among those who wait for replies; left when dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    id: &'a str,
}

impl<'a> Waiting<'a> {
    fn enter(shared: &'a Shared, id: &'a str, sender: oneshot::Sender<Vec<u8>>) -> Self {
        shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), sender);
        Waiting { shared, id }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(self.id);
    }
}

async fn consume(channel: &Channel, queue: &str) -> Result<Consumer, lapin::Error> {
    channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
}

async fn take_replies(mut replies: Consumer, shared: Arc<Shared>) {
    while let Some(Ok(delivery)) = replies.next().await {
        let id = delivery.properties.correlation_id().as_ref().map(|id| id.as_str().to_owned());
        let waiting = id.and_then(|id| shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
        if delivery.ack(BasicAckOptions::default()).await.is_err() {
            break;
        }
        if let Some(sender) = waiting {
            // Who waited may have given up.
            let _ = sender.send(delivery.data);
        }
    }
    shared.end();
}

async fn take_requests(mut requests: Consumer, shared: Arc<Shared>) {
    while let Some(Ok(delivery)) = requests.next().await {
        if delivery.ack(BasicAckOptions::default()).await.is_err() {
            break;
        }
        // One more than we can take is lost: who asked is told nothing, and asks again.
        let _ = shared.requested.try_send(delivery.data);
    }
    shared.end();
}

async fn take_hints(mut hints: Consumer, shared: Arc<Shared>) {
    while let Some(Ok(delivery)) = hints.next().await {
        if delivery.ack(BasicAckOptions::default()).await.is_err() {
            break;
        }
        // A malformed hint is a hint: it causes a look, nothing more.
        let hint = serde_json::from_slice(&delivery.data).map_or(0, |hint: Hint| hint.hint);
        shared.hint.fetch_max(hint, Ordering::AcqRel);
        shared.hinted.notify_one();
    }
    shared.end();
}

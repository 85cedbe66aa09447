//! Reads along at the broker, and publishes there.

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use muster_schema::bus::{NOTIFY_EXCHANGE, live_routing_key};
use muster_tests::fleet::SOON;

/// A queue of his own, bound as that of one host is.
pub(super) struct BrokerTap {
    channel: Channel,
    seen: Consumer,
    key: String,
    _connection: Connection,
}

impl BrokerTap {
    pub(super) async fn begin(broker: &str, host: &str) -> BrokerTap {
        let connection = Connection::connect(broker, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let (key, none) = (live_routing_key(&host.parse().unwrap()), FieldTable::default());
        let own = QueueDeclareOptions { exclusive: true, ..Default::default() };
        let name = channel.queue_declare("".into(), own, none.clone()).await.unwrap().name().clone();
        let options = QueueBindOptions::default();
        let (exchange, routing_key) = (NOTIFY_EXCHANGE.into(), key.as_str().into());
        channel.queue_bind(name.clone(), exchange, routing_key, options, none.clone()).await.unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let seen = channel.basic_consume(name, "".into(), options, none).await.unwrap();
        BrokerTap { channel, seen, key, _connection: connection }
    }

    pub(super) async fn seen(&mut self) -> Vec<u8> {
        tokio::time::timeout(SOON, self.seen.next()).await.unwrap().unwrap().unwrap().data
    }

    /// Publishes, and waits until the broker has it.
    pub(super) async fn publish(&self, frame: &[u8]) {
        let (exchange, key, options) =
            (NOTIFY_EXCHANGE.into(), self.key.as_str().into(), BasicPublishOptions::default());
        let confirm = self.channel.basic_publish(exchange, key, options, frame, BasicProperties::default());
        confirm.await.unwrap().await.unwrap();
    }
}

//! The settings of a RabbitMQ that speaks TLS with those who show a certificate, and with nobody else.

use muster_schema::FleetName;
use muster_schema::bus::MAX_FRAME_BYTES;

/// The most bytes of a frame. Agents ask for less.
const FRAME_MAX: u32 = 131_072;
/// Channels of one connection: the orchestrator uses eight.
const CHANNEL_MAX: u16 = 16;
/// Milliseconds for the TLS handshake, and for AMQP's after it.
const HANDSHAKE_MS: u32 = 10_000;

/// What differs from site to site.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The port of AMQP over TLS.
    pub port: u16,
    /// The folder of `ca.pem`, `cert.pem` and `key.pem` on the broker's machine.
    pub tls_folder: String,
}

/// The text of `rabbitmq.conf`, or of a file in `conf.d`.
pub fn render_server_config(fleet: &FleetName, config: &ServerConfig) -> String {
    let ServerConfig { port, tls_folder } = config;
    format!(
        "# Made by 'muster broker setup' for the fleet {fleet}.\n\
         # AMQP over TLS alone, and both sides show a certificate.\n\
         listeners.tcp = none\n\
         listeners.ssl.default = {port}\n\
         ssl_options.cacertfile = {tls_folder}/ca.pem\n\
         ssl_options.certfile = {tls_folder}/cert.pem\n\
         ssl_options.keyfile = {tls_folder}/key.pem\n\
         ssl_options.verify = verify_peer\n\
         ssl_options.fail_if_no_peer_cert = true\n\
         ssl_options.versions.1 = tlsv1.3\n\
         ssl_options.versions.2 = tlsv1.2\n\
         ssl_handshake_timeout = {HANDSHAKE_MS}\n\
         handshake_timeout = {HANDSHAKE_MS}\n\
         # The user that comes with RabbitMQ gets in from this machine at most.\n\
         loopback_users.guest = true\n\
         frame_max = {FRAME_MAX}\n\
         channel_max = {CHANNEL_MAX}\n\
         max_message_size = {MAX_FRAME_BYTES}\n\
         auth_mechanisms.1 = PLAIN\n"
    )
}

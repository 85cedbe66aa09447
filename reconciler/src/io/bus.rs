//! The bus: what agents say and ask, over HTTP and over AMQP.
//!
//! Both transports bring frames to one place, [`Inbound::handle_frame`], and
//! carry hints out of another, [`Hints`]. A transport proves nothing; every
//! check is on the signed message.

mod amqp;
mod enrolment_desk;
mod enrolment_files;
mod hints;
mod http;
mod inbound;
mod listen;
mod live;
mod places;
mod refusal_log;
mod reply;
mod witness;

pub use amqp::{BadBrokerTls, BadBrokerUrl, BrokerState, BrokerUrl, serve_amqp};
pub use enrolment_desk::{DeskError, EnrolledHost};
pub use hints::Hints;
pub use http::agent_router;
pub use inbound::{Inbound, InboundMessage, InboundSettings, Source};
pub use listen::{ClientCertificate, HttpLimits, require_client_certificate, serve_http};
pub use live::NotAnswered;
pub use refusal_log::RefusedMessage;
pub use reply::Reply;
pub use witness::{WitnessCall, witness_router};

#[cfg(test)]
mod tests;

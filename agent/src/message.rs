//! Messages to the orchestrator and its replies. Pure: bytes in, bytes out.

mod outgoing;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use outgoing::{Outgoing, Sender, SignedMessage};
pub use reply::{ReplyError, VerifiedReply, verify_reply};
pub use request::{RefusedRequest, VerifiedRequest, verify_request};

//! Messages to the orchestrator and its replies. Pure: bytes in, bytes out.

mod outgoing;
mod reply;
#[cfg(test)]
mod tests;

pub use outgoing::{Outgoing, Sender, SignedMessage};
pub use reply::{ReplyError, VerifiedReply, verify_reply};

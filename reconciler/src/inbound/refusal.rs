//! Why a frame was refused.

use muster_schema::ReceiptCode;
use muster_schema::manifest::HostIdentity;

/// A refusal, and whom it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in a word.
    pub code: ReceiptCode,
    /// Why, for people.
    pub message: String,
    /// With `Replayed`: the highest number that was taken.
    pub seq: Option<u64>,
    /// Sender and id of the message. None where the frame proved neither: then
    /// no receipt is signed.
    pub answer_to: Option<Box<(HostIdentity, String)>>,
}

impl Refusal {
    /// A refusal that nobody can be told by a signed receipt.
    pub fn unaddressed(code: ReceiptCode, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into(), seq: None, answer_to: None }
    }

    /// A refusal of the message `id` of `host`.
    pub fn of(host: &HostIdentity, id: &str, code: ReceiptCode, message: impl Into<String>) -> Self {
        let answer_to = Some(Box::new((host.clone(), id.to_owned())));
        Refusal { code, message: message.into(), seq: None, answer_to }
    }
}

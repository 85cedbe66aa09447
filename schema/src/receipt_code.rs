//! Receipt codes: what became of a message, in one stable word.

use std::fmt;

macro_rules! receipt_codes {
    ($($(#[$doc:meta])* $variant:ident),* $(,)?) => {
        /// The codes that a [`crate::message::Receipt`] holds. A reader meets
        /// others in receipts of a newer program, so the receipt holds text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ReceiptCode {
            $($(#[$doc])* $variant,)*
        }

        impl ReceiptCode {
            /// Every code.
            pub const ALL: &[ReceiptCode] = &[$(ReceiptCode::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(ReceiptCode::$variant => stringify!($variant),)* }
            }

            /// The code of that word; none when this build does not know it.
            pub fn load(word: &str) -> Option<Self> {
                match word { $(stringify!($variant) => Some(ReceiptCode::$variant),)* _ => None }
            }
        }
    };
}
receipt_codes! {
    /// Its effect is durable.
    Accepted,
    /// The announcement is on the list; a person is to approve it.
    Pending,
    /// It is no message of a known form.
    Malformed,
    /// It is larger than messages of its kind may be.
    TooLarge,
    /// The signature does not belong to the bytes.
    BadSignature,
    /// The key that signed is not approved.
    UnknownKey,
    /// The key was approved, and has been taken out of its host's file since.
    KeyRevoked,
    /// The key is approved under another id.
    WrongHost,
    /// The key is approved; the host has yet to answer the challenge.
    NotEnrolled,
    /// It is of another fleet.
    WrongFleet,
    /// It is addressed to someone else.
    WrongRecipient,
    /// Agents do not send messages of this type.
    WrongType,
    /// Its time is over, by the clock that signed the receipt.
    Expired,
    /// It was signed later than now, by the clock that signed the receipt.
    FromFuture,
    /// A message with this or a higher sequence number was taken before.
    Replayed,
    /// The file is another host's.
    NotYours,
    /// Too many announcements from this source; try again later.
    RateLimited,
    /// The list of pending hosts is full; try again later.
    EnrolmentFull,
    /// The announced recipient is not the one in the host's file.
    WrongAgeRecipient,
    /// The announcement is to follow a key that is no enrolled host's, or that did not sign it.
    SuccessorInvalid,
    /// No revision names this enrolment token, or not any more, or not yet.
    TokenUnknown,
    /// The enrolment token did not sign what is claimed by it.
    TokenInvalid,
    /// The enrolment token's time is over, or has not begun, by the orchestrator's clock.
    TokenExpired,
    /// Another machine was enrolled with this token.
    TokenUsed,
    /// None of the token's hosts is free, or the claimed one is not: it is no host of the token's, or has a key.
    TokenHostTaken,
    /// There is no open challenge; announce again.
    NoChallenge,
    /// The answer does not fit the challenge; announce again.
    WrongAnswer,
    /// The orchestrator cannot take it now; send it again.
    Busy,
}

impl fmt::Display for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

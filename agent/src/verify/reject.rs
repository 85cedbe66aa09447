//! Why something is refused, in codes that never change their meaning.

use muster_schema::Timestamp;
use muster_schema::report::Rejection;
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident),* $(,)?) => {
        /// The stable code of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RejectCode { $($(#[$doc])* $code,)* }

        impl RejectCode {
            /// Every code, for the reference page.
            pub const ALL: &[RejectCode] = &[$(RejectCode::$code,)*];

            /// The code as reports carry it.
            pub fn as_str(self) -> &'static str {
                match self { $(RejectCode::$code => stringify!($code),)* }
            }
        }
    };
}

codes! {
    /// The next root document is not signed as it must be, or does not follow.
    RootInvalid,
    /// The newest root document has expired.
    RootExpired,
    /// The head has more bytes than a head may have.
    HeadTooLarge,
    /// The head is not signed by enough keys of the role `fresh`; that of a break-glass bundle, of `breakglass`.
    HeadSignature,
    /// The head is no valid document.
    HeadMalformed,
    /// The head is of another fleet.
    HeadOtherFleet,
    /// The head is for another host, or for this id with another key.
    HeadOtherHost,
    /// The head is older than one that was accepted.
    HeadOlder,
    /// The head has the serial of the accepted one and names another manifest.
    HeadSerialConflict,
    /// The head is valid for longer than heads may be.
    HeadLifeTooLong,
    /// The head has expired.
    HeadExpired,
    /// The head does not hold the nonce that was asked with.
    HeadNonce,
    /// The manifest that the head names is not there.
    ManifestMissing,
    /// The manifest has more bytes than a manifest may have.
    ManifestTooLarge,
    /// The manifest is not signed by enough keys of the role `render`; that of a break-glass bundle, not by as many
    /// keys of the role `breakglass` that signed its head too.
    ManifestSignature,
    /// The manifest is not signed by enough witnesses.
    ManifestWitness,
    /// The manifest is not the one that the head names.
    ManifestDigest,
    /// The manifest is no valid document.
    ManifestMalformed,
    /// The manifest needs a newer agent.
    ManifestTooNew,
    /// The manifest is of another fleet.
    ManifestOtherFleet,
    /// The manifest is for another host, or for this id with another key.
    ManifestOtherHost,
    /// The manifest has another epoch or serial than the head.
    ManifestSerial,
    /// The manifest's resources contradict each other.
    ManifestResources,
    /// A blob is not there.
    BlobMissing,
    /// A blob is not of the size and digest that the manifest says.
    BlobMismatch,
    /// A content is not the file of the signed commit that the manifest says.
    VerbatimMismatch,
    /// A secret is not encrypted to this host.
    SecretForOthers,
    /// A secret is no file of age for X25519 keys, or is damaged.
    SecretMalformed,
    /// A secret cannot be written as its place asks.
    SecretEncoding,
    /// A live request is not signed by a key of the role `fresh`.
    RequestSignature,
    /// A live request is no message of a known form.
    RequestMalformed,
    /// A live request is of another fleet, or for another host.
    RequestOtherHost,
    /// A live request's time is over, or has not come.
    RequestExpired,
    /// A live request was made before.
    RequestReplayed,
    /// The root document gives nobody the role `breakglass`.
    BreakGlassNoRole,
    /// The folder of a break-glass bundle lacks a file, or has one that cannot be read.
    BreakGlassFolder,
    /// The break-glass head does not answer the host's last challenge, or that was answered or has ended.
    BreakGlassChallenge,
    /// The break-glass head is of another epoch than the root, or its serial is not above that of what is in force, or
    /// so far above that the orchestrator could not go on from it.
    BreakGlassSerial,
    /// The break-glass head has expired, or was signed by a clock that is ahead of the host's.
    BreakGlassTime,
    /// The break-glass head would retire or rename the host.
    BreakGlassHead,
}

impl fmt::Display for RejectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Reject {
    /// Its code.
    pub code: RejectCode,
    /// Why, for people.
    pub message: String,
}

impl Reject {
    /// Refuses for `code`.
    pub fn new(code: RejectCode, message: impl fmt::Display) -> Reject {
        Reject { code, message: message.to_string() }
    }

    /// The line of a report.
    pub fn to_rejection(&self, at: Timestamp) -> Rejection {
        Rejection { code: self.code.as_str().to_owned(), message: self.message.chars().take(500).collect(), at }
    }

    /// Whether a second look may see it right: two objects of the tree are never replaced at once.
    pub fn may_be_torn(&self) -> bool {
        matches!(self.code, RejectCode::HeadSignature)
    }
}

//! Why something was not answered, in the form of RFC 9457.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A problem. `reason` is for programs, `detail` and `hint` are for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// What kind of problem it is, in one stable word.
    pub reason: ProblemReason,
    /// What to do instead, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $title:literal;)*) => {
        /// The kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ProblemReason {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemReason {
            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(ProblemReason::$variant => $status,)* }
            }

            fn title(self) -> &'static str {
                match self { $(ProblemReason::$variant => $title,)* }
            }
        }
    };
}
reasons! {
    /// The request is of no known form.
    BadRequest = 400, "Bad request";
    /// Who asks is not known.
    Unauthorized = 401, "Not known";
    /// Who asks may not.
    Forbidden = 403, "Forbidden";
    /// There is nothing at this path.
    UnknownPath = 404, "Not found";
    /// There is no collection of this name.
    UnknownCollection = 404, "Unknown collection";
    /// There is no host of this name.
    UnknownHost = 404, "Unknown host";
    /// The resource is not managed, and its type cannot be read without one.
    NotManaged = 404, "Not managed";
    /// The path is there, for another method.
    WrongMethod = 405, "Method not allowed";
    /// The request was made before, or for another host, or its time is over.
    Stale = 409, "Not acted upon";
    /// The answer would be too large.
    TooLarge = 413, "Too large";
    /// The host could not be read.
    Unreadable = 500, "Cannot be read";
    /// The host's things of this type cannot be listed.
    CannotList = 501, "Cannot list";
    /// The host is not connected.
    NotConnected = 502, "Not connected";
    /// Too much is asked at once; ask again.
    Busy = 503, "Busy";
    /// No answer came in time.
    TimedOut = 504, "No answer in time";
}

impl Problem {
    /// A problem of this kind.
    pub fn new(reason: ProblemReason, detail: impl Into<String>) -> Problem {
        let title = reason.title().to_owned();
        Problem { title, status: reason.status(), detail: detail.into(), reason, hint: None }
    }

    /// The same, with what to do instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

//! Whose keys count, by the programs themselves: over HTTP, and over a broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "enrolment/rekey.rs"]
mod rekey;
#[path = "enrolment/revoke.rs"]
mod revoke;
#[path = "enrolment/stage.rs"]
mod stage;
#[path = "enrolment/token.rs"]
mod token;

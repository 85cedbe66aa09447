//! Frames from agents, judged. Pure; `io::bus` brings them from either transport.

mod approved_hosts;
mod copies;
mod published_path;
mod refusal;
mod replay_marks;
mod verified_message;

pub use approved_hosts::{ApprovedHost, ApprovedHosts};
pub use copies::Copies;
pub use published_path::PublishedPath;
pub use refusal::Refusal;
pub use replay_marks::{ReplayMarks, Seq, Stream};
pub use verified_message::{MAX_AHEAD, VerifiedMessage, verify_frame};

#[cfg(test)]
mod tests;

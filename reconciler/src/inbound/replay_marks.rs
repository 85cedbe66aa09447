//! The highest message number that was taken of each key.

use std::collections::HashMap;

use muster_schema::PublicKey;
use muster_schema::message::Body;

/// Numbers rise within a stream. Streams are apart, because messages of two
/// kinds go by two queues or connections and may overtake each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Reports.
    Reports,
    /// Facts.
    Facts,
    /// Signs of life.
    Presence,
    /// Requests for heads.
    Heads,
}

/// How a number stands to the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seq {
    /// Higher: it may be taken.
    New,
    /// The last that was taken, sent again because its receipt was lost.
    Again,
    /// Lower than this one, which was taken.
    Replayed(u64),
}

/// The marks. Those of reports and facts come back after a restart from the
/// status that their effects are kept in; the other streams have no effect that
/// outlives a message's minute.
#[derive(Debug, Default)]
pub struct ReplayMarks {
    marks: HashMap<(PublicKey, Stream), u64>,
}

impl Stream {
    /// The stream that a message belongs to; none when its repetition does
    /// nothing. A challenge is answered once by itself, and an announcement that
    /// is repeated says nothing new.
    pub fn of(body: &Body) -> Option<Self> {
        match body {
            Body::Report(_) => Some(Stream::Reports),
            Body::Facts(_) => Some(Stream::Facts),
            Body::Presence(_) => Some(Stream::Presence),
            Body::HeadRequest(_) => Some(Stream::Heads),
            Body::Announce(_)
            | Body::ChallengeAnswer(_)
            | Body::Fetch(_)
            | Body::HintRequest(_)
            | Body::LiveRequest(_)
            | Body::LiveAnswer(_)
            | Body::Challenge(_)
            | Body::Enrolled(_)
            | Body::HeadReply(_)
            | Body::Receipt(_) => None,
        }
    }
}

impl ReplayMarks {
    /// How `seq` stands.
    pub fn check(&self, key: &PublicKey, stream: Stream, seq: u64) -> Seq {
        match self.marks.get(&(*key, stream)) {
            Some(mark) if seq == *mark => Seq::Again,
            Some(mark) if seq < *mark => Seq::Replayed(*mark),
            _ => Seq::New,
        }
    }

    /// Notes that `seq` was taken; a mark never goes down.
    pub fn raise(&mut self, key: PublicKey, stream: Stream, seq: u64) {
        let mark = self.marks.entry((key, stream)).or_insert(seq);
        *mark = seq.max(*mark);
    }
}

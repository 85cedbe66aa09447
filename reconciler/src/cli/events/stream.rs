//! Reads server-sent events. Source of the format: WHATWG HTML, section 9.2, "Server-sent events".

use std::io::{self, BufRead, Read};

use muster_schema::fleet_api::Event;

#[cfg(test)]
mod tests;

/// The longest line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// What a stream of events sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Something happened.
    Event(Box<Event>),
    /// Some events are not there any more.
    Reset,
}

/// What comes, until the stream ends.
pub(super) struct SentEvents<R> {
    lines: R,
}

impl<R: BufRead> SentEvents<R> {
    pub(super) fn of(lines: R) -> SentEvents<R> {
        SentEvents { lines }
    }

    /// The next line without its end; none where there is no whole one any more.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        self.lines.by_ref().take(MAX_LINE).read_line(&mut line)?;
        Ok(line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()))
    }

    fn next_sent(&mut self) -> io::Result<Option<Sent>> {
        let (mut name, mut data) = (String::new(), String::new());
        while let Some(line) = self.line()? {
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push_str(value),
                // An empty line ends what is sent; a comment keeps the connection alive.
                "" if line.is_empty() && !data.is_empty() => {
                    if name == "reset" {
                        return Ok(Some(Sent::Reset));
                    }
                    return Ok(Some(Sent::Event(Box::new(serde_json::from_str(&data)?))));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for SentEvents<R> {
    type Item = io::Result<Sent>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_sent().transpose()
    }
}

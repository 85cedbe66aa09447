//! Reads the stanzas of dpkg's and apt's files (deb822) as they stream by, so that a database of megabytes is never
//! in memory as a whole.

use std::io::{self, Write};

#[cfg(test)]
mod tests;

/// The longest line that is taken; dpkg writes far shorter ones.
const MAX_LINE: usize = 1 << 20;

/// Bytes go in; `field` is told each field, and `end` where a stanza ends. Only first lines of fields are told: none
/// that matters has more.
pub(in crate::provider) struct Stanzas<F: FnMut(Event<'_>)> {
    line: Vec<u8>,
    in_stanza: bool,
    tell: F,
}

/// What a file holds.
pub(in crate::provider) enum Event<'a> {
    /// A field and its value.
    Field(&'a str, &'a str),
    /// The end of a stanza.
    End,
}

impl<F: FnMut(Event<'_>)> Stanzas<F> {
    pub(in crate::provider) fn new(tell: F) -> Self {
        Stanzas { line: Vec::new(), in_stanza: false, tell }
    }

    /// Takes the last line, which may have no end, and ends the last stanza.
    pub(in crate::provider) fn finish(mut self) {
        let line = std::mem::take(&mut self.line);
        self.take_line(&line);
        self.take_line(b"");
    }

    fn take_line(&mut self, line: &[u8]) {
        match line.first() {
            None if self.in_stanza => {
                self.in_stanza = false;
                (self.tell)(Event::End);
            }
            None | Some(b' ' | b'\t' | b'#') => {}
            Some(_) => {
                let text = std::str::from_utf8(line).ok();
                if let Some((name, value)) = text.and_then(|text| text.split_once(':')) {
                    self.in_stanza = true;
                    (self.tell)(Event::Field(name, value.trim()));
                }
            }
        }
    }
}

impl<F: FnMut(Event<'_>)> Write for Stanzas<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, next) = rest.split_at(end);
            if self.line.is_empty() {
                self.take_line(line);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole);
                whole.clear();
                self.line = whole;
            }
            rest = next.get(1..).unwrap_or_default();
        }
        if self.line.len() + rest.len() > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 1 MiB"));
        }
        self.line.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

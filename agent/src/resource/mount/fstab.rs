//! The lines of `/etc/fstab`, by fstab(5).

use crate::resource::ResourceError;
use crate::resource::system_text::append_line;
use muster_schema::resource::MountSpec;

/// The file, once per look.
pub(super) struct Fstab(pub(super) String);

/// What a line says beside the folder, its blanks and backslashes not escaped.
pub(super) struct Entry {
    pub(super) what: String,
    pub(super) fs_type: String,
    pub(super) options: String,
}

impl Fstab {
    /// The line of a folder without the folder: what, type, options, dump, pass.
    pub(super) fn find(&self, folder: &str) -> Result<Option<String>, ResourceError> {
        let mut found = self.0.lines().filter_map(parse_line).filter(|(at, _)| at == folder);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(ResourceError::Blocked("it has several lines in /etc/fstab".to_owned())),
            (line, None) => Ok(line.map(|(_, line)| line)),
        }
    }

    /// The folders of all lines.
    pub(super) fn folders(&self) -> Vec<String> {
        self.0.lines().filter_map(parse_line).map(|(folder, _)| folder).collect()
    }

    /// The file with the line of a folder changed in its place, added at the end, or taken away.
    pub(super) fn with_line(&self, folder: &str, line: Option<&str>) -> String {
        let written = line.map(|line| match line.split_once(' ') {
            Some((what, rest)) => format!("{what} {} {rest}", escape(folder)),
            None => line.to_owned(),
        });
        let mut pending = written.as_deref();
        let mut text = String::with_capacity(self.0.len());
        for raw in self.0.split_inclusive('\n') {
            if parse_line(raw).is_none_or(|(at, _)| at != folder) {
                text.push_str(raw);
            } else if let Some(line) = pending.take() {
                append_line(&mut text, line);
            }
        }
        if let Some(line) = pending {
            append_line(&mut text, line);
        }
        text
    }
}

/// The line that a specification asks for, without the folder.
pub(super) fn line_of(spec: &MountSpec) -> String {
    let what = escape(spec.what.as_deref().unwrap_or("none"));
    let fs_type = spec.fs_type.as_deref().unwrap_or("none");
    let options = spec.options.as_deref().unwrap_or("defaults");
    format!("{what} {fs_type} {options} 0 {}", spec.pass.unwrap_or(0))
}

/// The parts of such a line.
pub(super) fn entry_of(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let (what, fs_type, options) = (words.next()?, words.next()?, words.next()?);
    Some(Entry { what: unescape(what), fs_type: fs_type.to_owned(), options: options.to_owned() })
}

/// Folder and rest of a line; `None` for comments.
fn parse_line(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let what = words.next().filter(|word| !word.starts_with('#'))?;
    let folder = unescape(words.next()?);
    let folder = if folder == "/" { folder } else { folder.trim_end_matches('/').to_owned() };
    let (fs_type, options) = (words.next()?, words.next().unwrap_or("defaults"));
    let (dump, pass) = (words.next().unwrap_or("0"), words.next().unwrap_or("0"));
    Some((folder, format!("{what} {fs_type} {options} {dump} {pass}")))
}

/// A blank, a tab, a line's end, a backslash and `#` are written in octal.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            ' ' | '\t' | '\n' | '\\' | '#' => escaped.push_str(&format!("\\{:03o}", u32::from(c))),
            other => escaped.push(other),
        }
        escaped
    })
}

/// The same backwards, as `/proc` writes it too.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

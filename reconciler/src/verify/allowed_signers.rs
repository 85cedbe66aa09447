//! `policy/allowed_signers`, in the format of ssh-keygen(1), "ALLOWED SIGNERS".
//!
//! One line is `principals [options] keytype base64 [comment]`. Two things
//! differ from OpenSSH, both on the strict side: a line that cannot be used is
//! a fault, not skipped; and a time without `Z` is read as UTC, because the
//! orchestrator has no local time.

use jiff::civil::DateTime;
use muster_schema::Timestamp;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use crate::policy::matches_wildcards;

/// One line of the file.
#[derive(Debug, Clone)]
pub struct AllowedSigner {
    /// Line number, from 1.
    pub line: usize,
    /// Patterns of who the key stands for.
    pub principals: Vec<String>,
    /// Namespaces for which the key counts; all when absent.
    pub namespaces: Option<Vec<String>>,
    /// First moment of validity.
    pub valid_after: Option<Timestamp>,
    /// First moment after validity.
    pub valid_before: Option<Timestamp>,
    /// The key.
    pub key: KeyData,
}

impl AllowedSigner {
    /// Whether the line lets its key sign for `namespace`.
    pub fn covers_namespace(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|patterns| matches_pattern_list(namespace, patterns))
    }

    /// Whether the line is in force at `time`.
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        self.valid_after.is_none_or(|start| time >= start) && self.valid_before.is_none_or(|end| time < end)
    }
}

/// Reads the whole file: the usable lines, and each faulty line with its
/// number (from 1) and reason.
pub fn parse_allowed_signers(text: &str) -> (Vec<AllowedSigner>, Vec<(usize, String)>) {
    let mut signers = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_line(index + 1, line) {
            Ok(signer) => signers.push(signer),
            Err(reason) => faults.push((index + 1, reason)),
        }
    }
    (signers, faults)
}

fn parse_line(line: usize, text: &str) -> Result<AllowedSigner, String> {
    let (principals, rest) = split_field(text)?;
    let (first, after) = split_field(rest)?;
    let (options, key_text) = if is_key_type(first) { ("", rest) } else { (first, after) };

    let principals = parse_pattern_list(unquote(principals)?)?;
    if principals.iter().all(|pattern| pattern.starts_with('!')) {
        return Err("the principals match nobody".into());
    }
    let mut signer = AllowedSigner {
        line,
        principals,
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key: parse_public_key(key_text)?,
    };
    for option in split_options(options)? {
        apply_option(&mut signer, option)?;
    }
    if let (Some(start), Some(end)) = (signer.valid_after, signer.valid_before)
        && start >= end
    {
        return Err("valid-after is not before valid-before".into());
    }
    Ok(signer)
}

fn apply_option(signer: &mut AllowedSigner, option: &str) -> Result<(), String> {
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    let name = name.to_ascii_lowercase();
    let quoted = || {
        value
            .filter(|value| value.starts_with('"'))
            .ok_or_else(|| format!("option {name} needs a value in double quotes"))
            .and_then(unquote)
    };
    let twice = || Err(format!("option {name} is given twice"));
    match name.as_str() {
        "namespaces" if signer.namespaces.is_some() => twice(),
        "valid-after" if signer.valid_after.is_some() => twice(),
        "valid-before" if signer.valid_before.is_some() => twice(),
        "namespaces" => {
            signer.namespaces = Some(parse_pattern_list(quoted()?)?);
            Ok(())
        }
        "valid-after" => {
            signer.valid_after = Some(parse_time(quoted()?)?);
            Ok(())
        }
        "valid-before" => {
            signer.valid_before = Some(parse_time(quoted()?)?);
            Ok(())
        }
        "cert-authority" => Err("certificates (cert-authority) are not supported yet; list the keys themselves".into()),
        _ => Err(format!("unknown option {}", name.escape_debug())),
    }
}

/// Reads `keytype base64 [comment]`, with any blanks between.
pub(super) fn parse_public_key(text: &str) -> Result<KeyData, String> {
    let mut words = text.split_whitespace();
    let (Some(kind), Some(data)) = (words.next(), words.next()) else {
        return Err("no public key".into());
    };
    let key = PublicKey::from_openssh(&format!("{kind} {data}"))
        .map_err(|_| format!("not a public key: {}", kind.escape_debug()))?;
    Ok(key.key_data().clone())
}

/// Cuts off the first field; blanks inside double quotes belong to it.
fn split_field(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim_start();
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..at], text[at..].trim_start())),
            _ => {}
        }
    }
    if quoted { Err("a double quote is not closed".into()) } else { Ok((text, "")) }
}

/// Cuts options at their commas; commas inside double quotes do not count.
fn split_options(text: &str) -> Result<Vec<&str>, String> {
    let mut options = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                options.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text.is_empty() {
        options.push(&text[start..]);
    }
    if options.iter().any(|option| option.is_empty()) {
        return Err("an option is empty".into());
    }
    Ok(options)
}

fn unquote(text: &str) -> Result<&str, String> {
    let inner = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or("a double quote is not closed")?,
        None => text,
    };
    if inner.contains('"') { Err("a double quote inside a value".into()) } else { Ok(inner) }
}

fn parse_pattern_list(text: &str) -> Result<Vec<String>, String> {
    let patterns: Vec<String> = text.split(',').map(str::to_owned).collect();
    let faulty = |pattern: &String| {
        let name = pattern.strip_prefix('!').unwrap_or(pattern);
        name.is_empty() || name.starts_with('!') || name.chars().any(char::is_control)
    };
    if patterns.iter().any(faulty) {
        return Err("a pattern list has an empty or unreadable entry".into());
    }
    Ok(patterns)
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| word.starts_with(prefix))
}

/// Reads `YYYYMMDD[HHMM[SS]][Z]` as UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let fault = || format!("not a time (YYYYMMDD[HHMM[SS]]Z): {}", text.escape_debug());
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(fault());
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), str::parse::<i8>).map_err(|_| fault());
    let year = digits[..4].parse::<i16>().map_err(|_| fault())?;
    DateTime::new(year, number(4, 6)?, number(6, 8)?, number(8, 10)?, number(10, 12)?, number(12, 14)?, 0)
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|_| fault())
        .map(|time| Timestamp(u64::try_from(time.timestamp().as_millisecond()).unwrap_or(0)))
}

/// PATTERNS of ssh_config(5): one match is enough, a negated match forbids.
fn matches_pattern_list(text: &str, patterns: &[String]) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches_wildcards(text.as_bytes(), negated.as_bytes()) => return false,
            Some(_) => {}
            None => matched |= matches_wildcards(text.as_bytes(), pattern.as_bytes()),
        }
    }
    matched
}

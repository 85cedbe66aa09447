//! Texts with secrets in them: known by keyed digests, kept for this host alone, and opened where they are written.

use super::entry::{open_sealed, unreadable};
use super::{Attributes, Hands, ResourceError, Sealed, Value, View, Wanted};
use crate::host::HostRead;
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::Spec;
use muster_schema::secret::{Content, SecretContent, Text};
use std::borrow::Cow;
use std::io::Read;
use zeroize::Zeroizing;

/// Few texts with secrets have more bytes.
const READ_BYTES: usize = 64 << 10;
const NO_TEXT: &str = "what its secrets come to is no text in UTF-8";

/// What is asked for: a text, or one that nobody is to see. Nothing, where its secrets are not read.
pub(super) fn wanted_text(text: &Text) -> Option<Value> {
    match text {
        Text::Plain(text) => Some(text.clone().into()),
        Text::Secret(content) => wanted_secret(content),
    }
}

/// As [`wanted_text`], of a content.
pub(super) fn wanted_content(content: &Content) -> Option<Value> {
    match content {
        Content::Blob(blob) => Some(Value::Content(*blob)),
        Content::Secret(content) => wanted_secret(content),
    }
}

/// What is asked for, if its secrets are read.
pub(super) fn wanted_secret(content: &SecretContent) -> Option<Value> {
    Some(Sealed::new(content.filled?).into())
}

/// Refuses a specification whose secrets are not read: nothing stands in `wanted` for them.
pub(super) fn check_read(
    secret: Option<&SecretContent>,
    attribute: &str,
    wanted: &Wanted,
) -> Result<(), ResourceError> {
    let asked = wanted.state.attributes().is_none_or(|asked| asked.contains_key(attribute));
    if secret.is_none() || asked { Ok(()) } else { Err(unreadable()) }
}

/// What is observed, so that nobody sees it.
pub(super) fn sealed(text: &[u8], view: &View<'_>) -> Result<Value, ResourceError> {
    let secrets = view.host().secrets().ok_or_else(unreadable)?;
    Ok(Sealed::new(secrets.digest(&BlobRef::of(text))).into())
}

/// What is observed, kept for this host alone.
pub(super) fn keep_sealed_text(text: &[u8], view: &View<'_>, vault: &Vault) -> Result<Value, ResourceError> {
    let secrets = view.host().secrets().ok_or_else(unreadable)?;
    let ciphertext = secrets.seal(text).map_err(|_| unreadable())?;
    let kept = Some(vault.keep_bytes(&ciphertext)?);
    Ok(Sealed { sealed: secrets.digest(&BlobRef::of(text)), kept }.into())
}

/// The text of a value, in memory only.
pub(super) fn open_text(value: &Value, hands: &Hands<'_>) -> Result<Option<Zeroizing<String>>, ResourceError> {
    match value {
        Value::Sealed(sealed) => to_text(&read(open_sealed(sealed, hands)?)?).map(Some),
        Value::Secret(secret) => Ok(Some(Zeroizing::new(secret.reveal().to_owned()))),
        other => Ok(other.text().map(|text| Zeroizing::new(text.to_owned()))),
    }
}

/// The text of a specification, in memory only.
pub(super) fn filled_text(text: &Text, host: &dyn HostRead) -> Result<Zeroizing<String>, ResourceError> {
    match text {
        Text::Plain(text) => Ok(Zeroizing::new(text.clone())),
        Text::Secret(content) => to_text(&filled_bytes(content, host)?),
    }
}

/// The bytes of a content with secrets in it, in memory only.
pub(super) fn filled_bytes(content: &SecretContent, host: &dyn HostRead) -> Result<Zeroizing<Vec<u8>>, ResourceError> {
    let secrets = host.secrets().ok_or_else(unreadable)?;
    read(content.filled.and_then(|filled| secrets.open(&filled)).ok_or_else(unreadable)?)
}

/// Refuses a specification with secrets that are not read.
pub(super) fn check_filled(secrets: Vec<(Cow<'_, str>, &SecretContent)>) -> Result<(), ResourceError> {
    let read = secrets.iter().all(|(_, content)| content.filled.is_some());
    if read { Ok(()) } else { Err(unreadable()) }
}

/// Hides what was a secret of the specification `before`, and is none `now`: until the change is made, it still stands on
/// the host.
pub(crate) fn conceal(before: &Spec, now: &Spec, attributes: &mut Attributes, host: &dyn HostRead) {
    let now = now.secrets();
    for (slot, _) in before.secrets().into_iter().filter(|(slot, _)| now.iter().all(|(other, _)| other != slot)) {
        let found = match attributes.get(slot.as_ref()) {
            Some(Value::Text(text)) => BlobRef::of(text.as_bytes()),
            Some(Value::Secret(secret)) => BlobRef::of(secret.reveal().as_bytes()),
            Some(Value::Content(content)) => *content,
            _ => continue,
        };
        match host.secrets() {
            Some(secrets) => {
                let hidden = Sealed::new(secrets.digest(&found)).into();
                attributes.insert(Cow::Owned(slot.into_owned()), hidden);
            }
            None => _ = attributes.remove(slot.as_ref()),
        }
    }
}

fn read(mut from: Box<dyn Read>) -> Result<Zeroizing<Vec<u8>>, ResourceError> {
    // A buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_BYTES));
    from.read_to_end(&mut bytes).map_err(|_| unreadable())?;
    Ok(bytes)
}

fn to_text(bytes: &[u8]) -> Result<Zeroizing<String>, ResourceError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ResourceError::Blocked(NO_TEXT.to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

//! Secrets in what a host is to have.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use muster_schema::content::MAX_BLOB_BYTES;
use muster_schema::secret::{Encode, SecretContent, SecretName, SecretSegment, Segment};

use super::record::Missing;
use super::rendering::{Rendering, Stopped};
use crate::model::{Content, Finding, Place, Unreadable, ciphertext_path, did_you_mean};
use crate::template::{SecretText, SecretUse, TextPiece};

/// `secret('db', encode='url')`: a value that only the host can read.
pub(super) struct SecretFunction;

impl fmt::Debug for SecretFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function secret()")
    }
}

impl Object for SecretFunction {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        let (name, options): (&str, Kwargs) = from_args(arguments)
            .map_err(|_| refused("secret() takes the name of one secret, as in secret('db-password')".to_owned()))?;
        let name: SecretName =
            name.parse().map_err(|error: muster_schema::name::BadName| refused(error.to_string()))?;
        let encode: Option<&str> =
            options.get("encode").map_err(|_| refused("'encode' must be a string".to_owned()))?;
        options.assert_all_used().map_err(|_| refused("secret() knows one option: encode".to_owned()))?;
        let encode = encode.map(load_encode).transpose()?;
        Ok(SecretText::of(SecretUse { name, encode }).to_value())
    }
}

fn load_encode(name: &str) -> Result<Encode, Error> {
    let found = Encode::ALL.into_iter().find(|encode| encode.name() == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = Encode::ALL.into_iter().map(Encode::name).collect();
        refused(format!("there is no encode='{name}'; there are {}", known.join(", ")))
    })
}

fn refused(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

/// A content as segments, and the blobs that they name.
pub(super) fn segments_of(
    rendering: &Rendering,
    text: &SecretText,
    place: &Place,
) -> Result<(SecretContent, Vec<Content>), Stopped> {
    let mut segments = Vec::with_capacity(text.pieces.len());
    let mut blobs = Vec::with_capacity(text.pieces.len());
    let mut stopped = false;
    for piece in text.pieces.iter() {
        match piece {
            TextPiece::Literal(literal) => {
                let content = Content::of(literal.as_bytes());
                segments.push(Segment::Literal(content.blob));
                blobs.push(content);
            }
            TextPiece::Secret(SecretUse { name, encode }) => match ciphertext_of(rendering, name, place) {
                Ok(content) => {
                    let ciphertext = content.blob;
                    segments.push(Segment::Secret(SecretSegment { name: name.clone(), encode: *encode, ciphertext }));
                    blobs.push(content);
                }
                Err(Stopped) => stopped = true,
            },
        }
    }
    if stopped {
        return Err(Stopped);
    }
    let content = SecretContent::new(segments);
    let bytes: u64 = blobs.iter().map(|content| content.blob.size).sum();
    let too_large = (bytes > MAX_BLOB_BYTES).then(|| format!("has {bytes} bytes, more than {MAX_BLOB_BYTES}"));
    match too_large.or_else(|| content.fault()) {
        Some(fault) => Err(rendering.fault(Finding::new(place.clone(), format!("the content {fault}")))),
        None => Ok((content, blobs)),
    }
}

/// The ciphertext of a secret, if the host can read it.
fn ciphertext_of(rendering: &Rendering, name: &SecretName, place: &Place) -> Result<Content, Stopped> {
    let (model, host) = (&rendering.model, &rendering.host);
    rendering.record().reads.note_secret(&host.id, name, model, &rendering.facts);
    match model.secrets().readable(name, host) {
        Ok(_) => {
            let loaded = model.contents().load(&ciphertext_path(name));
            // That it is missing, or no file of age, was found when it was declared.
            loaded.map_err(|_| {
                rendering.record().stops += 1;
                Stopped
            })
        }
        Err(Unreadable::Unknown) => {
            let finding = Finding::new(place.clone(), format!("there is no secret '{name}'"));
            let known = model.secrets().iter().map(|(name, _)| name.as_str());
            let hint = did_you_mean(name.as_str(), known).unwrap_or_else(|| format!("run: muster secret set {name}"));
            Err(rendering.fault(finding.with_hint(hint)))
        }
        Err(Unreadable::NotSelected(secret)) => {
            let reason = format!(
                "the host '{}' cannot have the secret '{name}', which is for hosts of '{}', by {}",
                host.id, secret.hosts, secret.place
            );
            let hint = "select the host there, or use another secret";
            Err(rendering.fault(Finding::new(place.clone(), reason).with_hint(hint)))
        }
        Err(Unreadable::NotEncrypted) => {
            let (id, secret) = (host.id.clone(), name.clone());
            rendering.record().miss(match host.recipient {
                Some(_) => Missing::Recipient { host: id, secret },
                None => Missing::NoRecipient { unapproved: id, secret },
            });
            Err(Stopped)
        }
    }
}

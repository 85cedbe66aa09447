//! Secrets in templates: values that stand for what only the host can read.
//!
//! The value is opaque, for the orchestrator has nothing but the ciphertext. It may be printed, given on as a value, and
//! no more. While a template runs, a printed secret is a mark in its text; the marks are taken out before the text
//! leaves this module, and no other text can hold one: source and printed values with the mark's character are refused.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};
use muster_schema::secret::{Encode, SecretName};

/// Begins a mark. The standard of Unicode keeps it for use within programs: it is in no text.
pub(super) const MARK: char = '\u{FDD0}';
/// Stands between the parts of a mark, and ends it.
const PART: char = '\u{FDD1}';
const END: char = '\u{FDD2}';
/// How many secrets a template has printed so far.
const PRINTED: &str = "printed secrets";

/// What a template did with a secret that none can.
pub(super) const CAPTURED: &str = "a text with a secret in it can only be printed where it is made: not in a macro, nor \
                                   in a set, filter or call block";
pub(super) const STANDS_ALONE: &str = "a secret stands alone: no filter, test or operator applies to it";

/// A secret, as a template uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// Its name.
    pub name: SecretName,
    /// How it is written.
    pub encode: Option<Encode>,
}

/// A piece of a text with secrets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPiece {
    /// This text.
    Literal(Arc<str>),
    /// A secret.
    Secret(SecretUse),
}

/// A text with secrets in it, in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText {
    /// The pieces, in their order.
    pub pieces: Arc<[TextPiece]>,
}

impl SecretText {
    /// A secret alone.
    pub fn of(secret: SecretUse) -> SecretText {
        SecretText { pieces: Arc::new([TextPiece::Secret(secret)]) }
    }

    /// The text that a value of a template is.
    pub fn of_value(value: &Value) -> Option<&SecretText> {
        value.downcast_object_ref()
    }

    /// The value that is this text.
    pub fn to_value(&self) -> Value {
        Value::from_object(self.clone())
    }

    /// The secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretUse> {
        self.pieces.iter().filter_map(|piece| match piece {
            TextPiece::Literal(_) => None,
            TextPiece::Secret(secret) => Some(secret),
        })
    }

    /// Prints it as marks.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        for piece in self.pieces.iter() {
            match piece {
                TextPiece::Literal(literal) => text.push_str(literal),
                TextPiece::Secret(SecretUse { name, encode }) => {
                    let encode = encode.map_or("", Encode::name);
                    text.extend([MARK.to_string(), name.to_string(), PART.to_string(), encode.to_owned()]);
                    text.push(END);
                }
            }
        }
        text
    }
}

/// For people, as in a plan.
impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            TextPiece::Literal(literal) => f.write_str(literal),
            TextPiece::Secret(SecretUse { name, encode: None }) => write!(f, "secret({name})"),
            TextPiece::Secret(SecretUse { name, encode: Some(encode) }) => {
                write!(f, "secret({name}, encode={})", encode.name())
            }
        })
    }
}

impl Object for SecretText {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the engine's printing and `Piece::render` may print it, and they do not come here.
        f.write_str("***")
    }
}

/// Notes that a template has printed a text with secrets in it.
fn note_printed(state: &mut State<'_, '_>, text: &SecretText) {
    let count = printed(state) + text.secrets().count();
    state.set_temp(PRINTED, Value::from(count));
}

/// How many secrets a template has printed.
pub(super) fn printed(state: &State<'_, '_>) -> usize {
    state.get_temp(PRINTED).and_then(|count| count.as_usize()).unwrap_or_default()
}

/// What a template printed: text, or a text with secrets in it. `printed` is how many of them it printed.
pub(super) fn of_printed(text: String, printed: usize) -> Result<Value, String> {
    if printed == 0 && !text.contains(MARK) {
        return Ok(Value::from(text));
    }
    let mut pieces = Vec::new();
    let mut parts = text.split(MARK);
    let literal = |text: &str| (!text.is_empty()).then(|| TextPiece::Literal(Arc::from(text)));
    pieces.extend(parts.next().and_then(literal));
    let mut found = 0;
    for part in parts {
        let (secret, rest) = of_mark(part).ok_or(CAPTURED)?;
        pieces.push(TextPiece::Secret(secret));
        pieces.extend(literal(rest));
        found += 1;
    }
    // What was printed and is not there was captured, and used for something else.
    if found != printed {
        return Err(CAPTURED.to_owned());
    }
    Ok(SecretText { pieces: pieces.into() }.to_value())
}

/// The secret that a mark names, and what follows it.
fn of_mark(text: &str) -> Option<(SecretUse, &str)> {
    let (mark, rest) = text.split_once(END)?;
    let (name, encode) = mark.split_once(PART)?;
    let encode = match encode {
        "" => None,
        name => Some(Encode::ALL.into_iter().find(|encode| encode.name() == name)?),
    };
    Some((SecretUse { name: name.parse().ok()?, encode }, rest))
}

/// Prints a value of a template, if it is a text with secrets in it.
pub(super) fn print_secret(
    out: &mut minijinja::Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Option<Result<(), Error>> {
    let text = SecretText::of_value(value)?;
    note_printed(state, text);
    let written = fmt::Write::write_str(out, &text.print());
    Some(written.map_err(|_| Error::new(ErrorKind::WriteFailure, "cannot print a secret")))
}

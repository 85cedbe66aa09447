//! A compiled template.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use minijinja::{Environment, Expression, Value};

use super::guard::{Guarded, guard_expression, guard_template};
use super::printable::check_printable;
use super::secret::{self, MARK, SecretText, TextPiece};
use super::{TemplateFault, engine, split};

/// More pieces are compiled as one template, so that they share its fuel.
const MAX_PIECES: usize = 64;

const ENGINE_FAILED: &str = "the template engine cannot compute this";

/// A compiled template.
pub struct Template {
    source: Arc<str>,
    program: Program,
}

enum Program {
    /// The whole string is one expression: it yields its native value.
    Expression(Piece),
    /// Text with expressions in it.
    Pieces(Vec<Piece>),
    /// A template with statements, whose engine holds just it.
    Statements { engine: Box<Environment<'static>>, guarded: Guarded },
}

enum Piece {
    Text(String),
    Expression {
        expression: Box<Expression<'static, 'static>>,
        guarded: Guarded,
        /// Where the expression starts in the source, in bytes.
        offset: usize,
    },
}

impl Template {
    /// Compiles a string of a document.
    pub fn compile(source: &Arc<str>) -> Result<Template, TemplateFault> {
        check_source(source)?;
        let program = match split::split(source) {
            Some(parts) if parts.len() <= MAX_PIECES => compile_parts(&parts)?,
            _ => compile_statements(source)?,
        };
        Ok(Template { source: source.clone(), program })
    }

    /// Compiles a file: what it yields is always text.
    pub fn compile_file(source: &Arc<str>) -> Result<Template, TemplateFault> {
        check_source(source)?;
        Ok(Template { source: source.clone(), program: compile_statements(source)? })
    }

    /// The text that was compiled.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Evaluates to a native value, or to a string.
    pub fn evaluate(&self, scope: &Value) -> Result<Value, TemplateFault> {
        match &self.program {
            Program::Expression(piece) => piece.evaluate(scope),
            Program::Pieces(pieces) => {
                let mut rendered = Vec::with_capacity(pieces.len());
                for piece in pieces {
                    piece.render(scope, &mut rendered)?;
                }
                Ok(text_of(rendered))
            }
            Program::Statements { engine, guarded } => {
                let render = || {
                    let rendered = engine.get_template(engine::ONLY)?.render_captured(scope)?;
                    let printed = secret::printed(rendered.state());
                    Ok((rendered.into_output(), printed))
                };
                let rendered = uninterrupted(render).ok_or_else(|| TemplateFault::new(0, ENGINE_FAILED))?;
                let (text, printed) = rendered.map_err(|error| TemplateFault::of_error(&error, guarded))?;
                secret::of_printed(text, printed).map_err(|reason| TemplateFault::new(0, reason))
            }
        }
    }
}

impl Piece {
    fn evaluate(&self, scope: &Value) -> Result<Value, TemplateFault> {
        let (expression, guarded, offset) = match self {
            Piece::Text(literal) => return Ok(Value::from(literal.as_str())),
            Piece::Expression { expression, guarded, offset } => (expression, guarded, *offset),
        };
        let value = uninterrupted(|| expression.eval(scope));
        let value = value.ok_or_else(|| TemplateFault::new(offset, ENGINE_FAILED))?;
        let value = value.map_err(|error| TemplateFault::of_error(&error, guarded).moved_by(offset))?;
        if value.is_undefined() {
            return Err(TemplateFault::new(offset, format!("`{}` is undefined", guarded.code())));
        }
        Ok(value)
    }

    fn render(&self, scope: &Value, rendered: &mut Vec<TextPiece>) -> Result<(), TemplateFault> {
        let offset = match self {
            Piece::Text(literal) => {
                rendered.push(TextPiece::Literal(literal.as_str().into()));
                return Ok(());
            }
            Piece::Expression { offset, .. } => *offset,
        };
        let value = self.evaluate(scope)?;
        if let Some(text) = SecretText::of_value(&value) {
            rendered.extend(text.pieces.iter().cloned());
            return Ok(());
        }
        check_printable(&value).map_err(|reason| TemplateFault::new(offset, reason))?;
        rendered.push(TextPiece::Literal(value.to_string().into()));
        Ok(())
    }
}

/// The pieces as one text, or as one with secrets in it.
fn text_of(pieces: Vec<TextPiece>) -> Value {
    let mut joined: Vec<TextPiece> = Vec::new();
    let mut text = String::new();
    let take = |text: &mut String| (!text.is_empty()).then(|| TextPiece::Literal(std::mem::take(text).into()));
    for piece in pieces {
        match piece {
            TextPiece::Literal(literal) => text.push_str(&literal),
            TextPiece::Secret(_) => {
                joined.extend(take(&mut text));
                joined.push(piece);
            }
        }
    }
    if joined.is_empty() {
        return Value::from(text);
    }
    joined.extend(take(&mut text));
    SecretText { pieces: joined.into() }.to_value()
}

/// No text of a repository holds what marks a secret while a template runs.
fn check_source(source: &str) -> Result<(), TemplateFault> {
    match source.find(MARK) {
        Some(offset) => Err(TemplateFault::new(offset, "the character U+FDD0 is no text")),
        None => Ok(()),
    }
}

/// The result; none if the engine panicked, as it does on some arithmetic.
fn uninterrupted<T>(run: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(AssertUnwindSafe(run)).ok()
}

fn compile_parts(parts: &[split::Part<'_>]) -> Result<Program, TemplateFault> {
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        pieces.push(match part {
            split::Part::Text(text) => Piece::Text((*text).to_owned()),
            split::Part::Expression { code, offset } => {
                let guarded = guard_expression(code).map_err(|fault| fault.moved_by(*offset))?;
                let compiled = engine::expressions().compile_expression_owned(guarded.code().to_owned());
                let expression =
                    compiled.map_err(|error| TemplateFault::of_error(&error, &guarded).moved_by(*offset))?;
                Piece::Expression { expression: Box::new(expression), guarded, offset: *offset }
            }
        });
    }
    let is_expression = matches!(pieces.as_slice(), [Piece::Expression { .. }]);
    match (is_expression, pieces.pop()) {
        (true, Some(only)) => Ok(Program::Expression(only)),
        (_, last) => {
            pieces.extend(last);
            Ok(Program::Pieces(pieces))
        }
    }
}

fn compile_statements(source: &str) -> Result<Program, TemplateFault> {
    let mut engine = engine::expressions().clone();
    let guarded = guard_template(source, engine.syntax().clone())?;
    let added = engine.add_template_owned(engine::ONLY, guarded.code().to_owned());
    added.map_err(|error| TemplateFault::of_error(&error, &guarded))?;
    Ok(Program::Statements { engine: Box::new(engine), guarded })
}

//! A compiled template.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use minijinja::{Environment, Expression, Value};

use super::guard::{Guarded, guard_expression, guard_template};
use super::printable::check_printable;
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
        let program = match split::split(source) {
            Some(parts) if parts.len() <= MAX_PIECES => compile_parts(&parts)?,
            _ => compile_statements(source)?,
        };
        Ok(Template { source: source.clone(), program })
    }

    /// Compiles a file: what it yields is always text.
    pub fn compile_file(source: &Arc<str>) -> Result<Template, TemplateFault> {
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
                let mut text = String::new();
                for piece in pieces {
                    text.push_str(&piece.render(scope)?);
                }
                Ok(Value::from(text))
            }
            Program::Statements { engine, guarded } => {
                let render = || engine.get_template(engine::ONLY).and_then(|template| template.render(scope));
                let rendered = uninterrupted(render).ok_or_else(|| TemplateFault::new(0, ENGINE_FAILED))?;
                Ok(Value::from(rendered.map_err(|error| TemplateFault::of_error(&error, guarded))?))
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

    fn render(&self, scope: &Value) -> Result<String, TemplateFault> {
        let offset = match self {
            Piece::Text(literal) => return Ok(literal.clone()),
            Piece::Expression { offset, .. } => *offset,
        };
        let value = self.evaluate(scope)?;
        check_printable(&value).map_err(|reason| TemplateFault::new(offset, reason))?;
        Ok(value.to_string())
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

//! Templates and `{{ }}` strings: MiniJinja without files, with strict undefined and fuel.

mod engine;
mod native;
mod split;
mod text_filters;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{Environment, Error, Expression, Value};

pub use native::{NativeFault, node_of_value, value_of_node};

/// Work and memory that one evaluation may take: about a million instructions, or 64 MiB.
const FUEL: u64 = 1_000_000;

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
    Statements(Box<Environment<'static>>),
}

enum Piece {
    Text(String),
    Expression {
        expression: Box<Expression<'static, 'static>>,
        code: String,
        /// Where the expression starts in the source, in bytes.
        offset: usize,
    },
}

/// Why a template cannot be compiled or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// Where in the source, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
    /// Whether it would take more work or memory than one evaluation may.
    pub exhausted: bool,
}

impl TemplateFault {
    fn new(offset: usize, reason: impl Into<String>) -> TemplateFault {
        TemplateFault { offset, reason: reason.into(), exhausted: false }
    }

    fn of_error(error: &Error, start: usize, source: &str) -> TemplateFault {
        let innermost = innermost(error);
        let compiled = source.get(start..).unwrap_or_default();
        let range = innermost.range().unwrap_or_else(|| {
            let line = line_start(compiled, innermost.line().unwrap_or(1));
            line..line
        });
        let exhausted = innermost.kind() == minijinja::ErrorKind::OutOfFuel;
        let reason = if exhausted {
            "the template takes too much work or memory".to_owned()
        } else {
            engine::reason_of(innermost, compiled.get(range.clone()).unwrap_or_default())
        };
        TemplateFault { offset: start + range.start, reason, exhausted }
    }
}

/// The error at the bottom: those above it only say through which construct it came.
fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref()) {
        innermost = source;
    }
    innermost
}

fn line_start(source: &str, line: usize) -> usize {
    source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

/// Whether a string is rendered rather than taken as it is.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

impl Template {
    /// Compiles a string of a document.
    pub fn compile(source: &Arc<str>) -> Result<Template, TemplateFault> {
        let program = match split::split(source) {
            Some(parts) => compile_parts(source, &parts)?,
            None => compile_statements(source)?,
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
            Program::Expression(piece) => self.evaluate_piece(piece, scope),
            Program::Pieces(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(literal) => text.push_str(literal),
                        Piece::Expression { offset, .. } => {
                            let value = self.evaluate_piece(piece, scope)?;
                            let printed = engine::printed(&value);
                            text.push_str(&printed.map_err(|reason| TemplateFault::new(*offset, reason))?);
                        }
                    }
                }
                Ok(Value::from(text))
            }
            Program::Statements(engine) => {
                let rendered = engine.get_template(engine::ONLY).and_then(|template| template.render(scope));
                let text = rendered.map_err(|error| TemplateFault::of_error(&error, 0, &self.source))?;
                self.refuse_joined_none(&text, 0)?;
                Ok(Value::from(text))
            }
        }
    }

    fn evaluate_piece(&self, piece: &Piece, scope: &Value) -> Result<Value, TemplateFault> {
        match piece {
            Piece::Text(literal) => Ok(Value::from(literal.as_str())),
            Piece::Expression { expression, code, offset } => {
                let value = expression.eval(scope);
                let value = value.map_err(|error| TemplateFault::of_error(&error, *offset, &self.source))?;
                if value.is_undefined() {
                    return Err(TemplateFault::new(*offset, format!("`{code}` is undefined")));
                }
                if let Some(text) = value.as_str() {
                    self.refuse_joined_none(text, *offset)?;
                }
                Ok(value)
            }
        }
    }

    /// `~` is the one way for a null into a text that no hook of the engine sees.
    fn refuse_joined_none(&self, text: &str, offset: usize) -> Result<(), TemplateFault> {
        let joined = self.source.contains('~') && text.contains("None") && !self.source.contains("None");
        if joined {
            let reason = "the text says 'None': a value joined by '~' is null";
            return Err(TemplateFault::new(offset, reason));
        }
        Ok(())
    }
}

fn compile_parts(source: &Arc<str>, parts: &[split::Part<'_>]) -> Result<Program, TemplateFault> {
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        pieces.push(match part {
            split::Part::Text(text) => Piece::Text((*text).to_owned()),
            split::Part::Expression { code, offset } => {
                let compiled = engine::expressions().compile_expression_owned((*code).to_owned());
                let expression = compiled.map_err(|error| TemplateFault::of_error(&error, *offset, source))?;
                Piece::Expression { expression: Box::new(expression), code: (*code).to_owned(), offset: *offset }
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

fn compile_statements(source: &Arc<str>) -> Result<Program, TemplateFault> {
    let mut engine = engine::expressions().clone();
    let added = engine.add_template_owned(engine::ONLY, source.to_string());
    added.map_err(|error| TemplateFault::of_error(&error, 0, source))?;
    Ok(Program::Statements(Box::new(engine)))
}

type Compiled = Result<Arc<Template>, TemplateFault>;

/// Compiled templates by source, so that each is compiled once.
#[derive(Default)]
pub struct Templates {
    strings: Mutex<HashMap<Arc<str>, Compiled>>,
}

impl Templates {
    /// The compiled form of a string of a document.
    pub fn string(&self, source: &Arc<str>) -> Compiled {
        let mut strings = self.strings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = strings.get(source) {
            return compiled.clone();
        }
        let compiled = Template::compile(source).map(Arc::new);
        strings.insert(source.clone(), compiled.clone());
        compiled
    }
}

#[cfg(test)]
mod tests;

//! The guards of one tag: an expression or a statement.

use minijinja::machinery::Token;

use super::Edit;
use super::limits::Operators;
use super::secret_calls::SecretCalls;

/// What stands between brackets, or between the tag's own ends.
#[derive(Debug)]
struct Level {
    /// Where what `~` would join starts.
    join_from: usize,
    joins: bool,
    /// Where what `in` would look for starts.
    compare_from: usize,
    operators: Operators,
}

/// What came just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// An operator, an opening bracket, or nothing.
    Operator,
    /// Something that has a value: after it a word is an operator, and `-` has two sides.
    Value,
    /// `.` or `|`: a name follows, whatever it is.
    Name,
    /// `is` or `is not`: the name of a test follows.
    Test,
    /// The name of a test: its argument may follow.
    TestName,
}

/// A tag while its tokens are added.
#[derive(Debug)]
pub(super) struct Tag {
    edits: Vec<Edit>,
    levels: Vec<Level>,
    before: Before,
    /// The statement's word, once it is known.
    statement: Option<Statement>,
    /// The `in` of `not in` comes next, and is guarded.
    expects_in: bool,
    /// Whether a `set` sets an attribute of a namespace.
    sets_attribute: bool,
    /// What ends with the tag.
    closing: &'static str,
    secrets: SecretCalls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Unknown,
    Set,
    For,
    Other,
}

impl Level {
    fn new(start: usize) -> Level {
        Level { join_from: start, joins: false, compare_from: start, operators: Operators::default() }
    }
}

impl Tag {
    pub(super) fn of_expression(start: usize) -> Tag {
        Tag {
            edits: Vec::new(),
            levels: vec![Level::new(start)],
            before: Before::Operator,
            statement: None,
            expects_in: false,
            sets_attribute: false,
            closing: "",
            secrets: SecretCalls::new(true),
        }
    }

    pub(super) fn of_statement(start: usize) -> Tag {
        let secrets = SecretCalls::new(false);
        Tag { statement: Some(Statement::Unknown), secrets, ..Tag::of_expression(start) }
    }

    /// Ends the tag; what is to be changed in it.
    pub(super) fn end(mut self, at: usize) -> Vec<Edit> {
        while let Some(mut level) = self.levels.pop() {
            close_join(&mut self.edits, &mut level, at);
        }
        if !self.closing.is_empty() {
            self.edits.push(Edit { at, rank: 2, removed: 0, text: self.closing });
        }
        self.edits
    }

    /// Adds the token that stands from `start` to `end`.
    pub(super) fn add(&mut self, token: &Token<'_>, start: usize, end: usize) -> Result<(), String> {
        self.secrets.add(token)?;
        let outermost = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let before = std::mem::replace(&mut self.before, Before::Operator);
        match token {
            Token::Ident(word) => self.add_word(word, before, start, end)?,
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => {
                self.before = Before::Value;
            }
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => {
                level.operators.add()?;
                self.levels.push(Level::new(end));
            }
            Token::BracketClose | Token::ParenClose | Token::BraceClose => {
                self.before = Before::Value;
                if !outermost && let Some(mut inner) = self.levels.pop() {
                    close_join(&mut self.edits, &mut inner, start);
                    if let Some(level) = self.levels.last_mut() {
                        level.operators.add_bracket(&inner.operators)?;
                    }
                }
            }
            Token::Comma => {
                level.operators.separate();
                bound_compare(&mut self.edits, level, start, end);
            }
            Token::Tilde => {
                level.operators.add()?;
                if !level.joins {
                    level.joins = true;
                    self.edits.push(Edit { at: level.join_from, rank: 4, removed: 0, text: " __join(" });
                }
                self.edits.push(Edit { at: start, rank: 0, removed: end - start, text: "," });
            }
            Token::Assign => {
                bound_compare(&mut self.edits, level, start, end);
                if outermost && self.statement == Some(Statement::Set) && self.closing.is_empty() {
                    self.closing = "))";
                    let text = if self.sets_attribute { " __bounded_within((" } else { " __bounded((" };
                    self.edits.push(Edit { at: end, rank: 3, removed: 0, text });
                }
            }
            Token::Plus | Token::Minus => {
                level.operators.add()?;
                if matches!(before, Before::Value | Before::TestName) {
                    bound_join(&mut self.edits, level, start, end);
                }
            }
            Token::Eq | Token::Ne | Token::Gt | Token::Gte | Token::Lt | Token::Lte | Token::Colon => {
                level.operators.add()?;
                bound_compare(&mut self.edits, level, start, end);
            }
            Token::Dot | Token::Pipe => {
                level.operators.add()?;
                self.sets_attribute |= matches!(token, Token::Dot);
                self.before = Before::Name;
            }
            _ => level.operators.add()?,
        }
        Ok(())
    }

    fn add_word(&mut self, word: &str, before: Before, start: usize, end: usize) -> Result<(), String> {
        let outermost = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        if self.statement == Some(Statement::Unknown) {
            self.statement = Some(match word {
                "set" => Statement::Set,
                "for" => Statement::For,
                _ => Statement::Other,
            });
            bound_compare(&mut self.edits, level, start, end);
            return Ok(());
        }
        self.before = match (before, word) {
            (Before::Name, _) => Before::Value,
            (Before::Test, "not") => Before::Test,
            (Before::Test, _) => Before::TestName,
            (_, "is") => {
                level.operators.add()?;
                Before::Test
            }
            (Before::Value | Before::TestName, "not") => {
                level.operators.add()?;
                guard_in(&mut self.edits, level, start);
                bound_compare(&mut self.edits, level, start, end);
                self.expects_in = true;
                Before::Operator
            }
            (_, "in") => {
                level.operators.add()?;
                let of_loop = outermost && self.statement == Some(Statement::For);
                if of_loop {
                    self.statement = Some(Statement::Other);
                } else if !std::mem::take(&mut self.expects_in) {
                    guard_in(&mut self.edits, level, start);
                }
                bound_compare(&mut self.edits, level, start, end);
                Before::Operator
            }
            (_, "and" | "or" | "not" | "if" | "else") | (Before::Value, _) => {
                level.operators.add()?;
                bound_compare(&mut self.edits, level, start, end);
                Before::Operator
            }
            _ => Before::Value,
        };
        Ok(())
    }
}

fn close_join(edits: &mut Vec<Edit>, level: &mut Level, at: usize) {
    if std::mem::take(&mut level.joins) {
        edits.push(Edit { at, rank: 0, removed: 0, text: ")" });
    }
}

/// An operator that binds less than `~`, from `start` to `end`.
fn bound_join(edits: &mut Vec<Edit>, level: &mut Level, start: usize, end: usize) {
    close_join(edits, level, start);
    level.join_from = end;
}

/// An operator that binds less than `+`.
fn bound_compare(edits: &mut Vec<Edit>, level: &mut Level, start: usize, end: usize) {
    bound_join(edits, level, start, end);
    level.compare_from = end;
}

/// Guards what `in`, or the `not` before it, looks for.
fn guard_in(edits: &mut Vec<Edit>, level: &mut Level, at: usize) {
    edits.push(Edit { at: level.compare_from, rank: 3, removed: 0, text: " __bounded(" });
    edits.push(Edit { at, rank: 1, removed: 0, text: ")" });
}

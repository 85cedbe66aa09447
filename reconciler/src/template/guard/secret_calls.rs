//! Calls of `secret()`: what they give stands alone, or is given on.

use minijinja::machinery::Token;

use super::super::secret::STANDS_ALONE;

/// The calls of `secret()` in one tag.
#[derive(Debug)]
pub(super) struct SecretCalls {
    /// Each open bracket; whether it is that of such a call.
    open: Vec<bool>,
    /// The name came just before. Whether it stood where its value may.
    named: Option<bool>,
    /// Such a call ended just before.
    ended: bool,
    /// Whether a value may begin here and stand alone.
    alone: bool,
    /// A name follows, whatever it is.
    name_follows: bool,
}

impl SecretCalls {
    /// None so far, in a tag that is an expression or a statement.
    pub(super) fn new(of_expression: bool) -> SecretCalls {
        SecretCalls { open: Vec::new(), named: None, ended: false, alone: of_expression, name_follows: false }
    }

    /// Takes in the next token.
    pub(super) fn add(&mut self, token: &Token<'_>) -> Result<(), String> {
        let named = self.named.take();
        if std::mem::take(&mut self.ended) && !may_follow(token) {
            return Err(STANDS_ALONE.to_owned());
        }
        match token {
            Token::Ident("secret") if !self.name_follows => self.named = Some(self.alone),
            Token::ParenOpen if named == Some(false) => return Err(STANDS_ALONE.to_owned()),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => self.open.push(named.is_some()),
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.ended = self.open.pop().unwrap_or_default();
            }
            _ => {}
        }
        self.name_follows = matches!(token, Token::Dot | Token::Pipe);
        self.alone = matches!(
            token,
            Token::ParenOpen
                | Token::BracketOpen
                | Token::BraceOpen
                | Token::Comma
                | Token::Colon
                | Token::Assign
                | Token::Ident("else")
        );
        Ok(())
    }
}

/// Whether a token can stand after a value that stands alone.
fn may_follow(token: &Token<'_>) -> bool {
    let closes = matches!(token, Token::ParenClose | Token::BracketClose | Token::BraceClose);
    closes || matches!(token, Token::Comma | Token::Ident("if" | "else"))
}

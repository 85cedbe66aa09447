//! How long chains of operators may be: the engine compiles each within the one before.

/// The most operators, one within the other, of an expression.
pub(super) const MAX_OPERATORS: usize = 300;

pub(super) fn check_chain(length: usize, most: usize) -> Result<(), String> {
    if length > most {
        return Err(format!("more than {most} operators, one within the other"));
    }
    Ok(())
}

/// Counts the operators within one pair of brackets.
#[derive(Debug, Default)]
pub(super) struct Operators {
    /// Since the last comma.
    own: usize,
    /// The most that are one within the other in brackets since then.
    within: usize,
    /// The most between two commas before.
    before: usize,
}

impl Operators {
    pub(super) fn add(&mut self) -> Result<(), String> {
        self.own += 1;
        check_chain(self.own + self.within, MAX_OPERATORS)
    }

    pub(super) fn add_bracket(&mut self, inner: &Operators) -> Result<(), String> {
        self.within = self.within.max(inner.deepest());
        check_chain(self.own + self.within, MAX_OPERATORS)
    }

    pub(super) fn separate(&mut self) {
        *self = Operators { before: self.deepest(), ..Operators::default() };
    }

    fn deepest(&self) -> usize {
        self.before.max(self.own + self.within)
    }
}

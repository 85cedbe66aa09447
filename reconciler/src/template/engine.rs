//! The engine as all templates get it: strict, with fuel, without files, clock or chance.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::printable::check_printable;
use super::secret::print_secret;
use super::{FUEL, bounded, filters, text_filters};

/// The name of the only template of an engine.
pub(super) const ONLY: &str = "template";
/// How deep statements may lie in one another, and macros and recursive loops may call themselves.
const MAX_RECURSION: usize = 100;

/// An engine without templates; expressions are compiled in it.
pub(super) fn expressions() -> &'static Environment<'static> {
    static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut engine = bare();
        text_filters::refuse_unprintable(&mut engine);
        filters::add(&mut engine);
        bounded::add(&mut engine);
        engine
    });
    &ENGINE
}

/// The engine with MiniJinja's own filters.
pub(super) fn built_in() -> &'static Environment<'static> {
    static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(bare);
    &ENGINE
}

fn bare() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_debug(true);
    engine.set_recursion_limit(MAX_RECURSION);
    engine.remove_global("debug");
    // It writes None, and repeats what is shared without an end.
    engine.remove_filter("pprint");
    let syntax = minijinja::syntax::SyntaxConfig::builder().keep_trailing_newline(true).build();
    if let Ok(syntax) = syntax {
        engine.set_syntax(syntax);
    }
    engine.set_formatter(|out, state, value| {
        if let Some(printed) = print_secret(out, state, value) {
            return printed;
        }
        check_printable(value).map_err(|reason| Error::new(ErrorKind::InvalidOperation, reason))?;
        escape_formatter(out, state, value)
    });
    engine
}

//! Templates and `{{ }}` strings: MiniJinja without files, with strict undefined and fuel.
//!
//! Rendering is pure: no clock, no chance, no environment, no file. What a template yields is data
//! and never rendered again. Whatever is written, it ends soon, in bounded memory, without a panic.

mod bounded;
mod compiled;
mod engine;
mod fault;
mod filters;
mod guard;
mod hint;
mod native;
mod printable;
mod secret;
mod split;
mod templates;
mod text_filters;

pub use compiled::Template;
pub use fault::TemplateFault;
pub use native::{NativeFault, node_of_value, value_of_node};
pub use secret::{SecretText, SecretUse, TextPiece};
pub use templates::Templates;

/// Work and memory that one evaluation may take: about a million instructions, or 64 MiB.
const FUEL: u64 = 1_000_000;

/// Whether a string is rendered rather than taken as it is.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

#[cfg(test)]
mod tests;

//! Who may ask what of the API: tokens, what each may do, and with which hosts. Pure.

mod caller;
mod known_tokens;
mod scope;
#[cfg(test)]
mod tests;
mod token;

pub use caller::{Caller, Denied};
pub use known_tokens::KnownTokens;
pub use scope::Scope;
pub use token::{BadToken, Token, TokenList, check_name};

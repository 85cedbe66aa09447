//! What reads a state repository, against one that is made to harm it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "hostile/attack.rs"]
mod attack;

#![allow(clippy::unwrap_used)]

mod armour;
mod bindings;
mod keyring;
mod signing;

#![allow(clippy::unwrap_used)]

mod armour;
mod attack;
mod bindings;
mod keyring;
mod signing;

#![allow(clippy::unwrap_used)]

mod armour;
mod attack;
mod bindings;
mod forges;
mod keyring;
mod signing;

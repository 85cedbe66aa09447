//! What touches the world: one port or implementation a file.

pub mod anchor;
pub mod api;
pub mod archive;
pub mod attest;
pub mod audit;
pub mod breakglass_folder;
pub mod broker;
pub mod bus;
pub mod clock;
pub mod facts_folder;
pub mod git;
pub mod inbox;
pub mod key_folder;
pub mod password;
pub mod repository;
pub mod sealer;
pub mod secret_file;
pub mod signer;
pub mod store;
pub mod tls;
pub mod token_file;
pub mod token_proof;
pub mod verified_clone;
pub mod witness;

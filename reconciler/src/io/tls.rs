//! Certificates: what the orchestrator shows and whom it trusts, in TLS.

mod client;
mod pem;
mod server;

pub use client::{ClientFiles, trust_for_http};
pub use pem::TlsFileError;
pub use server::{ServerFiles, ServerTls};

//! Facts: what the agent finds out about its host.
//!
//! Here is only what turns texts and bytes of the host into facts; `io::facts` reads them.

pub mod cpu;
pub mod interface;
pub mod kernel;
pub mod os_release;
pub mod virtualisation;

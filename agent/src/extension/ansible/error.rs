//! Why a module gave no result.

use super::ModuleName;
use crate::host::HostError;
use crate::io::child_lines::ChildError;

/// What went wrong with one call of a module.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// There is no Python with ansible-core, or it does not start.
    #[error("modules of Ansible cannot be run; is ansible-core installed on this host?")]
    Start(#[source] ChildError),
    /// What runs the modules broke off. The next call starts it anew.
    #[error("{module}: what runs the modules broke off")]
    Server {
        /// The module.
        module: ModuleName,
        /// How.
        #[source]
        source: ChildError,
    },
    /// The host refused to run it.
    #[error("{module}: the host refused")]
    Host {
        /// The module.
        module: ModuleName,
        /// Why.
        #[source]
        source: HostError,
    },
    /// It gave no result that can be understood.
    #[error("{module}: {reason}")]
    NoResult {
        /// The module.
        module: ModuleName,
        /// Why.
        reason: String,
    },
    /// It says that it failed.
    #[error("{module} failed: {message}")]
    Failed {
        /// The module.
        module: ModuleName,
        /// What it says.
        message: String,
    },
}

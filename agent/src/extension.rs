//! The port to what provides declared collections: plug-ins, command resources of DSC, modules of Ansible.
//!
//! Reading and changing are two traits, as of the host: an audit holds nothing that can change. Each kind of provider
//! has a file that implements both; this one chooses among them.

pub mod ansible;
mod arguments;
pub mod dsc;
pub mod plugin;

use crate::resource::{Change, ResourceError, State};
use muster_schema::ExtensionName;
use muster_schema::resource::{Existence, ExtensionProvider, ExtensionSpec};
use std::time::Duration;

/// One thing of a declared collection, as its provider is asked about it.
#[derive(Debug, Clone, Copy)]
pub struct Thing<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its collection, its provider and the attributes that are managed.
    pub spec: &'a ExtensionSpec,
    /// Whether it is to exist.
    pub existence: Existence,
    /// How long the provider may take; its own default where nothing is said.
    pub timeout: Option<Duration>,
}

/// Reads things of declared collections. Nothing is changed by it.
pub trait ExtensionRead: Send + Sync {
    /// What there is of a thing: the managed attributes at least, as far as they have a value.
    ///
    /// # Errors
    /// `Blocked`, when this host has no such provider; `Unknown`, when the provider cannot tell; else when it fails.
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError>;

    /// The ids of all things of a collection.
    ///
    /// # Errors
    /// When the provider cannot list them.
    fn list(&self, collection: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError>;

    /// Ends what runs and was not asked anything for a while.
    fn end_idle(&self) {}
}

/// Changes things of declared collections.
pub trait ExtensionWrite: ExtensionRead {
    /// Makes one change. Durable when it returns.
    ///
    /// # Errors
    /// When it could not be made, or not wholly.
    fn apply(&self, thing: &Thing<'_>, change: &Change) -> Result<(), ResourceError>;
}

/// All providers of this host.
pub struct Extensions {
    plugins: plugin::Plugins,
    dsc: dsc::DscResources,
    ansible: ansible::AnsibleModules,
}

impl Extensions {
    /// The providers that a host is set up with. Nothing is started yet.
    pub fn new(plugins: plugin::Plugins, dsc: dsc::DscResources, ansible: ansible::AnsibleModules) -> Extensions {
        Extensions { plugins, dsc, ansible }
    }

    /// The plug-ins.
    pub fn plugins(&self) -> &plugin::Plugins {
        &self.plugins
    }

    fn reader(&self, provider: &ExtensionProvider) -> &dyn ExtensionRead {
        match provider {
            ExtensionProvider::Plugin(_) => &self.plugins,
            ExtensionProvider::Dsc(_) => &self.dsc,
            ExtensionProvider::Ansible(_) => &self.ansible,
        }
    }

    fn writer(&self, provider: &ExtensionProvider) -> &dyn ExtensionWrite {
        match provider {
            ExtensionProvider::Plugin(_) => &self.plugins,
            ExtensionProvider::Dsc(_) => &self.dsc,
            ExtensionProvider::Ansible(_) => &self.ansible,
        }
    }
}

impl ExtensionRead for Extensions {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        self.reader(&thing.spec.provider).observe(thing)
    }

    fn list(&self, collection: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        self.reader(provider).list(collection, provider)
    }

    fn end_idle(&self) {
        self.plugins.end_idle();
        self.dsc.end_idle();
        self.ansible.end_idle();
    }
}

impl ExtensionWrite for Extensions {
    fn apply(&self, thing: &Thing<'_>, change: &Change) -> Result<(), ResourceError> {
        self.writer(&thing.spec.provider).apply(thing, change)
    }
}

/// The host has no provider of this kind.
fn not_here(provider: &ExtensionProvider) -> ResourceError {
    ResourceError::Blocked(format!("{provider} is not on this host"))
}

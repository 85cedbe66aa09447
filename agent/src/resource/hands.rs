//! What a change is made with.

use super::{ResourceError, State};
use crate::host::{Accounts, HostWrite, Program, ProgramOutput};
use crate::plan::{Purpose, Schedule};
use muster_schema::content::BlobRef;
use muster_schema::resource::Existence;
use muster_schema::{Address, Collection};
use std::io::Read;
use std::time::Duration;

/// Bytes by digest: blobs of the manifest, and kept originals.
pub trait Contents: Send + Sync {
    /// Opens the content.
    ///
    /// # Errors
    /// When it is not at hand.
    fn open(&self, content: &BlobRef) -> Result<Box<dyn Read>, ResourceError>;
}

/// The writing half of the host, and what changes need beside it. Audits have none.
pub struct Hands<'a> {
    /// The host.
    pub host: &'a dyn HostWrite,
    /// Where contents come from.
    pub contents: &'a dyn Contents,
    /// What the whole run is about.
    pub schedule: &'a Schedule,
    /// Whether candidates are tested first. What goes back to what was found is not.
    pub validate: bool,
    /// How long one attempt may take; the type's own default where nothing is said.
    pub timeout: Option<Duration>,
}

impl Hands<'_> {
    /// Whether the thing of this name is to be there: the manifest asks for it, or it comes back.
    pub fn expects(&self, collection: Collection, id: &str) -> bool {
        let index = Address::new(collection, id).ok().and_then(|address| self.schedule.find(&address));
        let target = index.and_then(|index| self.schedule.targets.get(index));
        target.is_some_and(|target| match target.purpose {
            Purpose::Leave => target.wanted.as_ref().is_some_and(|wanted| wanted.state != State::Absent),
            _ => target.resource.meta.state != Existence::Absent,
        })
    }

    /// Runs a program and takes every code but 0 for a failure.
    ///
    /// # Errors
    /// When it does not run or fails.
    pub fn run(&self, program: &Program) -> Result<ProgramOutput, ResourceError> {
        let output = self.host.run(program)?;
        if output.success() {
            return Ok(output);
        }
        Err(ResourceError::Program {
            program: program.argv.first().cloned().unwrap_or_default(),
            code: output.code,
            message: output.last_words(),
        })
    }

    /// Names and numbers of accounts as they are now: the plan may just have made some.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn accounts(&self) -> Result<Accounts, ResourceError> {
        Ok(Accounts::load(self.host.reader().as_mut())?)
    }
}

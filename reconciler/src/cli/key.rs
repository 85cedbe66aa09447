//! `muster key`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use muster_schema::root::Root;
use zeroize::Zeroizing;

use super::say::say;
use crate::io;
use crate::io::clock;
use crate::io::key_folder::{KeyFolder, SignedRoot};
use crate::keys::{KeysError, NextRoot, ROOT_LIFE, RootSigners};

mod ceremony;
mod create;
mod generate;
mod revoke;
mod rotate;

/// Make the keys of a fleet, exchange them, take them back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Args),
    Create(create::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Args),
    Ceremony(ceremony::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Generate(args) => generate::run(args),
        Command::Create(args) => create::run(args),
        Command::Rotate(args) => rotate::run(args),
        Command::Revoke(args) => revoke::run(args),
        Command::Ceremony(args) => ceremony::run(args),
    }
}

/// What signs the next root document, and where it goes.
#[derive(Debug, clap::Args)]
struct RootArgs {
    /// The folder of the root documents; a running 'muster serve' with this folder takes a new one up.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The file of a root key, where it is not in that folder; may be repeated.
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
    /// A file whose first line opens and encrypts root keys; without it, as --password-file.
    #[arg(long, value_name = "FILE")]
    root_password_file: Option<PathBuf>,
    /// A file whose first line encrypts keys for the orchestrator.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Start the serials of all hosts anew: where a stolen key has signed very high ones.
    #[arg(long)]
    raise_epoch: bool,
}

/// The next root document in the making, and what is needed to make it count.
struct Making {
    folder: KeyFolder,
    current: SignedRoot,
    signers: RootSigners,
    next: NextRoot,
    password: Option<Zeroizing<String>>,
    root_password: Option<Zeroizing<String>>,
}

impl RootArgs {
    fn begin(&self) -> Result<Making, anyhow::Error> {
        let password = self.password_file.as_deref().map(io::password::load_password).transpose()?;
        let root_password = self.root_password_file.as_deref().or(self.password_file.as_deref());
        let root_password = root_password.map(io::password::load_password).transpose()?;
        let (folder, current) = load_current(&self.keys)?;
        let opened = root_password.as_deref().map(String::as_str);
        let signers = RootSigners::load(&folder, current.0.root(), &self.root_key, opened)?;
        let mut next = NextRoot::after(current.0.root(), clock::now().plus(ROOT_LIFE));
        if self.raise_epoch {
            next.raise_epoch();
        }
        Ok(Making { folder, current, signers, next, password, root_password })
    }
}

impl Making {
    /// Signs it and puts it into the folder.
    fn finish(&self) -> Result<(), anyhow::Error> {
        let (root, signatures) = self.signers.sign(&self.current.0, self.next.root())?;
        self.folder.keep_root(root.root().version, root.bytes(), &signatures)?;
        Ok(())
    }

    /// Tells what comes next.
    fn say_kept(&self) {
        say_kept(&self.folder, self.next.root(), self.current.0.root());
    }
}

/// The newest root document of a folder.
fn load_current(path: &std::path::Path) -> Result<(KeyFolder, SignedRoot), anyhow::Error> {
    let folder = KeyFolder::new(path);
    let roots = folder.load_roots().with_context(|| format!("the root documents in {}", path.display()))?;
    let current = roots.into_iter().next_back().ok_or_else(|| KeysError::NoRoot(path.to_owned()))?;
    Ok((folder, current))
}

fn say_kept(folder: &KeyFolder, root: &Root, before: &Root) {
    let Root { version, epoch, .. } = root;
    if *epoch != before.epoch {
        say!("epoch {epoch}: every host gets a new manifest, and its serials start anew");
    }
    let path = folder.path().join(format!("{version}.root.json"));
    say!("{}: a running 'muster serve' takes it up within seconds; agents follow within a minute", path.display());
}

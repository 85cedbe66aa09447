//! `muster key ceremony`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use muster_schema::root::{Role, RoleName};

use super::super::confirm::confirm;
use super::super::say::{print, say};
use super::{load_current, say_kept};
use crate::io;
use crate::io::clock;
use crate::io::key_folder::{load_public, make_proposal, open_proposal};
use crate::io::signer::{FileSigner, Signer};
use crate::keys::{NextRoot, Proposal};

const DAY: u64 = 24 * 60 * 60;

/// Make the next root document where its keys are on several machines.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write down the next root document, unsigned, in a folder of its own.
    Begin(Begin),
    /// Show what a proposal changes, and sign it with your root key.
    Sign {
        /// The folder of the proposal.
        proposal: PathBuf,
        /// The file of your root key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A file whose first line opens it.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Sign without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Check that enough have signed, and put the root document into the keys folder.
    Finish {
        /// The folder of the proposal.
        proposal: PathBuf,
        /// The folder of the root documents.
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Begin {
    /// The folder to make for the proposal.
    proposal: PathBuf,
    /// The folder of the root documents.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The role whose keys change: root, render, fresh, witness or breakglass. The last two may have no key and a
    /// threshold of 0.
    #[arg(long)]
    role: Option<RoleName>,
    /// The file of a public key that the role is to have; repeat it for each. All others go.
    #[arg(long, value_name = "FILE", requires = "role")]
    key: Vec<PathBuf>,
    /// How many of them must sign; as many as now where nothing is said.
    #[arg(long, value_name = "COUNT", requires = "role")]
    threshold: Option<u32>,
    /// For how many days the root document is good.
    #[arg(long, value_name = "DAYS", default_value_t = 1825, value_parser = clap::value_parser!(u64).range(1..=36500))]
    days: u64,
    /// Start the serials of all hosts anew.
    #[arg(long)]
    raise_epoch: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Begin(args) => begin(args)?,
        Command::Sign { proposal, key, password_file, yes } => sign(proposal, key, password_file.as_deref(), *yes)?,
        Command::Finish { proposal, keys } => finish(proposal, keys)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(args: &Begin) -> Result<(), anyhow::Error> {
    let (_, current) = load_current(&args.keys)?;
    let expires = clock::now().plus(Duration::from_secs(args.days * DAY));
    let mut next = NextRoot::after(current.0.root(), expires);
    if let Some(name) = args.role {
        let keys = args.key.iter().map(|path| load_public(path)).collect::<Result<_, _>>()?;
        let before = current.0.root().roles.get(name);
        // A role that nobody had begins with one.
        let usual = if before.is_none() { 1 } else { before.threshold };
        let threshold = args.threshold.unwrap_or(usual);
        next.set_role(name, Role { threshold, keys });
    }
    if args.raise_epoch {
        next.raise_epoch();
    }
    let proposal = Proposal::load(current.0.clone(), serde_json::to_vec(next.root())?)?;
    make_proposal(&args.proposal, &proposal, &current.1)?;
    print(format_args!("{}", proposal.describe()));
    let ids: Vec<String> = proposal.signers().iter().map(|key| key.id().to_string()).collect();
    say!("");
    say!("Take {} to the holders of these keys: {}", args.proposal.display(), ids.join(", "));
    say!("Each: muster key ceremony sign {} --key FILE", args.proposal.display());
    Ok(())
}

fn sign(folder: &Path, key: &Path, password: Option<&Path>, yes: bool) -> Result<(), anyhow::Error> {
    let (keys, proposal, _) = open_proposal(folder)?;
    let password = password.map(io::password::load_password).transpose()?;
    let signer = FileSigner::load(key, password.as_deref().map(String::as_str))?;
    let own = signer.public_key();
    print(format_args!("{}", proposal.describe()));
    ensure!(
        proposal.signers().contains(&own),
        "{} is no root key of this document, nor of the one before; its signature would not count",
        own.id()
    );
    if !yes && !confirm(&format!("Sign this as {}, fingerprint {}?", own.id(), own.fingerprint()), "--yes")? {
        bail!("nothing was signed");
    }
    let version = proposal.next().version;
    let comment = format!("muster root {version} of {}", proposal.next().fleet);
    let path = keys.keep_signature(version, &signer.sign(proposal.bytes(), &comment)?)?;
    say!("signed: {}", path.display());
    Ok(())
}

fn finish(folder: &Path, keys: &Path) -> Result<(), anyhow::Error> {
    let (_, proposal, signatures) = open_proposal(folder)?;
    let (keys, current) = load_current(keys)?;
    ensure!(
        current.0.bytes() == proposal.current().bytes(),
        "{} is to follow root document {}, but the newest in {} is {} or another of that number\n  hint: begin the \
         ceremony anew",
        folder.display(),
        proposal.current().root().version,
        keys.path().display(),
        current.0.root().version
    );
    let (root, counting) = proposal.finish(&signatures)?;
    let version = root.root().version;
    keys.keep_root(version, root.bytes(), &counting).with_context(|| format!("root document {version}"))?;
    print(format_args!("{}", proposal.describe()));
    say!("");
    say_kept(&keys, root.root(), current.0.root());
    Ok(())
}

//! `muster breakglass`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use muster_schema::HostId;
use muster_schema::breakglass::{HEAD_FILE, MANIFEST_FILE};
use muster_schema::root::Root;
use ssh_key::PublicKey;

use super::confirm::confirm;
use super::say::{print, say};
use crate::breakglass::{BreakGlassBundle, BreakGlassFault, signers_of};
use crate::io;
use crate::io::breakglass_folder::{FoundBundle, keep_bundle, keep_signature, load_bundle, load_challenge};
use crate::io::clock;
use crate::io::key_folder::KeyFolder;
use crate::io::signer::{FileSigner, Signer};
use crate::io::verified_clone::{CloneTrust, verify_clone};

const HOUR: u64 = 60 * 60;

/// Give one host a revision without the orchestrator, signed by people with break-glass keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify a clone, render a host at one of its commits, and make the folder that is to be signed.
    Begin(Begin),
    /// Show what a bundle says, and sign it.
    Sign(Sign),
}

#[derive(Debug, clap::Args)]
struct Begin {
    /// The host.
    host: HostId,
    /// What 'muster-agent breakglass request' printed there; '-' reads it from standard input.
    #[arg(long, value_name = "FILE")]
    challenge: PathBuf,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The folder of the root documents and their signatures.
    #[arg(long, value_name = "DIR")]
    roots: PathBuf,
    /// The commit to render; the newest of the clone's branch unless given.
    #[arg(long, value_name = "COMMIT")]
    at: Option<String>,
    /// The commit of the clone that you trust: as new as may be.
    #[arg(long, value_name = "COMMIT")]
    trust: String,
    #[command(flatten)]
    clone: CloneArgs,
    /// For how many hours the bundle is good.
    #[arg(long, value_name = "HOURS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=4))]
    hours: u64,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, clap::Args)]
struct Sign {
    /// The folder of the bundle.
    bundle: PathBuf,
    /// The commit of a clone that you trust: the host is rendered anew, and only the same is signed. Without it the
    /// manifest is not compared with anything.
    #[arg(long, value_name = "COMMIT")]
    trust: Option<String>,
    #[command(flatten)]
    clone: CloneArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, clap::Args)]
struct CloneArgs {
    /// The clone of the state repository.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// The watched branch.
    #[arg(long, default_value = "main")]
    branch: String,
    /// The status key: status.pub of the keys folder. Without it no facts of hosts are known.
    #[arg(long, value_name = "FILE")]
    status_key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct KeyArgs {
    /// The file of your break-glass key.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A file whose first line opens it.
    #[arg(long, value_name = "FILE", requires = "key")]
    password_file: Option<PathBuf>,
    /// Sign without being asked.
    #[arg(long)]
    yes: bool,
}

impl CloneArgs {
    fn trust(&self, commit: &str) -> Result<CloneTrust, anyhow::Error> {
        let load = |path: &PathBuf| {
            PublicKey::read_openssh_file(path).with_context(|| format!("the status key {}", path.display()))
        };
        let status_key = self.status_key.as_ref().map(load).transpose()?;
        let (repository, branch) = (self.repo.clone(), self.branch.clone());
        Ok(CloneTrust { repository, branch, commit: commit.to_owned(), status_key })
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Begin(args) => begin(args)?,
        Command::Sign(args) => sign(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(args: &Begin) -> Result<(), anyhow::Error> {
    let challenge = load_challenge(&args.challenge)?;
    let roots = KeyFolder::new(&args.roots).load_roots()?;
    let (newest, _) = roots.last().with_context(|| format!("{} holds no root document", args.roots.display()))?;
    let root = newest.root();
    // Said before anything is rendered.
    if root.roles.breakglass.is_none() {
        return Err(BreakGlassFault::NoRole(root.version).into());
    }
    let at = args.at.as_ref().unwrap_or(&args.clone.branch);
    let state = verify_clone(&args.clone.trust(&args.trust)?, &root.fleet, at, None)?;
    let life = Duration::from_secs(args.hours * HOUR);
    let (bundle, blobs) = BreakGlassBundle::make(&challenge, &args.host, root, &state, life, clock::now())?;
    keep_bundle(&args.out, &roots, &bundle, &blobs)?;
    print(format_args!("{}", bundle.describe(root)));
    if args.key.key.is_some() {
        sign_with(&args.out, &bundle, root, &args.key)?;
    }
    say_next(&args.out)
}

fn sign(args: &Sign) -> Result<(), anyhow::Error> {
    let FoundBundle { root, bundle, .. } = load_bundle(&args.bundle)?;
    print(format_args!("{}", bundle.describe(root.root())));
    match &args.trust {
        Some(commit) => {
            let (trust, at) = (args.clone.trust(commit)?, bundle.head().revision.as_str());
            let state = verify_clone(&trust, &root.root().fleet, at, bundle.facts_commit())?;
            bundle.compare(root.root(), &state)?;
            say!("Rendered anew here from a clone that was verified: it is the same.");
        }
        None => say!("It was NOT compared with the state repository; --trust COMMIT and --repo DIR do that."),
    }
    sign_with(&args.bundle, &bundle, root.root(), &args.key)?;
    say_next(&args.bundle)
}

fn sign_with(folder: &Path, bundle: &BreakGlassBundle, root: &Root, args: &KeyArgs) -> Result<(), anyhow::Error> {
    let path = args.key.as_ref().context("which key signs? --key FILE")?;
    let password = args.password_file.as_deref().map(io::password::load_password).transpose()?;
    let signer = FileSigner::load(path, password.as_deref().map(String::as_str))?;
    let own = signer.public_key();
    ensure!(
        root.roles.breakglass.keys.contains(&own),
        "{} is no break-glass key of root document {}; its signature would not count",
        own.id(),
        root.version
    );
    if !args.yes && !confirm(&format!("Sign this as {}, fingerprint {}?", own.id(), own.fingerprint()), "--yes")? {
        bail!("nothing was signed; the bundle is in {}", folder.display());
    }
    let comment = format!("muster breakglass {}", bundle.head().host.id);
    keep_signature(folder, MANIFEST_FILE, &signer.sign(bundle.manifest_bytes(), &comment)?)?;
    keep_signature(folder, HEAD_FILE, &signer.sign(bundle.head_bytes(), &comment)?)?;
    say!("signed by {}", own.id());
    Ok(())
}

/// Says what is missing, or where the bundle goes.
fn say_next(folder: &Path) -> Result<(), anyhow::Error> {
    let found = load_bundle(folder)?;
    let role = &found.root.root().roles.breakglass;
    let (signed, missing) = signers_of(&found.bundle, role, &found.head, &found.manifest);
    if signed.len() >= role.threshold as usize {
        say!("Enough have signed. Copy {} to the host; there, as root:", folder.display());
        say!("  muster-agent breakglass apply DIR");
    } else {
        let missing: Vec<String> = missing.iter().map(|key| key.id().to_string()).collect();
        say!(
            "{} of {} have signed. Take {} to holders of: {}",
            signed.len(),
            role.threshold,
            folder.display(),
            missing.join(", ")
        );
        say!("Each: muster breakglass sign DIR --key FILE --repo CLONE --trust COMMIT");
    }
    Ok(())
}

//! `muster init`.
#![allow(clippy::disallowed_methods, reason = "makes a new repository's folder")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use git2::Repository;
use muster_schema::FleetName;

use super::say::say;
use crate::io::clock;
use crate::io::git::{CommitAuthor, SshKeygenSigner, commit_signed};
use crate::keys;

/// Start a fleet: a state repository with a first signed commit, and the fleet's keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder for the state repository; must not exist, or be empty.
    dir: PathBuf,
    /// The fleet's name.
    #[arg(long)]
    fleet: FleetName,
    /// The folder for the fleet's keys, outside the repository.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Your SSH key, as in git's user.signingKey: it signs the first commit and may change everything.
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
    /// Your e-mail address, as it stands in your commits.
    #[arg(long)]
    email: String,
    /// Your name.
    #[arg(long, default_value = "muster init")]
    name: String,
}

const ENVIRONMENT: &str =
    "# Hosts go to environments/production/hosts/<id>.yaml; what all of them get, here.\nlabels: {}\n";

const ACCESS: &str = "# Who may change what. What no rule grants is denied; `muster policy test` explains it.\n";

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let occupied = std::fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!occupied, "{} is not empty; nothing was made", args.dir.display());
    ensure!(
        !args.email.is_empty() && !args.email.contains(char::is_whitespace),
        "'{}' is no e-mail address",
        args.email
    );
    let public = public_key(&args.signing_key)?;
    let fingerprint = keys::generate(&args.keys, &args.fleet, clock::now(), None)
        .with_context(|| format!("no keys were made in {}", args.keys.display()))?;
    let mut options = git2::RepositoryInitOptions::new();
    let repository = Repository::init_opts(&args.dir, options.initial_head("main"))
        .with_context(|| format!("the repository {}", args.dir.display()))?;
    let files = [
        ("muster.yaml", format!("schema: 1\nfleet: {}\n", args.fleet)),
        ("policy/allowed_signers", format!("{} namespaces=\"git,muster-approval\" {public}\n", args.email)),
        ("policy/revoked_signers", String::new()),
        ("policy/access.yaml", format!("{ACCESS}rules:\n  - who: [\"{}\"]\n    may: [all]\n", args.email)),
        ("environments/production/environment.yaml", ENVIRONMENT.to_owned()),
    ];
    let edits: BTreeMap<String, Option<Vec<u8>>> =
        files.into_iter().map(|(path, text)| (path.to_owned(), Some(text.into_bytes()))).collect();
    let author = CommitAuthor { name: args.name.clone(), email: args.email.clone(), time: clock::now() };
    let signer = SshKeygenSigner { key: args.signing_key.clone() };
    let message = format!("fleet: Start {}\n", args.fleet);
    let first = commit_signed(&repository, "main", None, &edits, &message, &author, &signer)?;
    let (dir, keys) = (args.dir.display(), args.keys.display());
    say!("The state repository is in {dir}, the fleet's keys are in {keys}.");
    say!("Root fingerprint: {fingerprint}");
    say!("Move {keys}/root.key to a safe place off this machine.\n");
    say!("Next:");
    say!("  git clone --bare {dir} {dir}.git && git -C {dir} remote add origin $(realpath {dir}.git)");
    say!("  muster serve --repo {dir}.git --keys {keys} --data {dir}.data --trust {first}");
    say!("  muster enrol-command --keys {keys} --url http://127.0.0.1:8420");
    Ok(ExitCode::SUCCESS)
}

/// The public half of an SSH key, as one line without comment.
fn public_key(path: &std::path::Path) -> Result<String, anyhow::Error> {
    let beside = {
        let mut name = path.as_os_str().to_owned();
        name.push(".pub");
        PathBuf::from(name)
    };
    let file = if path.extension().is_some_and(|end| end == "pub") { path.to_owned() } else { beside };
    let key = ssh_key::PublicKey::read_openssh_file(&file)
        .with_context(|| format!("{} is no SSH public key; make a pair with ssh-keygen -t ed25519", file.display()))?;
    let mut key = key;
    key.set_comment("");
    Ok(key.to_openssh()?)
}

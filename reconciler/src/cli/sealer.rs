//! `muster sealer`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use muster_schema::CommitId;
use ssh_key::PublicKey;

use super::exit::{DIFFERS, DONE};
use super::say::say;
use super::secret::IdentityArgs;
use super::state_clone::{BRANCH, block_on, parse_remote};
use crate::io::git::SshKeygenSigner;
use crate::io::sealer::{Sealed, SealerSettings, seal_once};

/// Follow the state repository, and encrypt the secrets with 'sealer: true' anew when hosts are approved or leave, by
/// signed commits of its own.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The state repository: a folder, or an address of https, ssh or file.
    #[arg(long, value_name = "PATH|URL")]
    repo: String,
    /// The watched branch.
    #[arg(long, default_value = BRANCH)]
    branch: String,
    /// The folder for the sealer's own copy of it, and the newest commit that it verified.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The commit to trust at the first start.
    #[arg(long, value_name = "COMMIT")]
    trust: Option<CommitId>,
    /// The status key: status.pub of the keys folder; needed where access rules have bounds and templates read facts.
    #[arg(long, value_name = "FILE")]
    status_key: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityArgs,
    /// The SSH key that signs its commits, as policy/allowed_signers lists it.
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
    /// The e-mail address of its commits.
    #[arg(long)]
    email: String,
    /// Time between two looks, in seconds.
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    poll: u64,
    /// Look once, and end with 1 where something is left to a person.
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let status_key = args
        .status_key
        .as_ref()
        .map(|path| PublicKey::read_openssh_file(path).with_context(|| format!("the status key {}", path.display())));
    let mut identities = args.identity.require()?;
    let (Some(identity), true) = (identities.pop(), identities.is_empty()) else {
        bail!("a sealer has one key; the identity file holds several");
    };
    let settings = SealerSettings {
        remote: parse_remote(&args.repo)?,
        branch: args.branch.clone(),
        data: args.data.clone(),
        trust: args.trust.clone(),
        status_key: status_key.transpose()?,
        identity,
        signer: SshKeygenSigner { key: std::path::absolute(&args.signing_key)? },
        email: args.email.clone(),
    };
    if args.once {
        let sealed = block_on(seal_once(&settings))??;
        tell(&sealed);
        return Ok(ExitCode::from(if sealed.left.is_empty() { DONE } else { DIFFERS }));
    }
    let mut told = String::new();
    loop {
        let now = match block_on(seal_once(&settings))? {
            Ok(sealed) => {
                let left = left(&sealed);
                if sealed.commit.is_some() || left != told {
                    tell(&sealed);
                }
                left
            }
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                if error != told {
                    eprintln!("{error}");
                }
                error
            }
        };
        told = now;
        std::thread::sleep(Duration::from_secs(args.poll));
    }
}

fn tell(sealed: &Sealed) {
    if let Some(commit) = sealed.commit {
        let names: Vec<String> = sealed.done.iter().map(ToString::to_string).collect();
        say!("Re-encrypted by {commit}: {}.", names.join(", "));
    }
    eprint!("{}", left(sealed));
}

fn left(sealed: &Sealed) -> String {
    let line = |(name, why)| format!("{name} is left as it is: {why}; for a person: muster secret rekey {name}\n");
    sealed.left.iter().map(|(name, why)| line((name, why))).collect()
}

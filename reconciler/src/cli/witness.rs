//! `muster witness`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use muster_schema::{CommitId, Sha256Digest};
use ssh_key::PublicKey;

use super::exit::{DIFFERS, DONE};
use super::say::say;
use super::state_clone::{block_on, parse_remote};
use crate::io;
use crate::io::signer::FileSigner;
use crate::io::witness::{Judged, WitnessSettings, witness_once};
use crate::witness::NotWitnessed;

/// Render manifests anew on a machine of its own, and sign those that are the same as the orchestrator's.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The state repository: a folder, or an address of https, ssh or file.
    #[arg(long, value_name = "PATH|URL")]
    repo: String,
    /// The watched branch.
    #[arg(long, default_value = "main")]
    branch: String,
    /// The folder for the witness's own copy of it, and the newest commit that it verified.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The commit to trust at the first start.
    #[arg(long, value_name = "COMMIT")]
    trust: Option<CommitId>,
    /// A folder of the root documents and their signatures.
    #[arg(long, value_name = "DIR")]
    roots: PathBuf,
    /// The fingerprint of one of them, as agents pin it.
    #[arg(long, value_name = "SHA256")]
    root: Sha256Digest,
    /// The status key: status.pub of the keys folder.
    #[arg(long, value_name = "FILE")]
    status_key: PathBuf,
    /// The file of the witness's secret key, as 'muster key create' makes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line opens it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The orchestrator's address for agents.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Time between two looks, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    poll: u64,
    /// Look once, and end with 1 where something was not signed.
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let password = args.password_file.as_deref().map(io::password::load_password).transpose()?;
    let status_key = PublicKey::read_openssh_file(&args.status_key)
        .with_context(|| format!("the status key {}", args.status_key.display()))?;
    let settings = WitnessSettings {
        remote: parse_remote(&args.repo)?,
        branch: args.branch.clone(),
        data: args.data.clone(),
        trust: args.trust.clone(),
        roots: args.roots.clone(),
        root: args.root,
        status_key,
        key: FileSigner::load(&args.key, password.as_deref().map(String::as_str))?,
        server: args.server.clone(),
    };
    if args.once {
        let judged = block_on(witness_once(&settings))??;
        let differs = tell(&judged);
        return Ok(ExitCode::from(if differs { DIFFERS } else { DONE }));
    }
    loop {
        match block_on(witness_once(&settings))? {
            Ok(judged) => _ = tell(&judged),
            Err(error) => eprintln!("{:#}", anyhow::Error::new(error)),
        }
        std::thread::sleep(Duration::from_secs(args.poll));
    }
}

/// Says what was signed, and loudly what was not. Returns whether something was not.
fn tell(judged: &[Judged]) -> bool {
    for (pending, verdict) in judged {
        let (host, manifest) = (&pending.host.id, pending.manifest);
        match verdict {
            Ok(()) => say!("signed: {host} {manifest} from commit {}", pending.source.commit.short()),
            Err(NotWitnessed::Waits(what)) => eprintln!("not yet: {host} {manifest}: it waits for {what}"),
            Err(why) => eprintln!("NOT SIGNED: {host} {manifest}: {why}; is somebody else signing there?"),
        }
    }
    judged.iter().any(|(_, verdict)| verdict.is_err())
}

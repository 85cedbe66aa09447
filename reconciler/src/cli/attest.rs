//! `muster attest`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;
use muster_schema::{CommitId, HostId, Sha256Digest, Timestamp};
use serde::Serialize;
use ssh_key::PublicKey;

use super::exit::{DIFFERS, DONE};
use super::output::{Format, inert, print_document};
use super::say::say;
use crate::attest::{Attestation, Proof};
use crate::io::attest::{AttestSource, Trust, collect_bundle, keep_bundle, load_bundle, verify_bundle};

/// Collect what proves what a host was told to be, by whom, and what it said; or check such a bundle.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The host.
    #[arg(required = true)]
    host: Option<HostId>,
    /// The time that is asked about, as 2026-11-28T10:00:00Z.
    #[arg(long, value_name = "TIME", required = true, value_parser = time)]
    at: Option<Timestamp>,
    /// The folder to make.
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// The orchestrator's folder, as in 'muster serve --data'. It may be served meanwhile.
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR", required = true)]
    data: Option<PathBuf>,
    /// The state repository with the status branch; the orchestrator's mirror unless given.
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// The watched branch.
    #[arg(long, default_value = "main")]
    branch: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a bundle, and say what it proves and what not. Needs no network. Ends with 1 where something is not
    /// proved, and with 2 where a file does not hold.
    Verify {
        /// The bundle.
        #[arg(value_name = "DIR")]
        bundle: PathBuf,
        /// The fingerprint of the fleet's root, as agents pin it.
        #[arg(long, value_name = "SHA256")]
        root_fingerprint: Sha256Digest,
        /// A commit of the state repository that you trust: an older one than is proved.
        #[arg(long, value_name = "COMMIT")]
        trust_commit: Option<CommitId>,
        /// The status key: status.pub of the keys folder.
        #[arg(long, value_name = "FILE")]
        status_key: Option<PathBuf>,
        /// The form of the output; text for a terminal, JSON for a pipe.
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    #[serde(flatten)]
    index: &'a Attestation,
    #[serde(flatten)]
    proof: &'a Proof,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Some(Command::Verify { bundle, root_fingerprint, trust_commit, status_key, output }) => {
            let status_key = status_key.as_deref().map(load_status_key).transpose()?;
            let trust = Trust { root: *root_fingerprint, commit: trust_commit.clone(), status_key };
            let documents = verify_bundle(&load_bundle(bundle)?, &trust).context("the bundle proves nothing")?;
            match Format::or_default(*output) {
                Format::Table => tell(&documents.index, &documents.proof),
                format => print_document(format, &Verdict { index: &documents.index, proof: &documents.proof })?,
            }
            Ok(ExitCode::from(if documents.proof.not_proved.is_empty() { DONE } else { DIFFERS }))
        }
        None => {
            let missing = || anyhow!("HOST, --at, --out and --data are needed");
            let host = args.host.as_ref().ok_or_else(missing)?;
            let (at, out) = args.at.zip(args.out.as_ref()).ok_or_else(missing)?;
            let data = args.data.clone().ok_or_else(missing)?;
            let repository = args.repo.clone().unwrap_or_else(|| data.join("mirror.git"));
            let source = AttestSource { data, repository, branch: args.branch.clone() };
            let bundle = collect_bundle(&source, host, at)?;
            keep_bundle(out, &bundle)?;
            say!("{} files in {}", bundle.files.len(), out.display());
            say!("check them with: muster attest verify {} --root-fingerprint SHA256", out.display());
            Ok(ExitCode::from(DONE))
        }
    }
}

fn tell(index: &Attestation, proof: &Proof) {
    say!("{} of fleet {} at {}", index.host, index.fleet, index.at);
    say!("proved:");
    for claim in &proof.proved {
        say!("  {}", inert(&claim.what));
        say!("    by {}", inert(&claim.by));
    }
    if !proof.not_proved.is_empty() {
        say!("not proved:");
        for lack in &proof.not_proved {
            say!("  {}", inert(lack));
        }
    }
}

fn load_status_key(path: &Path) -> Result<PublicKey, anyhow::Error> {
    PublicKey::read_openssh_file(path).with_context(|| format!("the status key {}", path.display()))
}

fn time(text: &str) -> Result<Timestamp, anyhow::Error> {
    let time: jiff::Timestamp =
        text.parse().with_context(|| format!("'{text}' is no time like 2026-11-28T10:00:00Z"))?;
    Ok(Timestamp(u64::try_from(time.as_millisecond()).context("that is before 1970")?))
}

//! `muster policy test`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;

use anyhow::{Context, bail};
use git2::Oid;
use muster_schema::document::Verb;
use muster_schema::{Collection, HostId};

use super::super::exit;
use super::super::output::inert;
use super::super::validate::print_findings;
use super::{judge, rights};
use crate::cli::say::say;
use crate::io::clock;
use crate::io::repository::{list_folder, list_revision};
use crate::model::{FileEntry, MAX_DOCUMENT_BYTES, ModelCache, RepositoryFiles, load_model};
use crate::policy::{ACCESS_POLICY, Bounds, Decision, HostLabels, load_access_policy};
use crate::verify::{
    OpenPgpCertificate, SigningPolicy, check_somebody_left, parse_allowed_signers, parse_certificate,
    parse_revoked_signers,
};

/// Ask the policy of a state repository: whether somebody may do something, how commits would be
/// judged, or, without a question, what it grants and whether it is sound. Exits 0 for yes, 1 for no.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder of the state repository.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Ask the policy of this revision, not of the files that lie there.
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Who: a principal of policy/allowed_signers.
    #[arg(long, value_name = "PRINCIPAL", requires = "may")]
    who: Option<String>,
    /// What they want to do: write, merge, approve, query or act.
    #[arg(long, value_name = "VERB", value_parser = verb, requires = "who")]
    may: Option<Verb>,
    /// With which file; for query and act there is none.
    #[arg(long, requires = "who")]
    path: Option<String>,
    /// With what it brings about on this host.
    #[arg(long, requires = "who")]
    host: Option<HostId>,
    /// With what it brings about in this collection.
    #[arg(long, requires = "who")]
    collection: Option<Collection>,
    /// Judge this commit, as if it were pushed onto its first parent.
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["who", "revision"])]
    commit: Option<String>,
    /// Judge the commits from A, which is trusted, to B, as if they were pushed.
    #[arg(long, value_name = "A..B", conflicts_with_all = ["who", "revision", "commit"])]
    range: Option<String>,
    /// The watched branch.
    #[arg(long, default_value = "main")]
    branch: String,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    if let Some(commit) = &args.commit {
        return judge::run(&args.dir, &format!("{commit}^"), commit, &args.branch);
    }
    if let Some(range) = &args.range {
        let (from, to) = range
            .split_once("..")
            .filter(|(from, to)| !from.is_empty() && !to.is_empty() && !to.starts_with('.'))
            .with_context(|| format!("'{range}' is no range; write A..B"))?;
        return judge::run(&args.dir, from, to, &args.branch);
    }
    let files = match &args.revision {
        Some(revision) => list_revision(&args.dir, revision)?,
        None => list_folder(&args.dir).with_context(|| format!("{} is not looked at", args.dir.display()))?,
    };
    let Some(policy) = load(&files)? else { return Ok(ExitCode::from(exit::ERROR)) };
    match (&args.who, args.may) {
        (Some(who), Some(may)) => {
            let labels = args.host.as_ref().map(|id| labels_of(&files, id)).transpose()?;
            let question = Question { who, may, path: args.path.as_deref(), labels, collection: args.collection };
            answer(&policy, &question)
        }
        _ => {
            rights::print(&policy);
            check_somebody_left(&policy, clock::now())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

struct Question<'a> {
    who: &'a str,
    may: Verb,
    path: Option<&'a str>,
    labels: Option<HostLabels>,
    collection: Option<Collection>,
}

/// Says yes or no, and why.
fn answer(policy: &SigningPolicy, question: &Question<'_>) -> Result<ExitCode, anyhow::Error> {
    let Question { who, may, labels, collection, .. } = question;
    let path = match (question.path, may.is_about_paths()) {
        (Some(path), true) => path,
        (None, true) => bail!("which file? say it by --path"),
        (Some(_), false) => bail!("'{may}' is not about files; leave out --path"),
        (None, false) => "",
    };
    let principals = [(*who).to_owned()];
    let by_ssh = policy.allowed.iter().any(|line| line.principals.contains(&principals[0]));
    if !by_ssh && !policy.openpgp.iter().any(|certificate| certificate.principal == **who) {
        eprintln!("note: neither policy/allowed_signers nor policy/openpgp/ lists a key for {}", inert(who));
    }
    let within = |bounds: &Bounds| {
        labels.as_ref().is_none_or(|labels| bounds.hold_host(slice::from_ref(labels)))
            && collection.is_none_or(|_| bounds.hold_collection(*collection))
    };
    let what = inert(format!("{who} may {may} {path}").trim_end());
    match policy.access.allows_within(&principals, *may, path, within) {
        Decision::Allowed(name) => {
            say!("yes: {what}, by {name}");
            let rule = policy.access.rules.iter().find(|rule| rule.name == name && !rule.bounds.are_none());
            if let Some(rule) = rule {
                say!("     as far as that acts on {}", rule.bounds);
            }
            for threshold in policy.access.thresholds(path).filter(|_| *may != Verb::Approve) {
                say!("     a change of it needs {} approvals ({ACCESS_POLICY}:{})", threshold.needs, threshold.line);
            }
            for output in policy.access.outputs.of(path) {
                say!("     what is written there is for {output}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Decision::Denied(denial) => {
            say!("no: nothing lets {}: {denial}", inert(format!("{who} {may} {path}").trim_end()));
            Ok(ExitCode::from(exit::DIFFERS))
        }
    }
}

/// The labels that a host has there.
fn labels_of(files: &RepositoryFiles, id: &HostId) -> Result<HostLabels, anyhow::Error> {
    let (model, _) = load_model(files, &mut ModelCache::default());
    let host = model.host(id).with_context(|| format!("there is no host '{id}'"))?;
    Ok(host.labels.clone())
}

/// The policy's files; nothing where a fault was printed.
fn load(files: &RepositoryFiles) -> Result<Option<SigningPolicy>, anyhow::Error> {
    let read = |path: &str| read_file(files, path);
    let access = match load_access_policy(&ACCESS_POLICY.into(), &read(ACCESS_POLICY)?) {
        Ok(access) => access,
        Err(found) => {
            print_findings(&found);
            return Ok(None);
        }
    };
    let signers = read("policy/allowed_signers")?;
    let (allowed, faults) = parse_allowed_signers(std::str::from_utf8(&signers).context("policy/allowed_signers")?);
    let (revoked, more) = parse_revoked_signers(&read("policy/revoked_signers")?);
    let faults =
        faults.into_iter().map(|fault| ("allowed", fault)).chain(more.into_iter().map(|fault| ("revoked", fault)));
    let faults: Vec<_> = faults.collect();
    for (list, (line, reason)) in &faults {
        say!("policy/{list}_signers:{line}: {}", inert(reason));
    }
    let openpgp = load_certificates(files)?;
    Ok(faults.is_empty().then_some(SigningPolicy { commit: Oid::ZERO_SHA1, allowed, revoked, openpgp, access }))
}

fn load_certificates(files: &RepositoryFiles) -> Result<Vec<OpenPgpCertificate>, anyhow::Error> {
    let mut certificates = Vec::new();
    for (path, _) in files.below("policy/openpgp") {
        let name = path.rsplit('/').next().unwrap_or_default();
        let principal = name.strip_suffix(".asc").unwrap_or(name);
        let certificate = parse_certificate(principal, &read_file(files, path)?, clock::now());
        certificates.push(certificate.map_err(|reason| anyhow::anyhow!("{path}: {reason}"))?);
    }
    Ok(certificates)
}

fn read_file(files: &RepositoryFiles, path: &str) -> Result<Vec<u8>, anyhow::Error> {
    match files.entry(path) {
        Some((_, FileEntry::File(id))) => {
            files.load_blob(path, *id, MAX_DOCUMENT_BYTES).map_err(|finding| anyhow::anyhow!("{finding}"))
        }
        _ => bail!("{path} is missing: every state repository needs it"),
    }
}

fn verb(text: &str) -> Result<Verb, String> {
    let known = || Verb::EACH.into_iter();
    known()
        .find(|verb| verb.to_string() == text)
        .ok_or_else(|| format!("there are {}", known().map(|verb| verb.to_string()).collect::<Vec<_>>().join(", ")))
}

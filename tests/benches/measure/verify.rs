//! The signatures of many commits, in a repository of two thousand hosts.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use git2::build::TreeUpdateBuilder;
use git2::{Oid, Repository, Signature};
use muster_reconciler::verify::{NothingRendered, Terms, verify_commits, verify_commits_after};
use muster_schema::Timestamp;
use muster_tests::fleet::StateRepository;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::figures::{Figures, millis, percentile};

const HOSTS: usize = 2000;
const COMMITS: usize = 1000;
/// How often the verification of one more commit is measured.
const ROUNDS: usize = 20;
/// Rules by which each commit's changes have to be looked at.
const RULES: &str =
    "rules: [{who: [\"*\"], may: [write, merge], paths: [\"policy/**\", \"environments/*/hosts/**\"]}]\n";
const RECEIPT: Timestamp = Timestamp(1_780_000_000_000);

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = StateRepository::make(folder.path())?;
    repository.write("muster.yaml", "schema: 1\nfleet: lab\n")?;
    repository.write("policy/allowed_signers", repository.allowed_signer()?)?;
    repository.write("policy/revoked_signers", "")?;
    repository.write("policy/access.yaml", RULES)?;
    for number in 0..HOSTS {
        let path = format!("environments/e{}/hosts/host-{number}.yaml", number % 4);
        repository.write(&path, format!("labels: {{number: \"{number}\"}}\n"))?;
    }
    let anchor = Oid::from_str(&repository.publish("fleet: Declare all hosts")?)?;
    let git = Repository::open(repository.bare())?;
    let key = PrivateKey::read_openssh_file(&repository.key())?;
    let mut tip = anchor;
    for number in 0..COMMITS {
        tip = commit_one_file(&git, &key, tip, &format!("labels: {{number: \"{number}\"}}\n"))?;
    }

    let refused = |rejection| anyhow!("refused: {rejection}");
    let fleet = "lab".parse()?;
    let terms = Terms { receipt: RECEIPT, fleet: &fleet, reference: "refs/heads/main", effects: &NothingRendered };
    let begun = Instant::now();
    let mut verified = verify_commits(&git, anchor, tip, &terms).map_err(refused)?;
    let took = begun.elapsed();
    ensure!(verified.commits().len() == COMMITS, "not every commit was looked at");
    figures.note("verify_1000_commits_s", took.as_secs_f64(), 2.0);

    let mut times = Vec::new();
    for round in 0..ROUNDS {
        tip = commit_one_file(&git, &key, tip, &format!("labels: {{round: \"{round}\"}}\n"))?;
        let begun = Instant::now();
        verified = verify_commits_after(&git, &verified, tip, &terms).map_err(refused)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    eprintln!("bench:   one more commit: {:.3} ms", millis(percentile(&times, 50)));
    Ok(())
}

fn commit_one_file(git: &Repository, key: &PrivateKey, parent: Oid, content: &str) -> Result<Oid> {
    let parent = git.find_commit(parent)?;
    let mut update = TreeUpdateBuilder::new();
    update.upsert("environments/e0/hosts/host-0.yaml", git.blob(content.as_bytes())?, git2::FileMode::Blob);
    let tree = git.find_tree(update.create_updated(git, &parent.tree()?)?)?;
    let who = Signature::new("Operator", "operator@example.org", &git2::Time::new(1_700_000_000, 0))?;
    let buffer = git.commit_create_buffer(&who, &who, "hosts: Change one\n", &tree, &[&parent])?;
    let text = std::str::from_utf8(&buffer)?;
    let signature = key.sign("git", HashAlg::Sha512, text.as_bytes())?;
    Ok(git.commit_signed(text, &signature.to_pem(LineEnding::LF)?, None)?)
}

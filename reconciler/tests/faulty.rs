//! Faulty repositories, one a file of `faulty/`, named by their fault.
//!
//! A file begins with what is expected, a line each: place, reason and hint, and in brackets what the fault
//! holds back. Then come the files of the repository, each under `=== path`; one without muster.yaml gets a
//! sound one. All hosts have reported. `MUSTER_GENERATE=1` writes what is found.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

use muster_reconciler::io::repository::list_folder;
use muster_reconciler::model::{Finding, ModelCache, Scope, load_model};
use muster_reconciler::render::{FactsOfFleet, check_fleet};
use muster_schema::HostId;
use muster_schema::facts::{Facts, OsFacts};
use tempfile::TempDir;

const MUSTER_YAML: &str = "schema: 1\nfleet: test\n";

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faulty");
    let mut samples: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.sort();
    samples
}

fn facts(host: &HostId) -> Facts {
    let os = OsFacts { family: "debian".into(), id: "debian".into(), version: Some("12".into()), codename: None };
    Facts {
        os,
        arch: "x86_64".into(),
        cpus: 1,
        memory_mib: 512,
        hostname: host.to_string(),
        address: None,
        addresses: Vec::new(),
        virtualisation: None,
    }
}

/// Writes the repository of a sample to disk, so that it is read as people's are.
fn write_repository(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("muster.yaml"), MUSTER_YAML).unwrap();
    for part in text.split("=== ").skip(1) {
        let (path, content) = part.split_once('\n').unwrap();
        if let Some(path) = path.strip_prefix("without ") {
            fs::remove_file(dir.path().join(path)).unwrap();
            continue;
        }
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn shown(finding: &Finding) -> String {
    let scope = match &finding.scope {
        Scope::Fleet => "fleet".to_owned(),
        Scope::Environments(names) => names.iter().cloned().collect::<Vec<_>>().join(" "),
        Scope::Host(host) => format!("host {host}"),
    };
    format!("{finding} [{scope}]\n")
}

fn find(text: &str) -> String {
    let dir = write_repository(text);
    let (model, found) = load_model(&list_folder(dir.path()).unwrap(), &mut ModelCache::default());
    let facts: FactsOfFleet = model.hosts().map(|host| (host.id.clone(), facts(&host.id))).collect();
    let checked = check_fleet(&model, &facts, found);
    checked.found.iter().map(shown).collect()
}

#[test]
fn every_sample_gives_exactly_its_findings() {
    let samples = samples();
    assert!(samples.len() > 70, "samples are missing");
    let mut wrong = Vec::new();
    for path in samples {
        let text = fs::read_to_string(&path).unwrap();
        let (expected, repository) = text.split_at(text.find("=== ").unwrap());
        let found = find(repository);
        assert!(!found.is_empty(), "{} has no fault", path.display());
        if std::env::var_os("MUSTER_GENERATE").is_some() {
            fs::write(&path, format!("{found}{repository}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

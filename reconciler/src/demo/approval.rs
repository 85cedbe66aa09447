//! Hosts that announced themselves, and the files that approve them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use muster_schema::PublicKey;
use muster_schema::fleet_api::{Page, PendingView};

use super::hosts::{DemoHost, PATIENCE};
use super::interrupt;
use super::repository::{Edits, StateRepository};
use crate::enrolment::approve_host_file;

/// What waits for approval, by claimed name: fingerprint, key, recipient.
pub(super) type PendingHosts = BTreeMap<String, (String, PublicKey, String)>;

/// Waits until every host has announced itself.
pub(super) fn wait_for_pending(hosts: &mut [DemoHost], url: &str) -> Result<PendingHosts, anyhow::Error> {
    let started = Instant::now();
    loop {
        let pending = fetch_pending(url)?;
        if hosts.iter().all(|host| pending.contains_key(host.id)) {
            return Ok(pending);
        }
        for host in hosts.iter_mut() {
            host.check_running()?;
        }
        interrupt::check()?;
        ensure!(started.elapsed() < PATIENCE, "not every agent announced itself within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn fetch_pending(url: &str) -> Result<PendingHosts, anyhow::Error> {
    let text = ureq::get(format!("{url}/api/v1/enrolment")).call()?.body_mut().read_to_string()?;
    let page: Page<PendingView> = serde_json::from_str(&text)?;
    let entry = |item: PendingView| {
        let PendingView { key, fingerprint, announce, .. } = item;
        (announce.name.to_string(), (fingerprint, key, announce.recipient))
    };
    Ok(page.items.into_iter().map(entry).collect())
}

/// The host files with the keys that were announced.
pub(super) fn approvals(
    repository: &StateRepository,
    hosts: &[DemoHost],
    pending: &PendingHosts,
) -> Result<Edits, anyhow::Error> {
    let mut edits = Edits::new();
    for host in hosts {
        let (_, key, recipient) = pending.get(host.id).context("a pending host")?;
        let path = format!("environments/{}/hosts/{}.yaml", host.environment, host.id);
        let text = String::from_utf8(repository.read(&path)?)?;
        edits.insert(path, Some(approve_host_file(Some(&text), key, recipient, None)?.into_bytes()));
    }
    Ok(edits)
}

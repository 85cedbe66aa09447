//! A state repository with very many hosts, each with a manifest of about 10 KiB.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_tests::fleet::Fleet;
use sha2::{Digest, Sha256};

/// How many hosts there are.
pub(crate) const HOSTS: usize = 10_000;

/// Resources of a host; every fourth has a content of its own for each host's role, one for each host.
const RESOURCES: usize = 32;

/// A fleet of [`HOSTS`] approved hosts, committed and pushed; nothing runs yet.
pub(crate) fn make(folder: &Path) -> Result<Fleet> {
    let fleet = Fleet::make(folder, IpAddr::V4(Ipv4Addr::LOCALHOST), None)?;
    let repository = &fleet.repository;
    repository.write("applications/base/application.yaml", application()?)?;
    repository.write("applications/base/files/site", SITE)?;
    repository.write("environments/production/environment.yaml", "applications: {base: {}}\n")?;
    for number in 0..HOSTS {
        declare(&fleet, number, "")?;
    }
    repository.publish("fleet: Declare all hosts")?;
    Ok(fleet)
}

/// Writes the file of a host, with resources of its own.
pub(crate) fn declare(fleet: &Fleet, number: usize, own: &str) -> Result<()> {
    let settings = format!("labels: {{role: role-{}}}\n{own}", number % 20);
    fleet.declare("production", &host_name(number), &host_key(number), &settings)
}

/// The name of a host.
pub(crate) fn host_name(number: usize) -> String {
    format!("host-{number:05}")
}

/// Its key: nobody holds the other half, these hosts never speak.
fn host_key(number: usize) -> String {
    let digest = Sha256::digest(host_name(number));
    let mut key = b"Ed".to_vec();
    key.extend_from_slice(&digest[..8]);
    key.extend_from_slice(&digest);
    STANDARD.encode(key)
}

const SITE: &str =
    "# {{ host.labels.role }}\n{% for n in range(20) %}server {{ n }} in {{ host.environment }};\n{% endfor %}";

fn application() -> Result<String> {
    let mut text = String::from("resources:\n  files:\n");
    writeln!(
        text,
        "    /etc/fleet-host: {{content: \"{{{{ host.id }}}}\\n\", owner: root, group: root, mode: \"0644\"}}"
    )?;
    for number in 1..RESOURCES {
        let content =
            if number % 4 == 0 { "template: site".to_owned() } else { format!("content: \"shared {number}\\n\"") };
        writeln!(
            text,
            "    /etc/app/conf.d/{number:02}.conf: {{{content}, owner: root, group: root, mode: \"0644\"}}"
        )?;
    }
    Ok(text)
}

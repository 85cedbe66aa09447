//! Checks: what tells whether a host is well.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Existence, Meta, ResourceSpec};

#[cfg(test)]
mod tests;

/// Whether the host is well, by one probe of your own. A check is health, and no configuration: it changes nothing, never,
/// and the host stays in sync whatever it says. The id is a free name.
///
/// ```yaml
/// checks:
///   site: {http: {url: "http://127.0.0.1:8080/health", status: 200, contains: ok}}
///   database: {tcp: "db.example.org:5432", interval: 60, timeout: 5}
///   nginx: {unit: nginx}
///   queue: {command: [/usr/local/bin/queue-depth, --below, "1000"], severity: wanted}
///   space: {disk: {path: /var, free_percent: 10}, severity: wanted}
/// ```
///
/// A failing `required` check makes the host `Degraded`, for the reason `CheckFailed`; a failing `wanted` one is a
/// warning: the host stays `Healthy`, for the reason `CheckWarning`. The message names the check. After a new manifest
/// was applied all checks run again; the host is `Progressing` until each required one has an answer.
///
/// A probe that fails is repeated, after `interval` or five seconds, whichever is less; the check fails when `retry`
/// further probes failed too: 2, where nothing is said. One that succeeds is enough to pass. `timeout` is how long one probe
/// may take: 10 seconds, where nothing is said. Probes run beside everything else. One that hangs past its time counts as
/// failed, and is not begun anew before it has ended. What changes is reported at once; what stays as it is, is not.
///
/// Where nothing is to be probed any more, take the resource away: nothing is put back, for nothing was changed. An
/// `exception` that waives a check stops it. Checks run in every enforcement mode. Nothing waits for a check: `requires:`
/// orders changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckSpec {
    /// A TCP connection to `host:port` is accepted; `[::1]:80` for an IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// An HTTP request is answered as it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// A program ends with code 0. It is to look only. It runs as root, without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// A unit of systemd is active; a service, where the name does not end as another unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A file system has room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskProbe>,
    /// Time from one probe to the next, in seconds; 30 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
    /// What it means for the host when it fails; `required` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// What the failing of a check means for the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The host is not well.
    #[default]
    Required,
    /// Somebody should look at it.
    Wanted,
}

/// A request, and the answer that it is to have. Redirects are not followed, and no proxy is used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpProbe {
    /// What to get: `http://` or `https://`, without credentials.
    pub url: String,
    /// The status of the answer; any from 200 to 299 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A text in the first MiB of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Whether the certificate is to be one of a public authority and of this name; true where nothing is said. False is
    /// for a service of the host itself, with a certificate of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<bool>,
}

/// Room on the file system of a path; one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiskProbe {
    /// A path on the file system.
    pub path: String,
    /// At least so much of it is free for users, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_percent: Option<u8>,
    /// At least so many bytes of it are free for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
}

impl CheckSpec {
    /// What it probes, for people.
    pub fn subject(&self) -> String {
        match (&self.tcp, &self.http, &self.command, &self.unit, &self.disk) {
            (Some(endpoint), ..) => format!("tcp {endpoint}"),
            (_, Some(http), ..) => format!("http {}", http.url),
            (_, _, Some(argv), ..) => format!("command {}", argv.first().map_or("", String::as_str)),
            (_, _, _, Some(unit), _) => format!("unit {unit}"),
            (.., Some(disk)) => format!("disk {}", disk.path),
            _ => "nothing".to_owned(),
        }
    }
}

impl ResourceSpec for CheckSpec {
    const ID: IdForm = IdForm::Free;

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        let given =
            [self.tcp.is_some(), self.http.is_some(), self.command.is_some(), self.unit.is_some(), self.disk.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            return Some("needs one of 'tcp', 'http', 'command', 'unit' and 'disk', and no more".to_owned());
        }
        if self.interval == Some(0) || meta.timeout == Some(0) {
            return Some("has an 'interval' or 'timeout' of 0 seconds".to_owned());
        }
        if meta.state == Existence::Latest {
            return Some("cannot be 'latest'".to_owned());
        }
        if let Some(endpoint) = self.tcp.as_ref().filter(|endpoint| !is_endpoint(endpoint)) {
            return Some(format!("has the endpoint {endpoint:?}: host:port"));
        }
        if self.command.as_ref().is_some_and(|argv| argv.first().is_none_or(String::is_empty)) {
            return Some("has a 'command' without a program".to_owned());
        }
        if self.unit.as_ref().is_some_and(|unit| unit.is_empty() || unit.contains('/')) {
            return Some("has a 'unit' that is no name of a unit".to_owned());
        }
        self.http
            .as_ref()
            .and_then(contradiction_of_http)
            .or_else(|| self.disk.as_ref().and_then(contradiction_of_disk))
    }
}

fn is_endpoint(endpoint: &str) -> bool {
    let Some((host, port)) = endpoint.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '/', ' ', '@']),
    };
    host_fits && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn contradiction_of_http(http: &HttpProbe) -> Option<String> {
    let rest = http.url.strip_prefix("http://").or_else(|| http.url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Some("has a 'url' that does not begin with http:// or https://".to_owned());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') || http.url.contains([' ', '\n']) {
        return Some("has a 'url' without a host, or with credentials or blanks".to_owned());
    }
    match http.status {
        Some(status) if !(100..=599).contains(&status) => Some(format!("has the 'status' {status}, which is none")),
        _ => None,
    }
}

fn contradiction_of_disk(disk: &DiskProbe) -> Option<String> {
    if !disk.path.starts_with('/') {
        return Some(format!("has the path {:?}, which is not absolute", disk.path));
    }
    match (disk.free_percent, disk.free_bytes) {
        (Some(percent), None) if percent <= 100 => None,
        (None, Some(_)) => None,
        (Some(percent), None) => Some(format!("asks for {percent} per cent")),
        _ => Some("needs one of 'free_percent' and 'free_bytes' in 'disk'".to_owned()),
    }
}

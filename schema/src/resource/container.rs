//! Containers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, Reactions, ResourceSpec};

/// When systemd starts a container again that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerRestart {
    /// Always.
    Always,
    /// When it failed: it ended with another code than 0, or by a signal.
    #[default]
    OnFailure,
    /// Never.
    No,
}

impl ContainerRestart {
    /// systemd's word.
    pub fn word(self) -> &'static str {
        match self {
            ContainerRestart::Always => "always",
            ContainerRestart::OnFailure => "on-failure",
            ContainerRestart::No => "no",
        }
    }
}

/// A container that podman runs as a service of systemd. The id is the container's name.
///
/// ```yaml
/// resources:
///   packages: {podman: {}}
///   containers:
///     web:
///       image: docker.io/library/nginx@sha256:0c86dddac19f2ce4fd716ac58c0fd87bf69bfd4edabfd6971fb885bafd12a00b
///       ports: ["8080:80"]
///       volumes: ["/srv/web:/usr/share/nginx/html:ro"]
///       restart_on: [files/srv/web/index.html]
/// ```
///
/// The image is named by its digest: a tag may mean something else tomorrow, and is refused. It is fetched by
/// `podman pull` where the host does not have it. The container runs and starts at boot where nothing else is said. It
/// belongs to the unit `muster-container@<id>.service`, which restarts it when it falls; when it is stopped, killed or
/// removed by hand, or another image runs under its name, systemd tells of it, and it comes back. An attribute that
/// changes restarts it.
///
/// From podman 4.4 on the unit is made by podman's own generator from a quadlet,
/// `/etc/containers/systemd/muster-container@<id>.container`; before that (Debian 12 has 4.3) it is a unit file in
/// `/etc/systemd/system` that calls `podman run`. When podman is upgraded, the one takes the place of the other.
/// Arguments and variables reach the container as they are written: no shell, and none of systemd's variables and
/// specifiers changes them. They can be read by all users of the host: what is secret does not belong there, and
/// contents with secrets are not there yet.
///
/// A container of that name that somebody else made is never replaced: the resource is `blocked`, and so it is on a
/// host without podman or systemd. Registries that need a login are logged in to by `podman login` or a managed
/// `/etc/containers/auth.json`.
///
/// When the resource leaves, the container, its unit and anything that podman keeps of it go; the image goes if it was
/// fetched for this container and nothing else uses it. Volumes with a name stay, for they hold data.
///
/// What is tested: containers by the unit file, on a host with podman 4.3 and a registry: they run, come back, follow
/// their image and go. Of quadlets only the text is tested, for Debian 12 has no podman that reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerSpec {
    /// The image, with its registry and its digest: `registry/name@sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The program and its arguments; those of the image where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Environment variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, String>>,
    /// Ports of the host that lead into it: `8080:80`, `127.0.0.1:53:53/udp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<String>>,
    /// What is mounted into it: `/srv/web:/var/www:ro`, or a volume by name, `data:/var/lib/data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<String>>,
    /// The user inside, by name or number, with a group behind a colon: `1000`, `www-data`, `1000:1000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The network: `host`, `none`, `bridge`, or one by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Whether it runs; yes where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Whether it starts at boot; yes where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When it starts again by itself; `on-failure` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<ContainerRestart>,
}

impl ContainerSpec {
    /// The digest of the image, `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.image.as_deref()?.split_once('@').map(|(_, digest)| digest)
    }
}

impl ResourceSpec for ContainerSpec {
    const ID: IdForm = IdForm::Container;
    const CLASS: Option<OrderClass> = Some(OrderClass::Services);
    const REACTIONS: Reactions = Reactions::RestartOrReload;

    fn paths_of(id: &str) -> Vec<String> {
        vec![
            format!("/etc/systemd/system/muster-container@{id}.service"),
            format!("/etc/containers/systemd/muster-container@{id}.container"),
        ]
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(image) = &self.image else { return Some("has no 'image'".to_owned()) };
        if let Some(wrong) = contradiction_of_image(image) {
            return Some(format!("has the image {image:?}, {wrong}"));
        }
        let words = [("a command", &self.command), ("a port", &self.ports), ("a volume", &self.volumes)];
        for (what, list) in words {
            if let Some(part) = list.iter().flatten().find(|part| part.contains(char::is_control)) {
                return Some(format!("has {what} with a control character: {part:?}"));
            }
        }
        if self.command.as_ref().is_some_and(Vec::is_empty) {
            return Some("has an empty 'command'".to_owned());
        }
        if let Some(port) = self.ports.iter().flatten().find(|port| !is_port(port)) {
            return Some(format!("has the port {port:?}: write it as 8080:80 or 127.0.0.1:53:53/udp"));
        }
        if let Some(volume) = self.volumes.iter().flatten().find(|volume| !is_volume(volume)) {
            return Some(format!(
                "has the volume {volume:?}: write it as /here:/there, /here:/there:ro or name:/there"
            ));
        }
        let is_word = |text: &String| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:,=@/".contains(&byte);
            !text.is_empty() && !text.starts_with('-') && text.bytes().all(allowed)
        };
        for (what, word) in [("user", &self.user), ("network", &self.network)] {
            if let Some(word) = word.as_ref().filter(|word| !is_word(word)) {
                return Some(format!("has {word:?} as its {what}, which is none"));
            }
        }
        let is_variable = |(name, value): &(&String, &String)| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !name.is_empty() && name.bytes().all(allowed) && !value.contains(char::is_control)
        };
        let wrong = self.environment.iter().flatten().find(|variable| !is_variable(variable))?;
        let rule = "a name has letters, digits and '_', and a value no control character";
        Some(format!("has {:?} in 'environment': {rule}", wrong.0))
    }
}

/// What is wrong with the name of an image.
fn contradiction_of_image(image: &str) -> Option<&'static str> {
    let Some((name, digest)) = image.split_once('@') else {
        return Some("which may be another one tomorrow: write its digest behind it, as in registry/name@sha256:…");
    };
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if !digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(hexadecimal)) {
        return Some("whose digest is none: it is 'sha256:' and 64 digits of 0-9 and a-f");
    }
    let Some((registry, path)) = name.split_once('/') else {
        return Some("which names no registry: write it whole, as in docker.io/library/nginx@sha256:…");
    };
    if registry != "localhost" && !registry.contains(['.', ':']) {
        return Some("which names no registry: write it whole, as in docker.io/library/nginx@sha256:…");
    }
    if path.contains(':') {
        return Some("which has a tag and a digest: leave the tag away, the digest says all");
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/".contains(&byte);
    let clean = path.split('/').all(|part| !part.is_empty()) && path.bytes().all(allowed);
    let host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    if !clean || registry.starts_with('-') || !registry.bytes().all(host) {
        return Some("which is no name of an image");
    }
    None
}

/// `[address:][port:]port[/protocol]`, with ranges.
fn is_port(text: &str) -> bool {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (address, ports) = match ports.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((address, ports)) => (Some(address), ports),
        None => match ports.split(':').count() {
            3 => ports.split_once(':').map_or((None, ports), |(address, ports)| (Some(address), ports)),
            _ => (None, ports),
        },
    };
    let number = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0) && !text.starts_with('+');
    let range = |text: &str| text.split_once('-').map_or(number(text), |(first, last)| number(first) && number(last));
    matches!(protocol, "tcp" | "udp" | "sctp")
        && address.is_none_or(|address| address.parse::<std::net::IpAddr>().is_ok())
        && (1..=2).contains(&ports.split(':').count())
        && ports.split(':').all(range)
}

/// `source:target[:options]`: a path or the name of a volume, and an absolute path.
fn is_volume(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_name = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric()) && name.bytes().all(allowed)
    };
    let option = |byte: u8| byte.is_ascii_alphanumeric() || b",=-_".contains(&byte);
    match parts[..] {
        [source, target] | [source, target, _] => {
            let options = parts.get(2).is_none_or(|options| !options.is_empty() && options.bytes().all(option));
            (source.starts_with('/') || is_name(source)) && target.starts_with('/') && options
        }
        _ => false,
    }
}

//! podman: whether it is there and reads quadlets, which containers it has, and images.

use super::unit_of;
use crate::host::{FileKind, HostPath, HostRead, Program, Reader};
use crate::resource::{Hands, ResourceError};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const PROGRAMS: [&str; 2] = ["/usr/bin/podman", "/usr/local/bin/podman"];
/// What makes units of quadlets: it came with podman 4.4.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/podman-system-generator",
    "/usr/local/lib/systemd/system-generators/podman-system-generator",
];
/// An image may be large, and its way long.
const PULL: Duration = Duration::from_secs(900);
const MAX_LIST: usize = 8 << 20;
/// What a container that belongs to a unit says of it.
const UNIT_LABEL: &str = "PODMAN_SYSTEMD_UNIT";

/// How podman is told of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// By a unit that calls it.
    Unit,
    /// By a quadlet.
    Quadlet,
}

impl Form {
    pub(super) fn word(self) -> &'static str {
        match self {
            Form::Unit => "unit",
            Form::Quadlet => "quadlet",
        }
    }

    /// That of the host; `None` without podman.
    pub(super) fn of_host(reader: &mut dyn Reader) -> Result<Option<Form>, ResourceError> {
        let mut is_there = |paths: &[&str]| {
            for path in paths.iter().filter_map(|path| HostPath::new(path).ok()) {
                if reader.meta(&path)?.is_some_and(|meta| meta.kind != FileKind::Directory) {
                    return Ok::<_, ResourceError>(true);
                }
            }
            Ok(false)
        };
        if !is_there(&PROGRAMS)? {
            return Ok(None);
        }
        Ok(Some(if is_there(&GENERATORS)? { Form::Quadlet } else { Form::Unit }))
    }
}

/// One container, running or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    /// The digest of its image, or the image's name where it was started without one.
    pub(super) image: String,
    /// The unit that started it.
    pub(super) unit: Option<String>,
    pub(super) running: bool,
}

/// All containers by name, as one call of podman lists them: once per look.
pub(super) struct Containers(pub(super) HashMap<String, Container>);

/// A container in `podman ps --format json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    names: Option<Vec<String>>,
    image: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    state: Option<String>,
}

impl Containers {
    /// Asks podman.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) fn load(host: &dyn HostRead) -> Result<Containers, ResourceError> {
        let program =
            Program { max_output: Some(MAX_LIST), ..Program::new(["podman", "ps", "--all", "--format", "json"]) };
        let output = host.query(&program)?;
        if !output.success() {
            return Err(failed(output.code, output.last_words()));
        }
        Containers::parse(&output.stdout)
    }

    /// Which of ours has this image, other than `id`.
    pub(super) fn user_of(&self, image: &str, id: &str) -> Option<&str> {
        let digest = image.split_once('@').map_or(image, |(_, digest)| digest);
        let is_ours = |name: &str, container: &Container| {
            let unit = unit_of(name).ok();
            unit.is_some_and(|unit| container.unit.as_deref() == Some(unit.as_str()))
        };
        let mut users = self.0.iter().filter(|(_, container)| container.image == digest);
        users.find(|(name, container)| *name != id && is_ours(name, container)).map(|(name, _)| name.as_str())
    }

    pub(super) fn parse(text: &[u8]) -> Result<Containers, ResourceError> {
        let listed: Option<Vec<Listed>> = serde_json::from_slice(text)
            .map_err(|error| ResourceError::Failed(format!("the answer of podman: {error}")))?;
        let mut all = HashMap::new();
        for one in listed.into_iter().flatten() {
            let image = one.image.unwrap_or_default();
            let container = Container {
                image: image.split_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or(image),
                unit: one.labels.and_then(|mut labels| labels.remove(UNIT_LABEL)),
                running: one.state.as_deref() == Some("running"),
            };
            for name in one.names.into_iter().flatten() {
                all.insert(name, container.clone());
            }
        }
        Ok(Containers(all))
    }
}

/// Whether the host has an image.
pub(super) fn has_image(image: &str, hands: &Hands<'_>) -> Result<bool, ResourceError> {
    Ok(hands.host.query(&Program::new(["podman", "image", "exists", image]))?.success())
}

/// Fetches an image.
pub(super) fn pull(image: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let program =
        Program { timeout: Some(hands.timeout.unwrap_or(PULL)), ..Program::new(["podman", "pull", "--quiet", image]) };
    hands.run(&program).map(drop)
}

/// Removes an image, unless something uses it.
pub(super) fn remove_image(image: &str, hands: &Hands<'_>) {
    match hands.host.run(&Program::new(["podman", "rmi", image])) {
        Ok(output) if output.success() => {}
        Ok(output) => tracing::info!(image, reason = output.last_words(), "the image stays"),
        Err(error) => tracing::warn!(image, error = &error as &dyn std::error::Error, "the image stays"),
    }
}

fn failed(code: i32, message: String) -> ResourceError {
    ResourceError::Program { program: "podman".to_owned(), code, message }
}

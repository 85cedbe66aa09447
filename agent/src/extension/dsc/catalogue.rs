//! Which command resources a host has.

use super::manifest::{MAX_MANIFEST, Manifest};
use crate::host::{FileKind, HostPath, Meta, Reader};
use serde::Deserialize;

const ENDING: &str = ".dsc.resource.json";

/// A resource, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub manifest: Manifest,
    /// Its manifest's path.
    pub path: HostPath,
    /// Its manifest's folder.
    pub folder: HostPath,
}

/// As much of a manifest as tells whether it is the one.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    resource_type: String,
}

/// Finds the resource of a type in these folders. Folder and manifest must belong to root, or to whom the agent runs as,
/// and nobody else may write there. Types are told apart as DSC does, without regard to case.
///
/// # Errors
/// Saying why there is none.
pub(super) fn find(reader: &mut dyn Reader, folders: &[HostPath], resource_type: &str) -> Result<Found, String> {
    let mut found: Option<Found> = None;
    let mut unread = Vec::new();
    for folder in folders {
        let Ok(Some(meta)) = reader.meta(folder) else { continue };
        if let Err(fault) = check_trust(&meta, FileKind::Directory) {
            unread.push(format!("{folder} {fault}"));
            continue;
        }
        let names = reader.list(folder).map_err(|error| error.to_string())?;
        for name in names.iter().filter(|name| name.ends_with(ENDING)) {
            let Ok(path) = folder.join(name) else { continue };
            let bytes = match read(reader, &path) {
                Ok(bytes) => bytes,
                Err(fault) => {
                    unread.push(format!("{path} {fault}"));
                    continue;
                }
            };
            let Ok(named) = serde_json::from_slice::<Named>(&bytes) else {
                unread.push(format!("{path} is no manifest"));
                continue;
            };
            if !named.resource_type.eq_ignore_ascii_case(resource_type) {
                continue;
            }
            let manifest = Manifest::load(&bytes).map_err(|fault| format!("{path} cannot be used: {fault}"))?;
            if let Some(other) = &found {
                return Err(format!("{} and {path} both are {resource_type}", other.path));
            }
            found = Some(Found { manifest, path, folder: folder.clone() });
        }
    }
    found.ok_or_else(|| {
        let folders: Vec<&str> = folders.iter().map(HostPath::as_str).collect();
        let unread = if unread.is_empty() { String::new() } else { format!("; {}", unread.join("; ")) };
        format!("there is no DSC resource {resource_type} on this host; looked in {}{unread}", folders.join(", "))
    })
}

fn read(reader: &mut dyn Reader, path: &HostPath) -> Result<Vec<u8>, String> {
    let meta = reader.meta(path).map_err(|error| error.to_string())?.ok_or("is gone")?;
    check_trust(&meta, FileKind::File)?;
    if meta.size > MAX_MANIFEST {
        return Err(format!("has more than {MAX_MANIFEST} bytes"));
    }
    let mut bytes = Vec::new();
    reader.copy(path, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Says why what stands there is not to be trusted.
pub(super) fn check_trust(meta: &Meta, kind: FileKind) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    if meta.kind != kind {
        return Err(format!("is a {}, not a {kind}", meta.kind));
    }
    if meta.uid != 0 && meta.uid != own {
        return Err("does not belong to root".to_owned());
    }
    if meta.mode & 0o022 != 0 {
        return Err(format!("may be written by others (mode {:04o})", meta.mode));
    }
    Ok(())
}

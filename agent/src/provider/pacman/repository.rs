//! pacman's repositories: a section in a file of its own, which a line of `/etc/pacman.conf` includes.

use super::PacmanManager;
use crate::host::Program;
use crate::provider::package::PackageManager;
use crate::provider::repository::{Include, Keyring, MARK, Places, Rendered, RepositoryForm, given, key_lines};
use muster_schema::resource::{RepositorySpec, Verify};
use std::time::Duration;

#[cfg(test)]
mod tests;

const SETTINGS: &str = "/etc/pacman.conf";

/// Repositories of Arch and its descendants.
pub struct PacmanRepositories;

impl RepositoryForm for PacmanRepositories {
    fn manager(&self) -> &'static dyn PackageManager {
        &PacmanManager
    }

    fn lacks(&self, spec: &RepositorySpec) -> Option<String> {
        let names = ["suites", "components", "architectures", "mirrorlist", "priority", "pin", "key_file", "key_name"];
        given(spec, &names)
    }

    fn places(&self, id: &str, _: &RepositorySpec) -> Places {
        let file = format!("/etc/pacman.d/{id}.conf");
        let include = Include { path: SETTINGS, line: format!("Include = {file}") };
        Places { file, key: format!("/etc/pacman.d/{id}.asc"), preferences: None, include: Some(include) }
    }

    fn render(&self, id: &str, spec: &RepositorySpec) -> Rendered {
        let level = match spec.verify.unwrap_or(Verify::Packages) {
            _ if spec.trusted == Some(true) => "Never",
            Verify::Packages => "PackageRequired DatabaseOptional",
            Verify::Metadata => "PackageNever DatabaseRequired",
            Verify::Both => "Required",
        };
        let servers: String = spec.all_urls().map(|url| format!("Server = {url}\n")).collect();
        let file = format!("{MARK}{}[{id}]\nSigLevel = {level}\n{servers}", key_lines(spec));
        Rendered { file, preferences: None, included: spec.enabled != Some(false) }
    }

    fn keyring(&self) -> Option<Keyring> {
        Some(Keyring::Pacman)
    }

    fn refresh_program(&self, _: &str, timeout: Duration) -> Program {
        super::command::refresh_program(timeout)
    }

    fn cached_files(&self, id: &str) -> Vec<String> {
        ["db", "db.sig", "files", "files.sig"].map(|end| format!("/var/lib/pacman/sync/{id}.{end}")).into()
    }
}

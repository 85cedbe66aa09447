//! apk's repositories: a list of its own, and a key whose file has the signer's name. Written after apk(5).

use super::ApkManager;
use crate::host::Program;
use crate::provider::package::PackageManager;
use crate::provider::repository::{KeyKind, MARK, Places, Rendered, RepositoryForm, given, key_lines};
use muster_schema::resource::{RepositorySpec, Verify};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Repositories of Alpine.
pub struct ApkRepositories;

impl RepositoryForm for ApkRepositories {
    fn manager(&self) -> &'static dyn PackageManager {
        &ApkManager
    }

    fn lacks(&self, spec: &RepositorySpec) -> Option<String> {
        let names = ["suites", "components", "architectures", "mirrorlist", "priority", "pin", "key_file", "trusted"];
        if let Some(lack) = given(spec, &names) {
            return Some(lack);
        }
        if matches!(spec.verify, Some(Verify::Packages | Verify::Both)) {
            return Some("verifies lists, and packages by them: 'verify' can only be 'metadata'".to_owned());
        }
        spec.key_name.is_none().then(|| "needs 'key_name': signatures name their key".to_owned())
    }

    fn places(&self, id: &str, spec: &RepositorySpec) -> Places {
        Places {
            file: format!("/etc/apk/repositories.d/{id}.list"),
            key: format!("/etc/apk/keys/{}", spec.key_name.as_deref().unwrap_or(id)),
            preferences: None,
            include: None,
        }
    }

    fn render(&self, _: &str, spec: &RepositorySpec) -> Rendered {
        let off = if spec.enabled == Some(false) { "#" } else { "" };
        let lines: String = spec.all_urls().map(|url| format!("{off}{url}\n")).collect();
        Rendered { file: format!("{MARK}{}{lines}", key_lines(spec)), preferences: None, included: false }
    }

    fn key_kind(&self) -> KeyKind {
        KeyKind::Pem
    }

    fn refresh_program(&self, _: &str, timeout: Duration) -> Program {
        self.manager().refresh_program(timeout)
    }

    fn refreshes_without(&self) -> bool {
        true
    }
}

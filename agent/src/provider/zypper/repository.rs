//! zypper's repositories.

use super::ZypperManager;
use crate::host::Program;
use crate::provider::package::{PackageManager, package_program};
use crate::provider::repository::{
    Keyring, Places, Rendered, RepositoryForm, lacks_in_repo_file, places_of_repo_file, render_repo_file,
};
use muster_schema::resource::{RepositorySpec, Verify};
use std::time::Duration;

#[cfg(test)]
mod tests;

const FOLDER: &str = "/etc/zypp/repos.d";

/// Repositories of SUSE.
pub struct ZypperRepositories;

impl RepositoryForm for ZypperRepositories {
    fn manager(&self) -> &'static dyn PackageManager {
        &ZypperManager
    }

    fn lacks(&self, spec: &RepositorySpec) -> Option<String> {
        let many = || (spec.all_urls().count() > 1).then(|| "takes one URL for a repository".to_owned());
        lacks_in_repo_file(spec).or_else(many)
    }

    fn places(&self, id: &str, _: &RepositorySpec) -> Places {
        places_of_repo_file(FOLDER, id)
    }

    fn render(&self, id: &str, spec: &RepositorySpec) -> Rendered {
        // Its own word for what dnf calls gpgcheck, which zypper takes for "either of both".
        let packages = spec.trusted != Some(true) && spec.verify != Some(Verify::Metadata);
        let more = [format!("pkg_gpgcheck={}", u8::from(packages)), "autorefresh=1".to_owned()];
        render_repo_file(id, spec, &self.places(id, spec).key, &more)
    }

    fn keyring(&self) -> Option<Keyring> {
        Some(Keyring::Rpm)
    }

    fn refresh_program(&self, id: &str, timeout: Duration) -> Program {
        program(&["refresh", "--force", id], timeout)
    }

    fn forget_program(&self, id: &str, timeout: Duration) -> Option<Program> {
        Some(program(&["clean", "--all", id], timeout))
    }
}

/// A key that is not known is refused, because nobody is there to be asked.
fn program(words: &[&str], timeout: Duration) -> Program {
    let argv = ["zypper", "--non-interactive"].iter().chain(words);
    package_program(argv.map(|word| (*word).to_owned()), timeout)
}

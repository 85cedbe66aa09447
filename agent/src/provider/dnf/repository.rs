//! dnf's repositories.

use super::DnfManager;
use crate::host::Program;
use crate::provider::package::{PackageManager, package_program};
use crate::provider::repository::{
    Keyring, Places, Rendered, RepositoryForm, lacks_in_repo_file, places_of_repo_file, render_repo_file,
};
use muster_schema::resource::RepositorySpec;
use std::time::Duration;

#[cfg(test)]
mod tests;

const FOLDER: &str = "/etc/yum.repos.d";

/// Repositories of Fedora, RHEL and what descends from them.
pub struct DnfRepositories;

impl RepositoryForm for DnfRepositories {
    fn manager(&self) -> &'static dyn PackageManager {
        &DnfManager
    }

    fn lacks(&self, spec: &RepositorySpec) -> Option<String> {
        lacks_in_repo_file(spec)
    }

    fn places(&self, id: &str, _: &RepositorySpec) -> Places {
        places_of_repo_file(FOLDER, id)
    }

    fn render(&self, id: &str, spec: &RepositorySpec) -> Rendered {
        render_repo_file(id, spec, &self.places(id, spec).key, &[])
    }

    fn keyring(&self) -> Option<Keyring> {
        Some(Keyring::Rpm)
    }

    fn refresh_program(&self, id: &str, timeout: Duration) -> Program {
        // Lists that are signed are verified by the key that the file names, which dnf asks about.
        let strict = format!("--setopt={id}.skip_if_unavailable=False");
        only(id, &["--assumeyes", "--refresh", &strict, "makecache"], timeout)
    }

    fn forget_program(&self, id: &str, timeout: Duration) -> Option<Program> {
        Some(only(id, &["clean", "all"], timeout))
    }
}

fn only(id: &str, words: &[&str], timeout: Duration) -> Program {
    let (without, with) = ("--disablerepo=*".to_owned(), format!("--enablerepo={id}"));
    let argv = ["dnf".to_owned(), "--quiet".to_owned(), without, with];
    package_program(argv.into_iter().chain(words.iter().map(|word| (*word).to_owned())), timeout)
}

//! apt's repositories: a file of sources in deb822 with a key of its own, and a pin for its priority.

use super::AptManager;
use super::command::apt_program;
use crate::host::Program;
use crate::provider::package::PackageManager;
use crate::provider::repository::{MARK, Places, Rendered, RepositoryForm, given, host_of, key_lines};
use muster_schema::resource::{RepositorySpec, Verify};
use std::collections::BTreeSet;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Repositories of Debian and its descendants.
pub struct AptRepositories;

impl RepositoryForm for AptRepositories {
    fn manager(&self) -> &'static dyn PackageManager {
        &AptManager
    }

    fn lacks(&self, spec: &RepositorySpec) -> Option<String> {
        if let Some(lack) = given(spec, &["mirrorlist", "key_name"]) {
            return Some(lack);
        }
        if matches!(spec.verify, Some(Verify::Packages | Verify::Both)) {
            return Some("verifies lists, and packages by them: 'verify' can only be 'metadata'".to_owned());
        }
        let Some(suites) = &spec.suites else { return Some("needs 'suites'".to_owned()) };
        let paths = suites.iter().filter(|suite| suite.ends_with('/')).count();
        if paths != 0 && paths != suites.len() {
            return Some("takes suites that are paths only apart from others".to_owned());
        }
        match (paths == 0, &spec.components) {
            (true, None) => Some("needs 'components', unless a suite ends in '/'".to_owned()),
            (false, Some(_)) => Some("has no 'components' where a suite ends in '/'".to_owned()),
            _ => None,
        }
    }

    fn places(&self, id: &str, _: &RepositorySpec) -> Places {
        Places {
            file: format!("/etc/apt/sources.list.d/{id}.sources"),
            key: format!("/etc/apt/keyrings/{id}.asc"),
            preferences: Some(format!("/etc/apt/preferences.d/{id}.pref")),
            include: None,
        }
    }

    fn render(&self, id: &str, spec: &RepositorySpec) -> Rendered {
        let places = self.places(id, spec);
        let urls: Vec<&str> = spec.all_urls().collect();
        let mut fields = vec![("Types", "deb".to_owned()), ("URIs", urls.join(" "))];
        let lists =
            [("Suites", &spec.suites), ("Components", &spec.components), ("Architectures", &spec.architectures)];
        fields.extend(lists.into_iter().filter_map(|(name, list)| Some((name, list.as_ref()?.join(" ")))));
        let key = spec.key.map(|_| places.key).or(spec.key_file.clone());
        fields.extend(key.map(|key| ("Signed-By", key)));
        fields.extend((spec.trusted == Some(true)).then(|| ("Trusted", "yes".to_owned())));
        fields.extend((spec.enabled == Some(false)).then(|| ("Enabled", "no".to_owned())));
        let fields: String = fields.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let file = format!("{MARK}{}{fields}", key_lines(spec));
        Rendered { file, preferences: render_preferences(spec), included: false }
    }

    /// Two sources that disagree about their key would stop apt altogether.
    fn check_program(&self, timeout: Duration) -> Option<Program> {
        Some(apt_program(["apt-get", "indextargets", "--format", "$(SITE)"].map(str::to_owned), timeout))
    }

    fn refresh_program(&self, id: &str, timeout: Duration) -> Program {
        let argv = [
            "apt-get".to_owned(),
            "-q".to_owned(),
            format!("-oDir::Etc::sourcelist=/etc/apt/sources.list.d/{id}.sources"),
            "-oDir::Etc::sourceparts=-".to_owned(),
            "-oAPT::Get::List-Cleanup=0".to_owned(),
            "-oAPT::Update::Error-Mode=any".to_owned(),
            "update".to_owned(),
        ];
        apt_program(argv, timeout)
    }

    fn refreshes_without(&self) -> bool {
        true
    }
}

/// A pin for each host of the URLs, or the one that is given. apt knows a local archive as the host without a name.
fn render_preferences(spec: &RepositorySpec) -> Option<String> {
    let priority = spec.priority?;
    let hosts: BTreeSet<&str> = spec.all_urls().map(host_of).collect();
    let pins: Vec<String> = match &spec.pin {
        Some(pin) => vec![pin.clone()],
        None => hosts.into_iter().map(|host| format!("origin \"{host}\"")).collect(),
    };
    let records = pins.into_iter().map(|pin| format!("Package: *\nPin: {pin}\nPin-Priority: {priority}\n"));
    Some(format!("{MARK}\n{}", records.collect::<Vec<_>>().join("\n")))
}

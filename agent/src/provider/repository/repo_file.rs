//! Files of the form `.repo`, which dnf and zypper share.

use super::{MARK, Places, Rendered, given, key_lines};
use muster_schema::resource::{RepositorySpec, Verify};

/// The attributes that both lack.
pub(in crate::provider) fn lacks_in_repo_file(spec: &RepositorySpec) -> Option<String> {
    given(spec, &["suites", "components", "architectures", "pin", "key_name"])
}

/// The file in `folder`, and the key.
pub(in crate::provider) fn places_of_repo_file(folder: &str, id: &str) -> Places {
    Places {
        file: format!("{folder}/{id}.repo"),
        key: format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-{id}"),
        preferences: None,
        include: None,
    }
}

/// A section of its own; `more` are lines beside those that both know.
pub(in crate::provider) fn render_repo_file(id: &str, spec: &RepositorySpec, key: &str, more: &[String]) -> Rendered {
    let verify = spec.verify.unwrap_or(Verify::Packages);
    let check = |verifies: bool| u8::from(spec.trusted != Some(true) && verifies);
    let urls: Vec<&str> = spec.all_urls().collect();
    let place = match &spec.mirrorlist {
        Some(list) => format!("mirrorlist={list}"),
        None => format!("baseurl={}", urls.join(" ")),
    };
    let mut lines = vec![
        format!("[{id}]"),
        format!("name={id}"),
        place,
        format!("enabled={}", u8::from(spec.enabled != Some(false))),
        format!("gpgcheck={}", check(verify != Verify::Metadata)),
        format!("repo_gpgcheck={}", check(verify != Verify::Packages)),
    ];
    let key = spec.key.map(|_| key).or(spec.key_file.as_deref());
    lines.extend(key.map(|key| format!("gpgkey=file://{key}")));
    lines.extend(spec.priority.map(|priority| format!("priority={priority}")));
    lines.extend_from_slice(more);
    let file = format!("{MARK}{}{}\n", key_lines(spec), lines.join("\n"));
    Rendered { file, preferences: None, included: false }
}

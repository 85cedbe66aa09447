//! What names of resources are made of. What a host's own tools refuse besides is told by its agent.

use std::borrow::Cow;

/// The longest name of a user or group, in bytes: shadow's limit.
const MAX_ACCOUNT_BYTES: usize = 32;
/// The longest name of a unit without `.service`, in bytes: systemd's limit.
const MAX_SERVICE_BYTES: usize = 247;
/// The longest name of a unit, in bytes: systemd's limit.
const MAX_UNIT_BYTES: usize = 255;
/// The longest name of a container, in bytes: its unit has a longer one.
const MAX_CONTAINER_BYTES: usize = 200;
/// The longest name of a module, in bytes: the kernel's limit.
const MAX_MODULE_BYTES: usize = 55;
/// The longest name of a repository, in bytes, so that its files have one with a prefix and a suffix.
const MAX_REPOSITORY_BYTES: usize = 100;
/// Sections of dnf's and pacman's files that are none of a repository.
const RESERVED_REPOSITORIES: [&str; 3] = ["main", "options", "local"];
/// The units that systemd reads from files.
const UNIT_SUFFIXES: [&str; 8] = ["service", "socket", "target", "timer", "path", "mount", "automount", "slice"];

/// What the ids of a collection look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// The absolute path of the thing itself: two resources never have the same.
    Path,
    /// The absolute path of a folder that something is put on, and that may be managed by itself.
    MountPoint,
    /// A package's name, with its architecture where that is a foreign one.
    Package,
    /// The name of a user or group.
    Account,
    /// The name of a service; `nginx` means `nginx.service`.
    Service,
    /// A unit file of systemd, `backup.timer`, or a drop-in of one, `nginx.service.d/limits.conf`.
    Unit,
    /// A parameter of the kernel: `net.ipv4.ip_forward`.
    Sysctl,
    /// A module of the kernel.
    Module,
    /// The name of a container.
    Container,
    /// The name of a host.
    HostName,
    /// The one thing of its kind; its id is always the same word.
    Single(&'static str),
    /// A repository of packages: a name of files, and what its package manager calls it.
    Repository,
    /// A name that only muster knows.
    Free,
    /// What a plug-in or an adapter calls a thing; it may be a path.
    Extension,
}

impl IdForm {
    /// Whether a name is of this form. Paths are not asked here.
    pub fn takes(self, name: &str) -> bool {
        is_name(self, name)
    }

    /// The one form of all names that mean the same thing: names of hosts know no case, and `nginx` is
    /// `nginx.service`.
    pub fn fold(self, name: &str) -> Cow<'_, str> {
        match self {
            IdForm::HostName => name.to_ascii_lowercase().into(),
            IdForm::Service => name.strip_suffix(".service").unwrap_or(name).into(),
            _ => name.into(),
        }
    }
}

/// Whether `id` is of a form other than a path.
pub(super) fn is_name(form: IdForm, id: &str) -> bool {
    match form {
        IdForm::Package => is_package(id),
        IdForm::Account => is_account(id),
        IdForm::Service => is_service(id),
        IdForm::Unit => is_unit(id),
        IdForm::Sysctl => is_sysctl(id),
        IdForm::Module => is_module(id),
        IdForm::Container => is_container(id),
        IdForm::HostName => is_host_name(id),
        IdForm::Repository => is_repository(id),
        IdForm::Single(word) => id == word,
        IdForm::Extension => is_of_extension(id),
        IdForm::Path | IdForm::MountPoint | IdForm::Free => {
            !id.starts_with('-') && !id.contains(|c: char| c == '/' || c.is_whitespace())
        }
    }
}

/// The rule of [`is_name`], for people.
pub(super) fn rule_of(form: IdForm) -> String {
    let rule = match form {
        IdForm::Package => {
            "use letters, digits, '+', '-', '.' and '_', with ':architecture' at the end where it is a foreign one"
        }
        IdForm::Account => {
            "use letters, digits, '_', '-' and '.', at most 32, not only digits, and no dash or dot in front"
        }
        IdForm::Service => "use letters, digits, ':', '-', '_', '.', '\\' and '@', as systemd does",
        IdForm::Unit => {
            "name a unit file with its suffix, as in backup.timer, or a drop-in, as in nginx.service.d/limits.conf"
        }
        IdForm::Sysctl => {
            "write it with dots, as in net.ipv4.ip_forward, and a slash for a dot in a name: \
             net.ipv4.conf.eth0/100.rp_filter"
        }
        IdForm::Module => "use letters, digits and '_', which stands for '-' too",
        IdForm::Container => "use letters, digits, '_', '.' and '-', with a letter or digit in front, at most 200",
        IdForm::HostName => "use letters, digits, '-' and '.', at most 253, as host names are made of",
        IdForm::Repository => "use letters, digits, '_', '-' and '.', at most 100, and no dash or dot in front",
        IdForm::Single(word) => return format!("there is only one, '{word}'"),
        IdForm::Extension => "no white space, no dash in front, and no '%2F', which stands for a slash in addresses",
        IdForm::Path | IdForm::MountPoint | IdForm::Free => "no slash, no white space, no dash in front",
    };
    rule.to_owned()
}

/// Of all package managers together: Debian has small letters only.
fn is_package(id: &str) -> bool {
    let (name, architecture) = id.split_once(':').unwrap_or((id, "any"));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let in_architecture = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(allowed)
        && !architecture.is_empty()
        && architecture.bytes().all(in_architecture)
}

/// What shadow's `is_valid_name` takes, without what passwd(5) cannot hold.
fn is_account(id: &str) -> bool {
    let name = id.strip_suffix('$').unwrap_or(id);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    id.len() <= MAX_ACCOUNT_BYTES
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && name.bytes().all(allowed)
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_service(id: &str) -> bool {
    let stem = id.strip_suffix(".service").unwrap_or(id);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'\\' | b'@');
    let template = stem.starts_with('@') || stem.ends_with('@');
    !stem.is_empty()
        && stem.len() <= MAX_SERVICE_BYTES
        && !stem.starts_with('-')
        && !template
        && stem.bytes().all(allowed)
}

/// A unit file, or a drop-in of one.
fn is_unit(id: &str) -> bool {
    let (unit, drop_in) = match id.split_once(".d/") {
        Some((unit, drop_in)) => (unit, Some(drop_in)),
        None => (id, None),
    };
    let Some((stem, suffix)) = unit.rsplit_once('.') else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'\\' | b'@');
    let is_file = |name: &str| {
        let stem = name.strip_suffix(".conf").unwrap_or_default();
        !stem.is_empty() && !stem.starts_with('.') && stem.bytes().all(allowed)
    };
    UNIT_SUFFIXES.contains(&suffix)
        && !stem.is_empty()
        && unit.len() <= MAX_UNIT_BYTES
        && !stem.starts_with(['-', '.', '@'])
        && stem.bytes().all(allowed)
        && drop_in.is_none_or(is_file)
}

/// Only the form with dots: sysctl(8) takes slashes too, but one parameter is to have one address.
fn is_sysctl(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':');
    let clean = id.split(['.', '/']).all(|part| !part.is_empty());
    let dotted = id.find(['.', '/']).and_then(|at| id.get(at..)).is_some_and(|rest| rest.starts_with('.'));
    dotted && clean && !id.starts_with('-') && id.bytes().all(allowed)
}

/// Without `-`, which is `_` to the kernel: one module is to have one address.
fn is_module(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !id.is_empty() && id.len() <= MAX_MODULE_BYTES && id.bytes().all(allowed)
}

/// What apt takes as the name of a file, and dnf, zypper and pacman as the name of a section.
fn is_repository(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=MAX_REPOSITORY_BYTES).contains(&id.len())
        && id.bytes().all(allowed)
        && !id.starts_with(['-', '.'])
        && !RESERVED_REPOSITORIES.contains(&id)
}

/// What podman takes for a name, as long as that of its unit may be.
fn is_container(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    id.len() <= MAX_CONTAINER_BYTES
        && id.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && id.bytes().all(allowed)
}

/// RFC 1123, section 2.1, with names that have dots.
fn is_host_name(id: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    id.len() <= 253 && id.split('.').all(is_label)
}

/// A slash is written as `%2F` in an address, so that no id may hold that.
fn is_of_extension(id: &str) -> bool {
    !id.starts_with('-') && !id.contains(char::is_whitespace) && !id.to_ascii_uppercase().contains("%2F")
}

//! Repositories of packages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::resource::{ContentForm, Existence, Meta, OrderClass, ResourceSpec};

/// A place that packages come from, by the host's package manager. The id is a free name: that of its files, and what
/// the manager calls it.
///
/// | | its file | its key | `priority` |
/// |---|---|---|---|
/// | apt | `/etc/apt/sources.list.d/ID.sources` (deb822) | `/etc/apt/keyrings/ID.asc`, for this repository alone | `/etc/apt/preferences.d/ID.pref`; the higher wins, 500 is usual |
/// | dnf | `/etc/yum.repos.d/ID.repo` | `/etc/pki/rpm-gpg/RPM-GPG-KEY-ID`, imported into rpm | the lower wins, 99 is usual |
/// | zypper | `/etc/zypp/repos.d/ID.repo` | as dnf | as dnf |
/// | pacman | `/etc/pacman.d/ID.conf`, and a line `Include` at the end of `/etc/pacman.conf` | `/etc/pacman.d/ID.asc`, added to pacman's keyring and signed there (`pacman-key`) | `blocked` |
/// | apk | `/etc/apk/repositories.d/ID.list` | `/etc/apk/keys/KEY_NAME` | `blocked` |
///
/// The key is part of the state: its text stands in the resource, and `fingerprint` says which key that is to be. A text
/// that holds any other key, or a secret one, is `blocked` before a file is written. OpenPGP keys are armored and of
/// version 4; the fingerprint is what `gpg --show-keys` prints. apk takes RSA keys in PEM; their fingerprint is the
/// SHA-256 of the key in DER (`openssl pkey -pubin -outform DER | sha256sum`). A key that is not among the resources
/// can be one that the host has: `key_file`. Without a key the resource has to say `trusted: true`; nothing turns
/// verification off silently.
///
/// What a manager cannot do is `blocked`, and named. The way to apk is written after its manual: it has not met a real
/// apk.
///
/// All repositories are in place before the first package is installed, whichever application they are of; a package
/// that a repository `requires` is the exception. When a repository changes, its own lists are fetched, once, and no
/// others (pacman and apk fetch all); so a package that only it has is installed in the same run. When they cannot be
/// fetched or verified, the files that were found come back, and the resource is an error.
///
/// When the resource leaves, its files go, or those that were found come back; then the lists are made anew. A key that
/// came into rpm's or pacman's keyring with it goes from there too. Packages that came from the repository are for
/// `packages` to say: those that leave in the same run go first.
///
/// What is done to rpm's or pacman's keyring afterwards is not watched. Passwords do not belong into `url`: everybody
/// on the host may read it (for apt, `files/etc/apt/auth.conf.d/ID.conf` is the place).
///
/// ```yaml
/// repositories:
///   docker:
///     url: https://download.docker.com/linux/debian
///     suites: [bookworm]
///     components: [stable]
///     key: {source: docker.asc}
///     fingerprint: 9DC8 5822 9FC7 DD38 854A  E2D8 8D81 803C 0EBF CD88
/// packages:
///   docker-ce: {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RepositorySpec {
    /// Where it is. The manager's own variables, such as `$basearch`, stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Several places of the same content; zypper takes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    /// Where a list of its places is to be had, instead of `url`: for dnf and zypper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirrorlist: Option<String>,
    /// Releases of the distribution, as `bookworm`, or a path that ends in `/`: for apt, which needs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suites: Option<Vec<String>>,
    /// Parts of a release, as `main`: for apt, unless the suite is a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<String>>,
    /// The architectures to fetch, where they are not those of the host: for apt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architectures: Option<Vec<String>>,
    /// The public key that it is signed with, armored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<BlobRef>,
    /// The fingerprint of that key, in hexadecimal; blanks do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The fingerprints, where `key` holds several keys: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprints: Option<Vec<String>>,
    /// The name of the key's file, which for apk is part of each signature: `builder-1a2b3c.rsa.pub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// A file with the key that the host has already: `/usr/share/keyrings/debian-archive-keyring.gpg`. For apt, dnf
    /// and zypper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Whether it is used without any key. Whoever can answer for its address then becomes root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// What of it is signed: its packages, its lists, or both. dnf, zypper and pacman verify packages where nothing is
    /// said; apt and apk verify lists, which name each package by its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// Which repository wins, in the manager's own scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// What `priority` counts for, where that is not all that comes from the hosts of its URLs: `release o=Docker`, as
    /// `Pin` of apt_preferences(5). For apt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// Whether it is used; it is where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What of a repository is verified by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// Each package.
    Packages,
    /// The lists.
    Metadata,
    /// Both.
    Both,
}

impl RepositorySpec {
    /// All places of its content.
    pub fn all_urls(&self) -> impl Iterator<Item = &str> + Clone {
        self.url.iter().chain(self.urls.iter().flatten()).map(String::as_str)
    }

    /// The fingerprints of all keys that it may have, in capitals and without blanks.
    pub fn all_fingerprints(&self) -> Vec<String> {
        let given = self.fingerprint.iter().chain(self.fingerprints.iter().flatten());
        let plain = |text: &String| text.split_whitespace().collect::<String>().to_ascii_uppercase();
        given.map(plain).collect()
    }
}

impl ResourceSpec for RepositorySpec {
    const ID: IdForm = IdForm::Repository;
    const CLASS: Option<OrderClass> = Some(OrderClass::Repositories);
    const CONTENTS: ContentForm = ContentForm::Attributes(&["key"]);

    fn paths_of(id: &str) -> Vec<String> {
        [
            format!("/etc/apt/sources.list.d/{id}.sources"),
            format!("/etc/apt/keyrings/{id}.asc"),
            format!("/etc/apt/preferences.d/{id}.pref"),
            format!("/etc/yum.repos.d/{id}.repo"),
            format!("/etc/zypp/repos.d/{id}.repo"),
            format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-{id}"),
            format!("/etc/pacman.d/{id}.conf"),
            format!("/etc/pacman.d/{id}.asc"),
            format!("/etc/apk/repositories.d/{id}.list"),
        ]
        .into()
    }

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.key.map(|key| ("key", key)).into_iter().collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.key = Some(content);
    }

    /// With another name the key is in another place.
    fn place(&self) -> Option<String> {
        self.key_name.clone()
    }

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        if meta.state == Existence::Latest {
            return Some("cannot be 'latest'".to_owned());
        }
        self.wrong_place().or_else(|| self.wrong_key()).or_else(|| self.wrong_detail())
    }
}

impl RepositorySpec {
    fn wrong_place(&self) -> Option<String> {
        if self.url.is_some() && self.urls.is_some() {
            return Some("has both 'url' and 'urls'".to_owned());
        }
        let places = self.all_urls().chain(self.mirrorlist.as_deref());
        if let Some(bad) = places.clone().find(|url| !is_url(url)) {
            return Some(format!("has {bad:?}, which is no URL"));
        }
        if places.count() == 0 {
            return Some("needs 'url'".to_owned());
        }
        (self.mirrorlist.is_some() && self.all_urls().next().is_some())
            .then(|| "has both 'url' and 'mirrorlist'".to_owned())
    }

    fn wrong_key(&self) -> Option<String> {
        let ways = [self.key.is_some(), self.key_file.is_some(), self.trusted == Some(true)];
        match ways.into_iter().filter(|way| *way).count() {
            0 => {
                return Some(
                    "has no 'key' and no 'key_file', so that nothing of it would be verified; if that is meant, say \
                     'trusted: true'"
                        .to_owned(),
                );
            }
            1 => {}
            _ => return Some("has more than one of 'key', 'key_file' and 'trusted: true'".to_owned()),
        }
        if self.fingerprint.is_some() && self.fingerprints.is_some() {
            return Some("has both 'fingerprint' and 'fingerprints'".to_owned());
        }
        let fingerprints = self.all_fingerprints();
        if self.key.is_some() == fingerprints.is_empty() {
            return Some("needs 'key' and 'fingerprint' together: one says which key the other is to be".to_owned());
        }
        if let Some(bad) = fingerprints.iter().find(|text| !is_fingerprint(text)) {
            return Some(format!(
                "has the fingerprint {bad:?}, which is none: write all 40 hexadecimal digits (64 of a key for apk)"
            ));
        }
        let is_path = |path: &String| {
            let parts = path.strip_prefix('/').unwrap_or_default();
            is_line(path) && parts.split('/').all(|part| !matches!(part, "" | "." | ".."))
        };
        if let Some(bad) = self.key_file.as_ref().filter(|path| !is_path(path)) {
            return Some(format!("has the 'key_file' {bad:?}, which is no absolute path"));
        }
        let bad = self.key_name.as_deref().filter(|name| !IdForm::Repository.takes(name))?;
        Some(format!("has the 'key_name' {bad:?}, which is no name of a file"))
    }

    fn wrong_detail(&self) -> Option<String> {
        for (name, list) in
            [("suites", &self.suites), ("components", &self.components), ("architectures", &self.architectures)]
        {
            let Some(words) = list else { continue };
            if words.is_empty() {
                return Some(format!("has an empty list in '{name}'"));
            }
            if let Some(bad) = words.iter().find(|word| !is_word(word)) {
                return Some(format!("has {bad:?} in '{name}', which is no word"));
            }
        }
        if self.pin.is_some() && self.priority.is_none() {
            return Some("has a 'pin' without a 'priority'".to_owned());
        }
        let is_pin =
            |pin: &str| is_text(pin) && ["release ", "origin ", "version "].iter().any(|one| pin.starts_with(one));
        let bad = self.pin.as_deref().filter(|pin| !is_pin(pin))?;
        Some(format!("has the 'pin' {bad:?}; it begins with 'release', 'origin' or 'version'"))
    }
}

/// A scheme, and something after it, in one word.
fn is_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && is_line(url)
}

/// SHA-1 of an OpenPGP key of version 4, or SHA-256 of a key for apk.
fn is_fingerprint(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Something without blanks that no file of a manager reads as the end of a line, a comment or an option.
fn is_line(text: &str) -> bool {
    !text.contains(|one: char| one.is_whitespace() || one.is_control() || matches!(one, '#' | '"' | '\''))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && is_line(text)
}

fn is_text(text: &str) -> bool {
    !text.contains(|one: char| one.is_control())
}

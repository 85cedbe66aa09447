//! Packages.

use crate::address::IdForm;
use crate::resource::{Existence, Meta, OrderClass, ResourceSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A package, by the host's package manager: the same resource on every distribution.
///
/// The manager is the one whose programs and database the host has: apt, dnf (tested with dnf 4; yum is dnf since RHEL
/// 8), zypper, pacman or apk; where there are several, the one of the distribution. A host without a known one ends in
/// an error that says so, and what a host's manager cannot do is `blocked` with the attribute named. The way to apk is
/// written after its manual and tested on recorded texts: it has not met a real apk.
///
/// All packages of a pass are changed in one transaction (pacman and apk: what goes, then what comes), which is simulated
/// first: what would remove, lower or change anything that was not named is `blocked`, and the message names it. Locks
/// of other programs are waited for. A name that packages only provide, such as `mail-transport-agent`, is right as
/// long as one of them is there; it has no version.
///
/// | | hold by | versions to be had | `conffiles: replace` | `release` |
/// |---|---|---|---|---|
/// | apt | `apt-mark hold` | all of its archives | yes | yes |
/// | dnf | its plug-in versionlock, where installed | all of its archives | `blocked` | `blocked` |
/// | zypper | a lock | all of its archives | `blocked` | `blocked` |
/// | pacman | `IgnorePkg` in `/etc/pacman.conf` | the newest alone | `blocked` | `blocked` |
/// | apk | a version in `/etc/apk/world`; `version` holds too | all of its archives | `blocked` | `blocked` |
///
/// When the resource leaves, a package that was not there before is removed, never purged, and with it only what our
/// own transaction brought, as far as nothing needs it. One that was there stays; its version goes back only with
/// `allow_downgrade`, and only if the old one is still to be had: else the resource is `retained`. Data that a package
/// made while it was there is not touched.
///
/// ```yaml
/// packages:
///   nginx: {version: ">= 1.22, < 2", hold: true}
///   postgresql-15: {version: "15.*", conffiles: keep, no_recommends: true}
///   telnetd: {state: absent}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PackageSpec {
    /// The exact version, a prefix that ends in `*`, or a range: `">= 1.22, < 2"`. Of a range or prefix the newest
    /// that is to be had is installed; one that is installed and fits stays. Versions compare by the rules of the
    /// host's manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = r"^([0-9A-Za-z][0-9A-Za-z.+~:^_-]*\*?|([<>]=? ?[0-9A-Za-z][0-9A-Za-z.+~:^_-]*(, ?)?)+)$"
    ))]
    pub version: Option<String>,
    /// Whether the manager may change the version on its own (`true`: it may not).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
    /// Whether a lower version than the installed one may be installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_downgrade: Option<bool>,
    /// The architecture, where it is not the host's own: `i386`. The id `libc6:i386` says the same, and lets both
    /// stand side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9A-Za-z_-]+$"))]
    pub arch: Option<String>,
    /// What happens to configuration files of the package that somebody changed, when it is installed or upgraded.
    /// Without it they are kept. Only apt can replace them; elsewhere `replace` is `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conffiles: Option<Conffiles>,
    /// Whether nothing is to come along that the package only recommends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_recommends: Option<bool>,
    /// The release of the distribution that it is to be taken from: `bookworm-backports`. For apt; elsewhere it is
    /// `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9A-Za-z][0-9A-Za-z.+~_-]*$"))]
    pub release: Option<String>,
}

/// What happens to configuration files that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conffiles {
    /// They stay as they are.
    Keep,
    /// They are replaced by the package's own.
    Replace,
}

impl ResourceSpec for PackageSpec {
    const ID: IdForm = IdForm::Package;
    const CLASS: Option<OrderClass> = Some(OrderClass::Packages);

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        if self.version.as_deref().is_some_and(|version| !is_demand(version)) {
            return Some(
                "has a version that is none: write 1.22.1-9, a prefix as 1.22*, or a range as \">= 1.22, < 2\""
                    .to_owned(),
            );
        }
        if meta.state == Existence::Latest && self.version.is_some() {
            return Some("cannot have a version and the state 'latest'".to_owned());
        }
        if self.version.is_some() && self.release.is_some() {
            return Some("cannot have both a version and a release".to_owned());
        }
        if self.arch.as_deref().is_some_and(|arch| !is_word(arch, "_-")) {
            return Some("has an 'arch' that is none".to_owned());
        }
        let release = self.release.as_deref();
        release.is_some_and(|release| !is_word(release, ".+~_-")).then(|| "has a 'release' that is none".to_owned())
    }
}

/// Whether the text is a version, a prefix of versions, or a range of them.
fn is_demand(text: &str) -> bool {
    if !text.starts_with(['<', '>']) {
        return is_version(text.strip_suffix('*').unwrap_or(text));
    }
    text.split(',').all(|part| {
        let part = part.trim();
        let bare = part.strip_prefix(['<', '>']).map(|rest| rest.strip_prefix('=').unwrap_or(rest));
        bare.is_some_and(|version| is_version(version.trim_start()))
    })
}

fn is_version(text: &str) -> bool {
    is_word(text, ".+~:^_-")
}

/// Letters and digits, and beside them those of `marks`, though not in front.
fn is_word(text: &str, marks: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|one| one.is_ascii_alphanumeric() || marks.contains(one))
}

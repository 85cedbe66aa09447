//! Unit files of systemd.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::resource::{ContentForm, Meta, OrderClass, ResourceSpec};

/// What becomes of a unit that runs when its file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Nothing: it goes on as it was started.
    #[default]
    None,
    /// It reloads, or restarts where it cannot.
    Reload,
    /// It restarts.
    Restart,
}

/// A unit file of systemd in `/etc/systemd/system`, or a drop-in of one: `backup.service`, `backup.timer`,
/// `nginx.service.d/limits.conf`.
///
/// The file belongs to root and has mode 0644. After a change systemd reads its files anew, once for all units that
/// change together. A unit that runs goes on as it was started, unless `on_change` says otherwise; the
/// `on_change` of a drop-in concerns the unit that it belongs to, that of a template no unit. Whether the unit runs and starts at boot is for `services` to say; those of the same application come after.
/// Where systemd is not the first process a unit is `blocked`.
///
/// When the resource leaves, the file that was found comes back, or none; the folder of a drop-in goes when it is
/// empty. A unit that nobody else stops goes on running without its file. A unit that is masked by a link to
/// `/dev/null` in the file's place is never unmasked by this: that is `blocked`.
///
/// One path belongs to one resource: `files/etc/systemd/system/backup.service` beside `units/backup.service` is a
/// fault.
///
/// ```yaml
/// resources:
///   units:
///     backup.service: {source: backup.service}
///     nginx.service.d/limits.conf:
///       content: "[Service]\nLimitNOFILE=65536\n"
///       on_change: restart
///   services:
///     backup: {enabled: true}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnitSpec {
    /// Its whole content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobRef>,
    /// What becomes of the unit when this changes and it runs; nothing where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_change: Option<OnChange>,
}

impl ResourceSpec for UnitSpec {
    const ID: IdForm = IdForm::Unit;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Whole;

    fn paths_of(id: &str) -> Vec<String> {
        vec![format!("/etc/systemd/system/{id}")]
    }

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.content.map(|content| ("content", content)).into_iter().collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.content = Some(content);
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        self.content.is_none().then(|| "manages nothing: 'content', 'source' or 'template' is missing".to_owned())
    }
}

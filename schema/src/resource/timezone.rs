//! The host's time zone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// The host's time zone: the link `/etc/localtime`, and `/etc/timezone` where the host has that. There is one, with the
/// id `system`.
///
/// ```yaml
/// timezone:
///   system: {zone: Europe/Berlin}
/// ```
///
/// The zone must be below `/usr/share/zoneinfo`; a host without the package `tzdata` has none. Programs that run
/// already keep their zone until they restart. An `/etc/localtime` that is a file and no link blocks the resource.
///
/// When the resource leaves, what was found comes back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimezoneSpec {
    /// The name of the zone, as in `Europe/Berlin` or `UTC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl ResourceSpec for TimezoneSpec {
    const ID: IdForm = IdForm::Single("system");
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(zone) = &self.zone else { return Some("needs a 'zone'".to_owned()) };
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
        };
        (!zone.split('/').all(is_part)).then(|| format!("has {zone:?}, which is no name of a time zone"))
    }
}

//! The host's time zone: `zone` is what the link says, `file` what Debian writes beside it, or `false` where there is no
//! such file.

use super::listing::{self, Listing};
use super::system_text::{load_text, system_path, write_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, NewAttributes, Scope};
use muster_schema::resource::{Existence, TimezoneSpec};

const ZONE: &str = "zone";
const FILE: &str = "file";
const LINK_PATH: &str = "/etc/localtime";
const FILE_PATH: &str = "/etc/timezone";
const ZONES: &str = "/usr/share/zoneinfo";

impl ResourceType for TimezoneSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default().with(ZONE, self.zone.clone()).with(FILE, self.zone.clone())
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let link = system_path(LINK_PATH)?;
        let meta = view.reader().meta(&link)?;
        let zone = match meta.map(|meta| meta.kind) {
            None => String::new(),
            Some(FileKind::Link) => {
                let target = view.reader().link_target(&link)?;
                // Another place is told as it stands.
                let zone = target.split_once("/zoneinfo/").map(|(_, zone)| zone.to_owned());
                zone.unwrap_or(target)
            }
            Some(kind) => return Err(ResourceError::Blocked(format!("{LINK_PATH} is a {kind}, not a link"))),
        };
        let file = load_text(&system_path(FILE_PATH)?, view.reader().as_mut())?;
        let file = file.map_or(Value::Bool(false), |text| text.trim().to_owned().into());
        Ok(State::present([(ZONE, zone.into()), (FILE, file)]))
    }

    fn satisfies(&self, attribute: &str, wanted: &Value, observed: &Value) -> bool {
        wanted == observed || (attribute == FILE && *observed == Value::Bool(false))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state == State::Absent {
            return Err(ResourceError::Blocked("a host has a time zone: it cannot be absent".to_owned()));
        }
        Ok(change::diff_attributes(wanted, observed, |name, wanted, found| self.satisfies(name, wanted, found)))
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        check_sense(self)?;
        let link = system_path(LINK_PATH)?;
        match change.after(ZONE).and_then(Value::text) {
            Some("") => hands.host.remove(&link, FileKind::Link)?,
            Some(place) if place.starts_with('/') => hands.host.make_link(&link, place)?,
            Some(zone) => {
                let target = HostPath::new(&format!("{ZONES}/{zone}"));
                let target = target.map_err(|error| ResourceError::Blocked(error.to_string()))?;
                // What goes back goes back, whatever became of the zone meanwhile.
                let ours = self.zone.as_deref() == Some(zone);
                if ours && hands.host.reader().meta(&target)?.is_none_or(|meta| meta.kind == FileKind::Directory) {
                    return Err(ResourceError::Blocked(format!("there is no {target}: is tzdata installed?")));
                }
                hands.host.make_link(&link, target.as_str())?;
            }
            None => {}
        }
        match change.after(FILE).and_then(Value::text) {
            Some(zone) => write_text(&system_path(FILE_PATH)?, &format!("{zone}\n"), NewAttributes::default(), hands),
            None => Ok(()),
        }
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        [LINK_PATH, FILE_PATH].iter().filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        listing::SYSTEM
    }
}

//! The name of the host: `name` is that of the file, `live` that of the running kernel.

use super::listing::{self, Listing};
use super::system_text::{load_text, system_path, write_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, NewAttributes, Scope};
use muster_schema::resource::{Existence, HostnameSpec};

const NAME: &str = "name";
const LIVE: &str = "live";
const FILE: &str = "/etc/hostname";
const KERNEL: &str = "/proc/sys/kernel/hostname";

impl ResourceType for HostnameSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default().with(NAME, self.name.clone()).with(LIVE, self.name.clone())
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let file = load_text(&system_path(FILE)?, view.reader().as_mut())?.unwrap_or_default();
        let live = load_text(&system_path(KERNEL)?, view.reader().as_mut())?.unwrap_or_default();
        let name = file.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let name = name.unwrap_or_default().to_owned();
        Ok(State::present([(NAME, name.into()), (LIVE, live.trim().to_owned().into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state == State::Absent {
            return Err(ResourceError::Blocked("a host has a name: it cannot be absent".to_owned()));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        check_sense(self)?;
        let text = |name: &str| change.after(name).and_then(Value::text);
        if let Some(live) = text(LIVE) {
            hands.host.set_host_name(live)?;
        }
        match text(NAME) {
            Some("") => Ok(hands.host.remove(&system_path(FILE)?, FileKind::File)?),
            Some(name) => write_text(&system_path(FILE)?, &format!("{name}\n"), NewAttributes::default(), hands),
            None => Ok(()),
        }
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        HostPath::new(FILE).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        listing::SYSTEM
    }
}

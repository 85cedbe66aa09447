//! Is a unit active?

use crate::provider::systemd::{Systemd, UnitName};
use crate::resource::ResourceError;

pub(super) fn probe(unit: &str) -> Result<(), String> {
    let name = UnitName::new(unit).map_err(|error| error.to_string())?;
    let unit = Systemd::connect().and_then(|systemd| systemd.load_unit(&name));
    let unit = unit.map_err(|error| ResourceError::from(error).chain())?;
    match unit.active.as_str() {
        "active" | "reloading" | "refreshing" => Ok(()),
        _ if !unit.exists() => Err(format!("there is no unit {name}")),
        other => Err(format!("{name} is {other} ({})", unit.sub)),
    }
}

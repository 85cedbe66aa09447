//! Is a unit active?

use crate::provider::systemd::{Systemd, UnitName};
use crate::resource::ResourceError;

pub(super) fn probe(unit: &str) -> Result<(), String> {
    let name = UnitName::new(unit).map_err(|error| error.to_string())?;
    let units = Systemd::connect().and_then(|systemd| systemd.load_units(std::slice::from_ref(&name)));
    let mut units = units.map_err(|error| ResourceError::from(error).chain())?;
    let Some(unit) = units.pop() else { return Err(format!("systemd says nothing of {name}")) };
    match unit.active.as_str() {
        "active" | "reloading" | "refreshing" => Ok(()),
        _ if !unit.exists() => Err(format!("there is no unit {name}")),
        other => Err(format!("{name} is {other} ({})", unit.sub)),
    }
}

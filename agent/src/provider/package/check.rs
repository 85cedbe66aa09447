//! Whether a simulated transaction stays within what was asked for.

use super::{PackageAction, PackageChange, PackageDatabase, PackageManager, Request, Simulation};

#[cfg(test)]
mod tests;

/// Checks that nothing goes but what was named or was brought by it (`extra`), that no version goes down and nothing
/// held changes without leave, and that versions are those demanded. The error says what would happen.
pub(super) fn check_simulation(
    simulation: &Simulation,
    request: &Request<'_>,
    manager: &dyn PackageManager,
) -> Result<(), String> {
    let Request { changes, extra, database, .. } = *request;
    if let Some(change) = changes.iter().find(|change| is_misread(change, simulation, database)) {
        return Err(format!(
            "there is no package {}, and {} takes the name for something else",
            change.name,
            manager.name()
        ));
    }
    let asked = |told: &str| changes.iter().find(|change| change.is_of(told));
    let mut others: Vec<&str> = Vec::new();
    for told in &simulation.removals {
        match asked(told) {
            Some(change) if change.removes() => check_held(change, told, database)?,
            _ if extra.contains(told) => {}
            _ => others.push(told),
        }
    }
    if !others.is_empty() {
        return Err(format!("{} would be removed with it", others.join(", ")));
    }
    for install in &simulation.installs {
        let change = asked(&install.name);
        let old = install.old.as_deref();
        let down = old.is_some_and(|old| manager.compare_versions(&install.new, old).is_lt());
        if down && !change.is_some_and(|change| change.allow_downgrade) {
            let (name, old) = (&install.name, old.unwrap_or_default());
            return Err(format!("{name} would go down from {old} to {}, and allow_downgrade is not set", install.new));
        }
        match change {
            Some(change) => check_held(change, &install.name, database)?,
            None if is_held(&install.name, database) => {
                return Err(format!("{} is held, and would change", install.name));
            }
            None => {}
        }
    }
    Ok(())
}

/// Checks that each package would be in the version that was demanded. Some managers have one version only, whichever
/// is asked for; some do nothing where they would have to go down.
pub(super) fn check_versions(
    simulation: &Simulation,
    request: &Request<'_>,
    manager: &dyn PackageManager,
) -> Result<(), String> {
    for change in request.changes {
        let PackageAction::Install { version: Some(demand) } = &change.action else { continue };
        let new = simulation.installs.iter().find(|install| change.is_of(&install.name)).map(|install| &install.new);
        let installed = request.database.get(change.name.as_str()).map(|installed| &installed.version);
        if let Some(version) = new.or(installed).filter(|version| !demand.is_met(version, manager)) {
            return Err(format!("{} {demand} was not found, only {version}", change.name));
        }
    }
    Ok(())
}

/// Whether the manager took the name of a package that does not exist for something else, and chose what fits it:
/// apt for a regular expression, dnf for a name with an architecture. It does so in silence; a name that is not
/// virtual turns up among what is or would be installed.
fn is_misread(change: &PackageChange, simulation: &Simulation, database: &PackageDatabase) -> bool {
    let name = change.name.as_str();
    !change.removes()
        && name.contains(['.', '+'])
        && database.get(name).is_none()
        && !simulation.installs.iter().any(|install| change.is_of(&install.name))
}

fn check_held(change: &PackageChange, told: &str, database: &PackageDatabase) -> Result<(), String> {
    if is_held(told, database) && !change.allow_held { Err(format!("{told} is held")) } else { Ok(()) }
}

fn is_held(name: &str, database: &PackageDatabase) -> bool {
    database.get(name).is_some_and(|installed| installed.hold)
}

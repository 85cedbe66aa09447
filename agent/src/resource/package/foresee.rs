//! Whether a package can go, or go back: asked of its manager before anything is done.

use super::apply::{package_change, refused};
use super::{asks_for, goal_of, load_packages};
use crate::plan::{Purpose, Target};
use crate::provider::package::{PackageChange, PackageError, Preview, Surroundings};
use crate::resource::{Change, State, Value, View};
use muster_schema::Collection;
use muster_schema::resource::{Existence, PackageSpec, Spec};

/// Why a package will stay as it is. What is to come is not asked about: there is nothing to lose.
pub(super) fn foresee(spec: &PackageSpec, id: &str, change: &Change, view: &View<'_>) -> Option<String> {
    let goes_back = goal_of(change).and_then(Value::text).is_some_and(|goal| !asks_for(spec, goal));
    if !change.removes() && !goes_back {
        return None;
    }
    let manager = load_packages(view).ok()?.manager;
    let ours = package_change(id, spec, change, view.host().notes(), manager).transpose()?;
    let preview = Preview::look(manager, view.host());
    let managed = Managed { view };
    let reason = match ours.map(|ours| (preview.prepare(std::slice::from_ref(&ours), &managed), ours)) {
        Ok((Ok(_), _)) => return None,
        // What else leaves goes in the same transaction.
        Ok((Err(PackageError::Refused(reason)), ours)) if change.removes() => {
            let together: Vec<PackageChange> = [ours].into_iter().chain(others(id, view)).collect();
            if together.len() > 1 && preview.prepare(&together, &managed).is_ok() {
                return None;
            }
            refused(PackageError::Refused(reason), (id, spec, change))
        }
        Ok((Err(error @ (PackageError::Refused(_) | PackageError::NoVersion(_))), _)) => {
            refused(error, (id, spec, change))
        }
        // Whether it would work is not known: the attempt tells.
        Ok((Err(_), _)) => return None,
        Err(error) => error,
    };
    Some(reason.chain())
}

/// The other packages that are to go.
fn others<'v>(id: &'v str, view: &'v View<'_>) -> impl Iterator<Item = PackageChange> + 'v {
    let goes = move |target: &&Target| {
        target.address().collection() == Collection::Packages
            && target.address().id() != id
            && target.wanted.as_ref().is_some_and(|wanted| wanted.state == State::Absent)
    };
    view.targets().unwrap_or_default().iter().filter(goes).filter_map(move |target| {
        let Spec::Package(spec) = &target.resource.spec else { return None };
        let packages = load_packages(view).ok()?;
        let id = target.address().id();
        packages.database.get(id)?;
        let change = Change { before: State::present([]), after: State::Absent };
        package_change(id, spec, &change, view.host().notes(), packages.manager).ok()?
    })
}

/// What is managed stays.
struct Managed<'v, 'h> {
    view: &'v View<'h>,
}

impl Surroundings for Managed<'_, '_> {
    fn is_managed(&self, name: &str) -> bool {
        let asks = |target: &Target| {
            target.address().collection() == Collection::Packages
                && target.address().id() == name
                && target.purpose != Purpose::Leave
                && target.resource.meta.state != Existence::Absent
        };
        self.view.targets().unwrap_or_default().iter().any(asks)
    }

    fn note_brought(&mut self, _: &[PackageChange], _: &[String]) -> std::io::Result<()> {
        Ok(())
    }
}

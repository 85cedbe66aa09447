//! Which versions are right.

use super::PackageManager;
use std::fmt;

#[cfg(test)]
mod tests;

/// What a specification says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionDemand {
    /// This one: `1.22.1-9`.
    Exact(String),
    /// One that begins so: `1.22*`, without its `*`.
    Prefix(String),
    /// One that fulfils all of these: `>= 1.22, < 2`.
    Range(Vec<(Bound, String)>),
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}

const BOUNDS: [(&str, Bound); 4] =
    [(">=", Bound::AtLeast), ("<=", Bound::AtMost), (">", Bound::Above), ("<", Bound::Below)];

impl VersionDemand {
    /// Reads what a person wrote. The schema has refused what is none.
    pub fn new(text: &str) -> VersionDemand {
        if text.starts_with(['<', '>']) {
            return VersionDemand::Range(text.split(',').filter_map(|part| bound(part.trim())).collect());
        }
        match text.strip_suffix('*') {
            Some(prefix) => VersionDemand::Prefix(prefix.to_owned()),
            None => VersionDemand::Exact(text.to_owned()),
        }
    }

    /// Whether `version` is right. A prefix without an epoch stands for every epoch.
    pub fn is_met(&self, version: &str, manager: &dyn PackageManager) -> bool {
        match self {
            VersionDemand::Exact(wanted) => manager.compare_wanted(wanted, version).is_eq(),
            VersionDemand::Prefix(prefix) if prefix.contains(':') => version.starts_with(prefix),
            VersionDemand::Prefix(prefix) => {
                let without_epoch = version.split_once(':').map_or(version, |(_, rest)| rest);
                version.starts_with(prefix) || without_epoch.starts_with(prefix)
            }
            VersionDemand::Range(bounds) => bounds.iter().all(|(bound, limit)| {
                let order = manager.compare_wanted(limit, version).reverse();
                match bound {
                    Bound::AtLeast => order.is_ge(),
                    Bound::Above => order.is_gt(),
                    Bound::AtMost => order.is_le(),
                    Bound::Below => order.is_lt(),
                }
            }),
        }
    }

    /// The one version that is right, if there is only one.
    pub fn exact(&self) -> Option<&str> {
        match self {
            VersionDemand::Exact(version) => Some(version),
            VersionDemand::Prefix(_) | VersionDemand::Range(_) => None,
        }
    }
}

impl fmt::Display for VersionDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VersionDemand::Exact(version) => f.write_str(version),
            VersionDemand::Prefix(prefix) => write!(f, "{prefix}*"),
            VersionDemand::Range(bounds) => {
                for (index, (bound, version)) in bounds.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    let sign = BOUNDS.iter().find(|(_, one)| one == bound).map_or("", |(sign, _)| sign);
                    write!(f, "{separator}{sign} {version}")?;
                }
                Ok(())
            }
        }
    }
}

fn bound(part: &str) -> Option<(Bound, String)> {
    let (sign, bound) = BOUNDS.into_iter().find(|(sign, _)| part.starts_with(sign))?;
    Some((bound, part.strip_prefix(sign)?.trim().to_owned()))
}

//! What units there are.

use super::client::ListedUnit;
use super::{Systemd, SystemdError};
use std::collections::BTreeSet;

const SERVICE: &str = ".service";

/// Services in a few numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceSummary {
    /// How many run.
    pub running: u32,
    /// Those that failed, sorted.
    pub failed: Vec<String>,
}

impl Systemd {
    /// The services that are loaded or have a file, without `.service`, sorted. Templates are none.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn list_services(&self) -> Result<Vec<String>, SystemdError> {
        let none: &[&str] = &[];
        let patterns: &[&str] = &["*.service"];
        let files: Vec<(String, String)> = self.ask("ListUnitFilesByPatterns", &(none, patterns))?;
        let of_file = |(path, _): &(String, String)| path.rsplit('/').next().and_then(service_name);
        let loaded = self.load_services()?;
        let of_unit = |unit: &ListedUnit| service_name(&unit.0);
        let names: BTreeSet<String> =
            files.iter().filter_map(of_file).chain(loaded.iter().filter_map(of_unit)).collect();
        Ok(names.into_iter().collect())
    }

    /// How the services fare: one question.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn summarise_services(&self) -> Result<ServiceSummary, SystemdError> {
        let mut summary = ServiceSummary::default();
        for (id, _, _, active, sub, ..) in self.load_services()? {
            if active == "active" && sub == "running" {
                summary.running += 1;
            }
            if active == "failed" {
                summary.failed.extend(service_name(&id));
            }
        }
        summary.failed.sort_unstable();
        Ok(summary)
    }

    fn load_services(&self) -> Result<Vec<ListedUnit>, SystemdError> {
        let none: &[&str] = &[];
        let patterns: &[&str] = &["*.service"];
        self.ask("ListUnitsByPatterns", &(none, patterns))
    }
}

fn service_name(unit: &str) -> Option<String> {
    let stem = unit.strip_suffix(SERVICE)?;
    (!stem.ends_with('@')).then(|| stem.to_owned())
}

//! What the firewall lets in, by nftables. `permanent` is what stands in our file, rules apart by ` ; `; `included` says
//! whether the file is loaded at boot; `runtime` is the digest of the rules where the kernel has all of them; `policy` is
//! that of the kernel's chain.

use super::generated_file::file_name_of;
use super::listing::{Listing, decode_name};
use super::system_text::{load_text, system_path};
use super::{Batch, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use kernel::KernelRules;
use muster_schema::resource::{Existence, FirewallSpec};
use ruleset::Ruleset;

mod apply;
mod kernel;
mod rules;
mod ruleset;
#[cfg(test)]
mod tests;

const PERMANENT: &str = "permanent";
const RUNTIME: &str = "runtime";
const POLICY: &str = "policy";
const INCLUDED: &str = "included";
const FILE: &str = "/etc/nftables.d/muster.nft";
/// What the service `nftables` loads.
const MAIN: &str = "/etc/nftables.conf";
/// A pattern that matches nothing is no error at boot; a name would be.
const INCLUDE: &str = "include \"/etc/nftables.d/muster*.nft\"";

/// What is for the next boot, once per look.
struct BootRules {
    ruleset: Ruleset,
    included: bool,
}

impl ResourceType for FirewallSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let section = rules::render_section(self);
        let digest = rules::digest_of(&section);
        let policy = self.policy.map(rules::policy_word);
        Wanted::default()
            .with(PERMANENT, Some(section))
            .with(INCLUDED, Some(true))
            .with(RUNTIME, Some(digest))
            .with(POLICY, policy)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let kernel = view.once(KernelRules::load)?;
        let boot = view.once(load_boot_rules)?;
        let name = file_name_of(id);
        let (permanent, runtime) = (boot.ruleset.section(&name), kernel.digest(&name));
        if permanent.is_none() && runtime.is_none() {
            return Ok(State::Absent);
        }
        let or_not = |value: Option<String>| value.map_or(Value::Bool(false), Value::from);
        Ok(State::present([
            (PERMANENT, or_not(permanent.map(str::to_owned))),
            (INCLUDED, boot.included.into()),
            (RUNTIME, or_not(runtime)),
            (POLICY, kernel.policy.clone().into()),
        ]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        apply::change_sections(&[(self, id, change)], hands)
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply::apply_batch)
    }

    fn is_risky(&self, _: &str) -> bool {
        true
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        [FILE, MAIN].iter().filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_sections)
    }
}

/// Ours, in the running kernel and for the next boot. Other tables are not for this type.
fn list_sections(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let (kernel, boot) = (view.once(KernelRules::load)?, view.once(load_boot_rules)?);
    let names = kernel.names().chain(boot.ruleset.names());
    Ok(names.filter_map(|name| decode_name(name, "%")).collect())
}

fn load_boot_rules(view: &View<'_>) -> Result<BootRules, ResourceError> {
    let text = |path: &str| load_text(&system_path(path)?, view.reader().as_mut()).map(Option::unwrap_or_default);
    Ok(BootRules { ruleset: Ruleset::parse(&text(FILE)?), included: apply::is_included(&text(MAIN)?) })
}

//! `muster-agent plan`: what would be changed now.

use super::{Options, state};
use crate::accepted::Accepted;
use crate::converge::{Converger, Extent, count_changes};
use crate::io::clock;
use crate::plan::{Plan, Purpose, Schedule, Verdict};
use muster_schema::resource::Resource;
use serde_json::json;
use std::process::ExitCode;

pub(super) fn show(options: Options, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = options.settings()?;
    let folder = settings.state_folder();
    let _lock = state::lock(&folder)?;
    let managed = state::open(&folder, &settings.root_folder())?;
    let accepted = Accepted::load(&managed.store)?;
    let manifest = accepted.as_ref().and_then(|accepted| accepted.manifest(&managed.blobs));
    let resources: Vec<Resource> = manifest.map(|manifest| manifest.resources).unwrap_or_default();
    let converger = Converger::begin(managed, resources, settings.mode.unwrap_or_default(), clock::now())?;
    let plan = converger.plan(Extent::All);
    if as_json {
        println!(
            "{:#}",
            lines(converger.schedule(), &plan)
                .map(|(address, what)| json!({"address": address, "change": what}))
                .collect::<serde_json::Value>()
        );
    } else {
        for (address, what) in lines(converger.schedule(), &plan) {
            println!("{address}: {what}");
        }
    }
    Ok(if count_changes(&plan) == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// In the order in which it would be done.
fn lines<'a>(schedule: &'a Schedule, plan: &'a Plan) -> impl Iterator<Item = (String, String)> + 'a {
    schedule.order.stages.iter().flatten().filter_map(|at| {
        let target = schedule.targets.get(*at)?;
        let what = match plan.get(*at)?.as_ref()? {
            Verdict::Change(change) if target.purpose == Purpose::Leave => format!("will return to: {change}"),
            Verdict::Change(change) => change.to_string(),
            Verdict::Report(change) => format!("differs, and is only reported: {change}"),
            Verdict::Blocked(reason) => format!("blocked: {reason}"),
            Verdict::Failed(reason) => format!("cannot be read: {reason}"),
            Verdict::Stays(reason) => format!("stays: {reason}"),
            Verdict::Compliant | Verdict::NotApplicable => return None,
        };
        Some((target.address().to_string(), what))
    })
}

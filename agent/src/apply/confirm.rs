//! `confirm`: a change stands only when a program that is asked afterwards agrees.

use super::ManagedHost;
use super::prepare::Prepared;
use super::stage::hands_for;
use crate::host::Program;
use crate::plan::{Purpose, Schedule};
use crate::resource::ResourceError;
use crate::vault::Vaults;
use std::collections::BTreeMap;

/// Asks each program once for all changes that name it, and takes those back when it does not agree.
pub(super) fn confirm_changes(
    managed: &ManagedHost,
    schedule: &Schedule,
    contents: &Vaults<'_>,
    work: &[Prepared<'_>],
    answers: &mut [Result<(), ResourceError>],
) {
    if managed.host.scope().sandbox {
        return;
    }
    let mut asked: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
    for (at, (one, answer)) in work.iter().zip(answers.iter()).enumerate() {
        // What leaves is not asked to please its own check any more.
        let enforced = one.target.purpose == Purpose::Enforce;
        if let (true, Some(argv), Ok(())) = (enforced, one.target.resource_type().confirm(), answer) {
            asked.entry(argv).or_default().push(at);
        }
    }
    for (argv, members) in asked {
        let Some(first) = members.first().and_then(|at| work.get(*at)) else { continue };
        let hands = hands_for(managed, schedule, contents, first.target);
        let program = Program { timeout: hands.timeout, ..Program::new(argv.iter().cloned()) };
        let Err(refusal) = hands.run(&program) else { continue };
        let mut changed = members.iter().filter_map(|at| work.get(*at));
        let has_secrets = changed.any(|one| !one.target.resource.spec.secrets().is_empty());
        let refusal = if has_secrets { refusal.without_words() } else { refusal };
        for at in members {
            let (Some(one), Some(answer)) = (work.get(at), answers.get_mut(at)) else { continue };
            let back = one.change.inverse();
            let restored = one.target.resource_type().apply(one.target.address().id(), &back, &hands);
            *answer = Err(match restored {
                Ok(()) => ResourceError::Failed(format!("not confirmed, and taken back: {}", refusal.chain())),
                Err(error) => ResourceError::Failed(format!(
                    "not confirmed ({}), and not taken back: {}",
                    refusal.chain(),
                    error.chain()
                )),
            });
        }
    }
}

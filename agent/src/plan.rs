//! Plans: what is to change on this host, in which order, and what may not. Pure.
//!
//! A [`Schedule`] is made once for a manifest. Each look at the host then gives a [`Plan`].

mod contact;
mod description;
mod order;
mod reactions;
mod schedule;
mod target;
mod verdict;

pub use contact::ContactRule;
pub(crate) use contact::{asks_for_contact, digest_of};
pub use description::{describe_changes, describe_verdict};
pub use order::{CycleError, Order, Ordered};
pub use reactions::Reactions;
pub(crate) use schedule::resource_path;
pub use schedule::{Schedule, ScheduleInput};
pub use target::{Purpose, Target};
pub(crate) use verdict::judge_target;
pub use verdict::{Plan, Verdict, plan_changes};

//! The agent's own API: what is managed, what the host has, and how the agent fares. It reads beside the worker, which
//! is never held up; what is to be changed is an order to it.

pub mod breakglass;
mod lists;
mod look;
mod masked;
mod shown;
#[cfg(test)]
pub(crate) mod tests;

use crate::breakglass::BreakGlassOrder;
use crate::extension::Extensions;
use crate::io::clock;
use crate::io::live_facts::load_live_facts;
use crate::known::Known;
use crate::plan::describe_changes;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::vault::Vault;
use crate::worker::Order;
use look::Look;
use muster_schema::api::{
    ApiRequest, CollectionLine, CollectionView, CollectionsView, ConvergeView, Method, PlanView, PlannedChange,
    Problem, ProblemReason,
};
use muster_schema::resource::Enforcement;
use muster_schema::state::ResourceState;
use muster_schema::{Address, Collection};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// So many answers are worked on at once; each may take a thread and a copy of the manifest.
const AT_ONCE: usize = 2;
/// So long a request waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// So long a run is waited for. It goes on after that.
const RUN: Duration = Duration::from_secs(20);

/// What answers are made from.
pub struct Rest {
    /// The agent's own folder.
    pub folder: PathBuf,
    /// The tree that is managed.
    pub root: PathBuf,
    /// What is done about differences where a resource does not say.
    pub mode: Enforcement,
    /// How soon the orchestrator is to be reached after a risky change, where that matters.
    pub confirm_within: Option<Duration>,
    /// The agent's store.
    pub store: Arc<Store>,
    /// The manifest in force.
    pub blobs: Arc<Vault>,
    /// The worker.
    pub orders: Sender<Order>,
    /// What provides declared collections.
    pub extensions: Option<Arc<Extensions>>,
    /// What reads the secrets of this host.
    pub secrets: Option<Arc<Secrets>>,
    /// The cycle, for break-glass.
    pub break_glass: mpsc::Sender<BreakGlassOrder>,
    /// Who may work on an answer.
    pub turns: Semaphore,
}

/// An answer, as HTTP and messages carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

impl Rest {
    /// Turns for a new one.
    pub fn new_turns() -> Semaphore {
        Semaphore::new(AT_ONCE)
    }

    /// Answers one request. Problems are answers too.
    pub async fn answer(self: &Arc<Self>, method: Method, target: &str) -> Answer {
        match self.try_answer(method, target).await {
            Ok(answer) => answer,
            Err(problem) => Answer::from(&problem),
        }
    }

    async fn try_answer(self: &Arc<Self>, method: Method, target: &str) -> Result<Answer, Problem> {
        let request = ApiRequest::load(method, target)?;
        let busy = || Problem::new(ProblemReason::Busy, "the agent answers too many at once; ask again");
        let _turn =
            tokio::time::timeout(TURN, self.turns.acquire()).await.ok().and_then(Result::ok).ok_or_else(busy)?;
        if request == ApiRequest::Converge {
            return self.converge().await;
        }
        let this = self.clone();
        let read = tokio::task::spawn_blocking(move || this.read(&request)).await;
        read.unwrap_or_else(|_| Err(Problem::new(ProblemReason::Unreadable, "the answer could not be made")))
    }

    /// Everything that only reads. Not to be called from asynchronous code.
    fn read(&self, request: &ApiRequest) -> Result<Answer, Problem> {
        match request {
            ApiRequest::Collections => self.collections(),
            ApiRequest::Collection { collection, all } => self.collection(*collection, *all),
            ApiRequest::Resource(address) => found(&self.look()?.show(&self.store, address)?),
            ApiRequest::Facts => found(&load_live_facts(&self.root).map_err(|error| unreadable(&error))?),
            ApiRequest::Plan => self.plan(),
            ApiRequest::Converge => Err(Problem::new(ProblemReason::BadRequest, "a run is no reading")),
        }
    }

    fn look(&self) -> Result<Look, Problem> {
        Look::begin(self)
    }

    fn collections(&self) -> Result<Answer, Problem> {
        let known = Known::load(&self.store).map_err(|error| unreadable(&error))?;
        let look = self.look()?;
        let line = |collection: Collection| {
            let managed = look.resources().iter().filter(|resource| resource.address.collection() == collection);
            let of_it = known.states().values().filter(|known| known.address.collection() == collection);
            let mut states = BTreeMap::new();
            of_it.for_each(|known| *states.entry(known.state).or_default() += 1);
            let managed = u32::try_from(managed.count()).unwrap_or(u32::MAX);
            CollectionLine {
                collection,
                managed,
                states,
                can_list: lists::can_list(collection, look.scope()) || look.provider_of(collection).is_some(),
            }
        };
        let declared = declared_collections(&look, &known);
        let collections = Collection::ALL.into_iter().chain(declared).map(line).collect();
        found(&CollectionsView { revision: look.revision(), collections })
    }

    fn collection(&self, collection: Collection, all: bool) -> Result<Answer, Problem> {
        let known = Known::load(&self.store).map_err(|error| unreadable(&error))?;
        let look = self.look()?;
        if collection.extension().is_some() && !declared_collections(&look, &known).contains(&collection) {
            let detail = format!("unknown collection '{collection}': nothing of it is managed here");
            let names: Vec<&str> = Collection::ALL.iter().map(Collection::name).collect();
            let hint = format!("there are {}, and those that the state repository declares", names.join(", "));
            return Err(Problem::new(ProblemReason::UnknownCollection, detail).with_hint(hint));
        }
        let mut addresses: BTreeSet<Address> = if all { look.list_all(collection)? } else { BTreeSet::new() };
        let managed: BTreeSet<&Address> = look
            .resources()
            .iter()
            .map(|resource| &resource.address)
            .filter(|address| address.collection() == collection)
            .collect();
        // What is managed has the name that the state repository gives it.
        let things: BTreeSet<Address> = managed.iter().map(|address| address.folded()).collect();
        addresses.retain(|address| !things.contains(&address.folded()));
        addresses.extend(managed.iter().copied().cloned());
        // What left and stays is still the agent's business.
        addresses.extend(known.states().keys().filter(|address| address.collection() == collection).cloned());
        let items = addresses
            .iter()
            .map(|address| shown::resource_line(address, managed.contains(address), known.states().get(address)));
        found(&CollectionView { collection, revision: look.revision(), items: items.collect() })
    }

    fn plan(&self) -> Result<Answer, Problem> {
        let look = self.look()?;
        let (schedule, plan) = look.plan()?;
        let change = |(address, change): (&Address, String)| PlannedChange { address: address.clone(), change };
        let differences = u32::try_from(crate::converge::count_changes(&plan)).unwrap_or(u32::MAX);
        let changes = describe_changes(&schedule, &plan, look.contact()).map(change).collect();
        found(&PlanView { revision: look.revision(), differences, changes })
    }

    async fn converge(&self) -> Result<Answer, Problem> {
        let begun = clock::now();
        let (asked, done) = oneshot::channel();
        let ended = || Problem::new(ProblemReason::Busy, "the agent is ending");
        self.orders.send(Order::Sweep(asked)).map_err(|_| ended())?;
        // The worker drops what it was given when it has done it.
        let finished = tokio::time::timeout(RUN, done).await.is_ok();
        let known = Known::load(&self.store).map_err(|error| unreadable(&error))?;
        let mut changed = Vec::new();
        for state in known.states().values() {
            let (_, change) =
                crate::known::load_known(&self.store, &state.address).map_err(|error| unreadable(&error))?;
            if change.is_some_and(|change| change.at >= begun) {
                changed.push(shown::resource_line(&state.address, state.state != ResourceState::Retained, Some(state)));
            }
        }
        found(&ConvergeView { finished, changed, states: known.counts() })
    }
}

/// The collections that are not built in, of which the host has or had something.
fn declared_collections(look: &Look, known: &Known) -> BTreeSet<Collection> {
    let managed = look.resources().iter().map(|resource| resource.address.collection());
    let kept = known.states().keys().map(Address::collection);
    managed.chain(kept).filter(|collection| collection.extension().is_some()).collect()
}

impl From<&Problem> for Answer {
    fn from(problem: &Problem) -> Answer {
        Answer { status: problem.status, body: serde_json::to_string(problem).unwrap_or_default() }
    }
}

fn found(view: &impl Serialize) -> Result<Answer, Problem> {
    let body = serde_json::to_string(view).map_err(|error| unreadable(&error))?;
    Ok(Answer { status: 200, body })
}

/// A problem with all the causes of an error.
fn unreadable(error: &dyn std::error::Error) -> Problem {
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    Problem::new(ProblemReason::Unreadable, detail)
}

//! `muster serve`: the orchestrator as a process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};

mod bus_events;
#[cfg(test)]
mod tests;

use self::bus_events::tell_refusals;
use crate::cycle::{Config, Orchestrator, run_cycle};
use crate::inbound::ReplayMarks;
use crate::io::api::{self, Access, LiveApi, live_router};
use crate::io::bus::{
    BrokerState, BrokerUrl, HttpLimits, Inbound, InboundSettings, agent_router, require_client_certificate, serve_amqp,
    serve_http, witness_router,
};
use crate::io::clock;
use crate::io::git::{BranchWatch, StateSource, StatusBranch, wait_for_change};
use crate::io::tls::ServerTls;
use crate::io::token_file::TokenFile;
use crate::keys::ServerKeys;
use crate::state::SharedState;

/// How many messages may wait for the cycle.
const INBOUND_QUEUE: usize = 4096;

/// How many calls of witnesses may wait for the cycle.
const WITNESS_QUEUE: usize = 64;

/// After an error of the repository, the next look waits for so long.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// What to serve.
pub struct ServeOptions {
    /// Where the state repository is.
    pub source: StateSource,
    /// How to run; its repository is overwritten by where the objects are.
    pub config: Config,
    /// The keys.
    pub keys: ServerKeys,
    /// Where to listen for agents and webhooks.
    pub listen: SocketAddr,
    /// Where to listen for people: API, metrics and status page. See [`api_address`].
    pub api: Option<SocketAddr>,
    /// TLS of both addresses.
    pub tls: Option<ServerTls>,
    /// The broker, where agents use one.
    pub bus: Option<BrokerUrl>,
}

/// Where the API listens: on loopback unless told.
#[must_use]
pub fn api_address(listen: SocketAddr, api: Option<SocketAddr>) -> SocketAddr {
    match api {
        Some(api) => api,
        None if listen.ip().is_loopback() => listen,
        None => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port().checked_add(1).unwrap_or(0)),
    }
}

/// Serves until the process is asked to end. `announce` is told the addresses for agents and of the API.
///
/// # Errors
/// When the start fails: keys, repository, data folder or address.
pub async fn serve(options: ServeOptions, announce: impl FnOnce(SocketAddr, SocketAddr)) -> Result<(), anyhow::Error> {
    let ServeOptions { source, mut config, keys, listen, api, tls, bus } = options;
    let tls = tls.map(Arc::new);
    let look = Arc::new(Notify::new());
    let remote = match &source {
        StateSource::Remote { url, .. } => Some(url.clone()),
        StateSource::Local { .. } => None,
    };
    let watch = BranchWatch::open(source, &config.branch, look.clone())?;
    config.repository = watch.repository_path().to_owned();
    let enrolment_dir: PathBuf = config.data.join("enrolment");
    let data: PathBuf = config.data.clone();
    let api = api_address(listen, api);
    check_address(api, &data)?;
    let fresh = keys.fresh.clone();
    let mut branch = StatusBranch::open(&config.repository, keys.status.clone(), remote)?;
    if let Err(error) = branch.fetch().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the remote's status branch cannot be read");
    }
    let orchestrator = Orchestrator::start(config, keys, branch)?;
    let audit = orchestrator.audit();
    let (cycle, inbound) = mpsc::channel(INBOUND_QUEUE);
    let door = Inbound::open(InboundSettings {
        fleet: orchestrator.fleet().clone(),
        fresh,
        enrolment_dir: &enrolment_dir,
        marks: replay_marks(&orchestrator),
        audit: audit.clone(),
        cycle,
    })?;
    let (calls, witness) = mpsc::channel(WITNESS_QUEUE);
    let hook = look.clone();
    let hooks = axum::Router::new().route("/hooks/push", post(move || async move { hook.notify_one() }));
    let mut agents = agent_router(door.clone(), orchestrator.tree().top().to_owned());
    if tls.as_ref().is_some_and(|tls| tls.is_mutual()) {
        agents = require_client_certificate(agents);
    }
    let agents = agents.merge(hooks.clone()).merge(witness_router(calls));
    let live = LiveApi { state: orchestrator.state(), door: door.clone(), audit: audit.clone() };
    let access = Arc::new(Access::new(&data, orchestrator.state(), audit)?);
    let people = access.protect(api::router(orchestrator.state()).merge(live_router(live)));
    let listener = bind(listen).await?;
    let (end, ending) = watch::channel(());
    let mut servers = Vec::new();
    let mut start = |listener, router| {
        let mut ending = ending.clone();
        let until_end = async move { drop(ending.changed().await) };
        servers.push(tokio::spawn(serve_http(listener, router, HttpLimits::default(), tls.clone(), until_end)));
    };
    if api == listen {
        let address = listener.local_addr()?;
        announce(address, address);
        start(listener, agents.merge(people));
    } else {
        let api = bind(api).await?;
        announce(listener.local_addr()?, api.local_addr()?);
        start(listener, agents);
        // 'muster wait' hints here.
        start(api, people.merge(hooks));
    }
    tokio::spawn(tell_refusals(door.clone(), orchestrator.state()));
    let broker = bus.map(|url| {
        let (told, standing) = watch::channel(BrokerState::Lost("not connected yet".to_owned()));
        // Ends with the process: what the broker delivered and was not acknowledged comes again.
        tokio::spawn(serve_amqp(url, door.clone(), told, std::future::pending()));
        standing
    });
    let (tips, tip) = mpsc::channel(1);
    // Ends with the process: libgit2's handles stay on one thread.
    let state = orchestrator.state();
    std::thread::spawn(move || watch_branch(watch, &tips, &state));
    run_cycle(orchestrator, door, tip, inbound, broker, witness, ended()).await;
    drop(end);
    for server in servers {
        server.await?;
    }
    Ok(())
}

/// Beyond this machine the API is for those who have a token only.
///
/// # Errors
/// When it is to listen there, and there is no token that is good.
fn check_address(api: SocketAddr, data: &Path) -> Result<(), anyhow::Error> {
    let tokens = TokenFile::new(data).load()?.unwrap_or_default();
    let is_good = tokens.tokens.iter().any(|token| !token.has_expired(clock::now()));
    anyhow::ensure!(
        api.ip().is_loopback() || is_good,
        "the API is not served on {api} while nobody has a token\n  hint: make one first: muster token create NAME \
         --scope read --data {}",
        data.display()
    );
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, anyhow::Error> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Sends the branch's tip whenever it moved.
fn watch_branch(mut watch: BranchWatch, tips: &mpsc::Sender<git2::Oid>, state: &SharedState) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        tracing::error!("the state repository cannot be watched: no runtime");
        return;
    };
    runtime.block_on(async {
        let mut last = None;
        loop {
            match wait_for_change(&mut watch, last).await {
                Ok(tip) => {
                    last = Some(tip);
                    if let Ok(tip) = tip.to_string().parse() {
                        state.note_tip(tip);
                    }
                    if tips.send(tip).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the state repository cannot be watched");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
    });
}

/// The marks of messages whose effects were kept.
fn replay_marks(orchestrator: &Orchestrator) -> ReplayMarks {
    use crate::inbound::Stream;
    let mut marks = ReplayMarks::default();
    for host in orchestrator.state().fleet().hosts.values() {
        let key = host.key.or(host.desired.as_ref().map(|desired| desired.host.key));
        if let Some(key) = key {
            marks.raise(key, Stream::Reports, host.report_seq);
            marks.raise(key, Stream::Facts, host.facts_seq);
        }
    }
    marks
}

/// Ends when the process is asked to.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

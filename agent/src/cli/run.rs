//! `muster-agent run`: the daemon.

use super::{Options, state};
use crate::accepted::{Accepted, load_id};
use crate::breakglass::break_glass_orders;
use crate::config::Config;
use crate::converge::Converger;
use crate::cycle::{Cycle, run_cycle};
use crate::io::amqp::AmqpTransport;
use crate::io::api_socket::{bind_socket, serve_socket};
use crate::io::facts::load_facts;
use crate::io::host_keys::HostKeys;
use crate::io::http::HttpTransport;
use crate::io::memory::{release_for_ever, restrain_allocator};
use crate::io::status_file::{Identity, StatusFile, load_status};
use crate::io::token_source::load_token;
use crate::io::transport::Transport;
use crate::rest::Rest;
use crate::secrets::Secrets;
use crate::token::Token;
use crate::watch::watch_services;
use crate::worker::{Order, Shared, WorkerInput, work};
use anyhow::Context;
use muster_schema::HostId;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(super) fn run(options: Options) -> anyhow::Result<ExitCode> {
    restrain_allocator();
    begin_log();
    let config = options.settings()?.check()?;
    let _lock = state::lock(&config.state)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
    let ended = runtime.block_on(async {
        // With other keys everything begins anew: who it speaks as, what is encrypted to it, its connections.
        loop {
            match run_daemon(config.clone()).await? {
                Ended::Asked => return Ok(ExitCode::SUCCESS),
                Ended::Rekeyed => tracing::info!("the host has other keys; beginning anew with them"),
            }
        }
    });
    // A request that waits for a hint is not waited for.
    runtime.shutdown_background();
    ended
}

/// Why a run ended.
enum Ended {
    /// Somebody asked for it, or the worker is done.
    Asked,
    /// The host has other keys.
    Rekeyed,
}

async fn run_daemon(config: Config) -> anyhow::Result<Ended> {
    let key_folder = config.state.join("keys");
    let keys = Arc::new(HostKeys::load_or_make(&key_folder)?);
    let extensions = state::extensions(config.plugins.clone());
    let secrets = Arc::new(Secrets::new(keys.clone()));
    let mut managed = state::open(&config.state, &config.root, extensions.clone(), secrets.clone())?;
    managed.risk.within = config.confirm_within;
    let (store, blobs) = (managed.store.clone(), managed.blobs.clone());
    let told = load_status(&config.state).ok().and_then(|status| status.applied);
    let (in_force, manifest) = Accepted::in_force(&store, &blobs, told.as_ref())?.unzip();
    let mut resources = manifest.map(|manifest| manifest.resources).unwrap_or_default();
    secrets.keep_only(&mut resources, &blobs);
    let is_in_force = in_force.is_some();
    let shared = Arc::new(Shared::default());
    if let Some(accepted) = &in_force {
        shared.note_head(accepted.marks.issued, accepted.expires);
    }
    let converger = Converger::begin(managed, resources, config.mode, shared.judged_time())?;
    let name = claimed_name(&config)?;
    // Who is a host already needs no token, and the file may be gone.
    let token = match load_id(&store)? {
        Some(_) => None,
        None => load_token(config.token_file.as_deref())?,
    };
    let token = token.map(|secret| Token { secret, host: config.name.clone() });
    let identity = Identity { id: load_id(&store)?, name: name.clone(), key: keys.public_key().fingerprint() };
    let (orders, receiver) = std::sync::mpsc::channel();
    let input = WorkerInput {
        converger,
        applied: in_force.as_ref().map(|accepted| accepted.applied.clone()),
        manifest: in_force.as_ref().map(|accepted| accepted.manifest),
        break_glass: in_force.as_ref().and_then(|accepted| accepted.break_glass.clone()),
        retired: in_force.is_some_and(|accepted| accepted.retired),
        sweep_interval: config.sweep_interval,
        status: StatusFile::new(&config.state, identity),
    };
    let mut worker = {
        let (root, shared, orders) = (config.root.clone(), shared.clone(), orders.clone());
        tokio::task::spawn_blocking(move || work(input, &root, (orders, receiver), &shared))
    };
    let http = HttpTransport::with_tls(&config.url, config.tls.clone())?;
    let transport: Arc<dyn Transport> = match &config.bus {
        Some(bus) => Arc::new(AmqpTransport::new(bus, http, &keys)?),
        None => Arc::new(http),
    };
    let (break_glass, waiting) = break_glass_orders();
    let rest = Arc::new(Rest {
        folder: config.state.clone(),
        root: config.root.clone(),
        mode: config.mode,
        confirm_within: config.confirm_within,
        store: store.clone(),
        blobs: blobs.clone(),
        orders: orders.clone(),
        extensions: Some(extensions),
        secrets: Some(secrets.clone()),
        turns: Rest::new_turns(),
        break_glass,
    });
    let cycle = Cycle {
        transport,
        name,
        token,
        facts: load_facts().context("the facts of this host")?,
        fingerprint: config.fingerprint,
        in_force: is_in_force,
        keys,
        key_folder,
        store,
        blobs,
        secrets,
        break_glass: waiting.into(),
        rest: rest.clone(),
        orders: orders.clone(),
        shared: shared.clone(),
    };
    tracing::info!(key = %cycle.keys.public_key(), url = config.url, "begun");
    let mut terminate = signal(SignalKind::terminate()).context("signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals")?;
    let tell_worker = |services| drop(orders.send(Order::Services(services)));
    let mut end = Ended::Asked;
    tokio::select! {
        ended = &mut worker => {
            ended.context("the worker")??;
            return Ok(end);
        }
        ended = run_cycle(cycle) => {
            ended?;
            end = Ended::Rekeyed;
        }
        () = serve_api(config.api_socket.as_deref(), rest) => {}
        () = watch_services(shared.units.subscribe(), tell_worker) => {}
        () = release_for_ever() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending at the next safe point");
    shared.preempt.store(true, Ordering::Relaxed);
    let _ = orders.send(Order::Stop);
    worker.await.context("the worker")??;
    Ok(end)
}

/// Serves the agent's own API. A host where that cannot be is managed all the same.
async fn serve_api(socket: Option<&Path>, rest: Arc<Rest>) {
    match socket.map(bind_socket) {
        Some(Ok(listener)) => serve_socket(listener, rest).await,
        Some(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "the agent has no API"),
        None => {}
    }
    std::future::pending().await
}

/// The name that is set, or the host's own as far as it is a name.
fn claimed_name(config: &Config) -> anyhow::Result<HostId> {
    if let Some(name) = &config.name {
        return Ok(name.clone());
    }
    let uname = rustix::system::uname();
    let host = uname.nodename().to_string_lossy().to_lowercase();
    host.parse().context("the host's own name is no name for muster; give --name")
}

/// Logs to standard error what `MUSTER_LOG` asks for, as in `debug` or `info,muster_agent::watch=trace`.
fn begin_log() {
    let asked = std::env::var("MUSTER_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let usual = || Targets::new().with_default(LevelFilter::INFO).with_target("lapin", LevelFilter::OFF);
    let ansi = rustix::termios::isatty(std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
    tracing_subscriber::registry().with(asked.unwrap_or_else(usual)).with(lines).init();
}

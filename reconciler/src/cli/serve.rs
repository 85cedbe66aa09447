//! `muster serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use muster_schema::CommitId;
use muster_schema::head::MAX_HEAD_LIFE;

use super::say::say;
use crate::cycle::Config;
use crate::io::bus::BrokerUrl;
use crate::io::git::{RemoteUrl, StateSource};
use crate::io::signer::SignerAddress;
use crate::io::tls::{ClientFiles, ServerFiles, ServerTls};
use crate::serve::{ServeOptions, serve};
use crate::{io, keys};

/// Run the orchestrator: verify what is pushed, render, sign, publish, take reports in.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The state repository: a folder, or an address of https, ssh or file.
    #[arg(long, value_name = "PATH|URL")]
    repo: String,
    /// The watched branch.
    #[arg(long, default_value = "main")]
    branch: String,
    /// The folder of render.key, fresh.key, status and the root documents.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The folder for the published tree and what must survive a restart.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen for agents and webhooks.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// Where to listen for people: API, metrics, status page. Without it the same address where that is on loopback,
    /// else loopback at the next port: everybody who reaches it can read the fleet.
    #[arg(long, value_name = "ADDRESS")]
    api_listen: Option<SocketAddr>,
    /// The broker of agents that use one: amqp://user:password@host:port/vhost.
    #[arg(long, value_name = "URL", env = "MUSTER_BUS", hide_env_values = true)]
    bus: Option<BrokerUrl>,
    /// Certificates of those who may sign for an amqps:// broker.
    #[arg(long, value_name = "FILE", requires = "bus")]
    bus_ca: Option<PathBuf>,
    /// The certificate that is shown to the broker.
    #[arg(long, value_name = "FILE", requires_all = ["bus_ca", "bus_key"])]
    bus_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "bus_cert")]
    bus_key: Option<PathBuf>,
    /// Serve both addresses by TLS, with this certificate. It is read anew when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Certificates of those who sign for hosts: agents have to show a certificate then.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// The commit to trust where no record of a verified one is left: at the first start.
    #[arg(long, value_name = "COMMIT")]
    trust: Option<CommitId>,
    /// Time between two polls of a remote repository, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    poll: u64,
    /// How many days published heads and reports of hosts are kept: as far back 'muster attest' can look.
    #[arg(long, default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    archive_days: u64,
    /// A process that holds render and fresh keys: unix:/PATH; see 'muster signer'.
    #[arg(long, value_name = "ADDRESS")]
    signer: Option<SignerAddress>,
    /// A file whose first line opens encrypted keys.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<ExitCode, anyhow::Error> {
    super::log::start();
    let password = args.password_file.as_deref().map(io::password::load_password).transpose()?;
    let keys = keys::load_with(&args.keys, password.as_deref().map(String::as_str), args.signer.as_ref())
        .with_context(|| format!("the keys in {}", args.keys.display()))?;
    let source = source_of(&args)?;
    let config = Config {
        repository: PathBuf::new(),
        branch: args.branch,
        data: args.data,
        trust: args.trust,
        head_life: MAX_HEAD_LIFE,
        archive: Duration::from_secs(args.archive_days * 24 * 60 * 60),
    };
    let identity = args.bus_cert.zip(args.bus_key);
    let files = args.bus_ca.map(|ca| ClientFiles { ca, identity });
    let bus = args.bus.map(|bus| bus.with_tls(files)).transpose()?;
    let files = args.tls_cert.zip(args.tls_key);
    let files = files.map(|(certificate, key)| ServerFiles { certificate, key, client_ca: args.client_ca });
    let tls = files.map(ServerTls::load).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let options = ServeOptions { source, config, keys, listen: args.listen, api: args.api_listen, tls, bus };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve(options, |agents, api| {
        say!("serving on {scheme}://{agents}");
        if api != agents {
            say!("API and status page on {scheme}://{api}");
        }
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the repository is: an address holds `://`, everything else is a folder.
fn source_of(args: &Args) -> Result<StateSource, anyhow::Error> {
    if args.repo.contains("://") {
        let url: RemoteUrl = args.repo.parse()?;
        let mirror = args.data.join("mirror.git");
        return Ok(StateSource::Remote { url, mirror, poll: Duration::from_secs(args.poll) });
    }
    if let Some((host, path)) = args.repo.split_once(':').filter(|(host, _)| host.contains('@')) {
        anyhow::bail!("'{}' is no address that muster takes; write ssh://{host}/{path}", args.repo);
    }
    Ok(StateSource::Local { path: Path::new(&args.repo).to_owned() })
}

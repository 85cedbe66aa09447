//! `muster broker setup`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use muster_schema::FleetName;
use muster_schema::bus::{BrokerUser, hash_password};
use ssh_key::PublicKey;

use crate::broker::{
    Changes, Definitions, HostLogin, ServerConfig, host_logins, plan_changes, render_definitions, render_server_config,
};
use crate::cli::exit::{DIFFERS, DONE};
use crate::cli::say::say;
use crate::cli::state_clone::block_on;
use crate::io::broker::{BrokerControl, SetupFolder};
use crate::io::clock;
use crate::io::git::load_status_tree;
use crate::status::{fleet_name, load_status};

const DEFINITIONS: &str = "definitions.json";
const SERVER_CONFIG: &str = "rabbitmq.conf";
const PLUGINS: &str = "enabled_plugins";
/// What RabbitMQ makes at its first start.
const GUEST: &str = "guest";

/// Give the orchestrator, and every enrolled host, a user of the broker that may do what it needs and nothing else.
///
/// Which hosts there are is read from the status branch, as the orchestrator verified and signed it. Of the hosts'
/// passwords only hashes are known, which the hosts made: run this again when hosts were enrolled or have left.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The state repository, or a clone of it with its status branch.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// The status key: status.pub of the keys folder.
    #[arg(long, value_name = "FILE")]
    status_key: PathBuf,
    /// The fleet, where there is no status branch yet: makes the users of the orchestrator and of enrolment.
    #[arg(long, value_name = "NAME")]
    fleet: Option<FleetName>,
    /// The folder for passwords and for the broker's files; keep it between runs, on the orchestrator's machine.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The broker, as orchestrator and hosts reach it; its certificate is to hold this name.
    #[arg(long, value_name = "HOST")]
    broker: String,
    /// The broker's port of AMQP over TLS.
    #[arg(long, default_value_t = 5671)]
    port: u16,
    /// The virtual host; the fleet's name unless given.
    #[arg(long, value_name = "NAME")]
    vhost: Option<String>,
    /// The folder of ca.pem, cert.pem and key.pem on the broker's machine.
    #[arg(long, default_value = "/etc/rabbitmq/tls", value_name = "DIR")]
    tls_folder: String,
    /// Bring the broker of this machine to it, by rabbitmqctl.
    #[arg(long)]
    apply: bool,
    /// Show what --apply would change; exit code 1 where that is something.
    #[arg(long, conflicts_with = "apply")]
    check: bool,
    /// The broker's node, as in rabbitmqctl -n.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// The program rabbitmqctl.
    #[arg(long, default_value = "rabbitmqctl", value_name = "PROGRAM")]
    rabbitmqctl: OsString,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let (fleet, hosts) = load_hosts(args)?;
    let vhost = args.vhost.as_deref().unwrap_or(fleet.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    ensure!(!vhost.is_empty() && vhost.chars().all(plain), "a virtual host is named by letters, digits, '-', '.', '_'");
    ensure!(!args.broker.is_empty() && args.broker.chars().all(plain), "--broker is a host's name or IPv4 address");
    let folder = SetupFolder::open(&args.out)?;
    let orchestrator = folder.password("orchestrator.password")?;
    let enrolment = folder.password("enrolment.password")?;
    let url = |user: BrokerUser, password: &str| {
        format!("amqps://{}:{password}@{}:{}/{vhost}\n", user.name(&fleet), args.broker, args.port)
    };
    folder.write("orchestrator.url", url(BrokerUser::Orchestrator, &orchestrator).as_bytes())?;
    folder.write("enrolment.url", url(BrokerUser::Enrolment, &enrolment).as_bytes())?;
    let (orchestrator, enrolment) = (hash_password(&orchestrator), hash_password(&enrolment));
    let wanted = render_definitions(&fleet, vhost, &orchestrator, &enrolment, &hosts);
    write_server_files(args, &fleet, &folder, &wanted)?;
    if args.apply || args.check {
        return bring_to(args, &fleet, &wanted);
    }
    say!("users for {} hosts of {fleet} are written to {}", hosts.len(), args.out.display());
    say!("on the broker's machine, when RabbitMQ runs there:");
    say!("  rabbitmqctl import_definitions {DEFINITIONS}");
    say!("or with this folder, repository and status key there: --apply, which also removes users of hosts that left");
    say!("the server's settings are {SERVER_CONFIG} and {PLUGINS}: put them into /etc/rabbitmq and restart it");
    say!("muster serve takes the address in orchestrator.url (MUSTER_BUS), agents the one in enrolment.url (bus)");
    Ok(ExitCode::SUCCESS)
}

/// Who is to have a user, by the status branch.
fn load_hosts(args: &Args) -> Result<(FleetName, Vec<HostLogin>), anyhow::Error> {
    let key = PublicKey::read_openssh_file(&args.status_key)
        .with_context(|| format!("the status key {}", args.status_key.display()))?;
    let Some(tree) = load_status_tree(&args.repo, &key)? else {
        let repo = args.repo.display();
        let fleet = args.fleet.clone().with_context(|| {
            format!("{repo} has no status branch that this key signed\n  hint: git fetch origin, or for a new fleet: --fleet NAME")
        })?;
        return Ok((fleet, Vec::new()));
    };
    let fleet = fleet_name(&tree.files).context("the status branch names no fleet")?;
    if let Some(named) = args.fleet.as_ref().filter(|named| **named != fleet) {
        bail!("the status branch is of the fleet {fleet}, not of {named}");
    }
    let loaded = load_status(&fleet, &tree.files, clock::now());
    for (path, error) in &loaded.refused {
        eprintln!("{path} of the status branch does not count: {error}");
    }
    // A host whose file cannot be read must not lose its user for that.
    ensure!(loaded.is_whole_but_facts(), "nothing is set up from a status branch that cannot be read as a whole");
    let (hosts, without) = host_logins(&loaded.fleet)?;
    for host in without {
        eprintln!("{host} proved its keys to an older version, and has no password at the broker: enrol it anew");
    }
    Ok((fleet, hosts))
}

fn write_server_files(
    args: &Args,
    fleet: &FleetName,
    folder: &SetupFolder,
    wanted: &Definitions,
) -> Result<(), anyhow::Error> {
    let config = ServerConfig { port: args.port, tls_folder: args.tls_folder.trim_end_matches('/').to_owned() };
    folder.write(DEFINITIONS, &serde_json::to_vec_pretty(wanted)?)?;
    folder.write(SERVER_CONFIG, render_server_config(fleet, &config).as_bytes())?;
    folder.write(PLUGINS, b"[].\n")?;
    Ok(())
}

fn bring_to(args: &Args, fleet: &FleetName, wanted: &Definitions) -> Result<ExitCode, anyhow::Error> {
    let control = BrokerControl { program: args.rabbitmqctl.clone(), node: args.node.clone() };
    let current = block_on(control.export())??;
    let changes = plan_changes(&current, wanted, &BrokerUser::tag(fleet))?;
    tell(&changes);
    if args.apply && !changes.is_empty() {
        block_on(control.apply(&changes))??;
        let current = block_on(control.export())??;
        let left = plan_changes(&current, wanted, &BrokerUser::tag(fleet))?;
        ensure!(left.is_empty(), "the broker did not take all of it: {left:?}");
    }
    if current.users.iter().any(|user| user.name == GUEST) {
        eprintln!("the user '{GUEST}' is there still\n  hint: rabbitmqctl delete_user {GUEST}");
    }
    Ok(ExitCode::from(if args.check && !changes.is_empty() { DIFFERS } else { DONE }))
}

fn tell(changes: &Changes) {
    if changes.is_empty() {
        say!("nothing to change");
    }
    for user in changes.gone() {
        say!("- user {user}");
    }
    for user in &changes.import.users {
        say!("{} user {}", if changes.remove.contains(&user.name) { "±" } else { "+" }, user.name);
    }
    let import = &changes.import;
    let rights = import.permissions.len() + import.topic_permissions.len();
    for (count, what) in [(rights, "rights"), (import.policies.len(), "policies"), (import.vhosts.len(), "vhosts")] {
        if count > 0 {
            say!("+ {count} {what}");
        }
    }
}

//! A RabbitMQ node of the test's own.
//!
//! It shares nothing with the system's broker: own node name, ports, epmd on its own port, cookie, home,
//! data and log folders. It runs as the test's user, listens where the test says, and ends by its handles.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::port::free_ports;
use crate::process::{Process, command, tail};
use crate::wait::wait_until;

/// Debian's start script without the wrapper that changes to the system's user.
pub const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// rabbitmqctl without the wrapper that changes to the system's user.
pub const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const USER: &str = "muster";
const PASSWORD: &str = "muster";
const VHOST: &str = "muster";
/// A cold start takes 3 s alone on two cores, much more beside a build.
const READY: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(30);

/// One RabbitMQ node with one user that may do everything in one vhost.
#[derive(Debug)]
pub struct Broker {
    address: IpAddr,
    port: u16,
    is_tls: bool,
    dist_port: u16,
    epmd_port: u16,
    // Processes stand before the folder: they end before it is removed.
    server: Option<Process>,
    epmd: Option<Process>,
    folder: TempDir,
}

impl Broker {
    /// Starts a node on loopback and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started or is not ready in time; the message ends with its log.
    pub fn start() -> Result<Self> {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Starts a node whose AMQP port is at `address`; everything else stays on loopback.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn start_on(address: IpAddr) -> Result<Self> {
        Self::start_with(address, &[], "")
    }

    /// Starts a node with these plug-ins and further lines of its configuration.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn start_with(address: IpAddr, plugins: &[&str], config: &str) -> Result<Self> {
        let [port] = free_ports(address)?;
        let config = format!(
            "{config}listeners.tcp.1 = {}\n\
             default_vhost = {VHOST}\n\
             default_user = {USER}\n\
             default_pass = {PASSWORD}\n\
             loopback_users = none\n",
            SocketAddr::new(address, port)
        );
        Self::start_configured(SocketAddr::new(address, port), plugins, &config)
    }

    /// Starts a node with this configuration, which has it listen at `socket`.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn start_configured(socket: SocketAddr, plugins: &[&str], config: &str) -> Result<Self> {
        let (address, port) = (socket.ip(), socket.port());
        let is_tls = config.contains("listeners.ssl");
        let [dist_port, epmd_port] = free_ports(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let folder = tempfile::Builder::new().prefix("muster-broker-").tempdir()?;
        let broker = Self { address, port, is_tls, dist_port, epmd_port, server: None, epmd: None, folder };
        broker.write_config(plugins, config)?;
        let mut broker = broker;
        broker.resume()?;
        Ok(broker)
    }

    /// `amqp://user:password@address:port/vhost`
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(USER, PASSWORD, VHOST)
    }

    /// Has it take these definitions, as `rabbitmqctl import_definitions` reads them.
    ///
    /// # Errors
    /// When rabbitmqctl refuses.
    pub fn import(&self, definitions: &[u8]) -> Result<()> {
        let file = self.path("definitions.json");
        fs::write(&file, definitions)?;
        self.control(&["import_definitions", "--format", "json", &file.to_string_lossy()]).map(drop)
    }

    /// `amqp://user:password@address:port/vhost` of another user.
    #[must_use]
    pub fn url_of(&self, user: &str, password: &str, vhost: &str) -> String {
        format!("amqp://{user}:{password}@{}/{vhost}", self.socket())
    }

    /// Makes a command find this node, as its administrator on this machine.
    pub fn administer(&self, command: Command) -> Command {
        self.prepare(command)
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// The folder with its configuration, data and logs; gone when the broker is dropped.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the node as an operator would; its data stays for [`Broker::resume`].
    ///
    /// # Errors
    /// When a process cannot be waited for.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            server.stop(STOP)?;
        }
        if let Some(mut epmd) = self.epmd.take() {
            epmd.kill()?;
        }
        Ok(())
    }

    /// Starts a stopped node again, on the same ports and data, and waits until it answers.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn resume(&mut self) -> Result<()> {
        self.stop()?;
        let mut epmd = self.prepare(command("epmd"));
        epmd.args(["-port", &self.epmd_port.to_string(), "-address", "127.0.0.1"]);
        self.epmd = Some(Process::start("epmd", epmd, &self.path("epmd.out"))?);

        // With this many agents the default limit of a login would end at some 800 connections.
        let raise = "ulimit -n 65536 2>/dev/null || ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";
        let mut server = self.prepare(command("sh"));
        server.args(["-c", raise, "sh", SERVER, "-noinput"]);
        self.server = Some(Process::start("rabbitmq", server, &self.path("server.out"))?);

        let (socket, is_tls) = (self.socket(), self.is_tls);
        let server = self.server.as_mut().context("just started")?;
        let mut ended = false;
        wait_until("the broker to answer", READY, || {
            ended = !server.is_running();
            ended || if is_tls { TcpStream::connect(socket).is_ok() } else { answers(socket) }
        })
        .with_context(|| tail(&server.output()))?;
        ensure!(!ended, "the broker ended at start:\n{}", tail(&server.output()));
        Ok(())
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.resume()
    }

    /// Runs `rabbitmqctl` against this node, in its vhost where the subcommand takes one by `-p`.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub fn control(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.prepare(command(CONTROL)).args(["-q", "-n", &self.node()]).args(arguments).output()?;
        ensure!(output.status.success(), "rabbitmqctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }

    /// Its node, as in `rabbitmqctl -n`.
    #[must_use]
    pub fn node(&self) -> String {
        format!("muster-{}@localhost", self.port)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything that would else come from the system or the user who runs the tests.
    fn prepare(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RABBITMQ_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.folder.path())
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", self.node())
            .env("RABBITMQ_DIST_PORT", self.dist_port.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", self.path("env.conf"))
            .env("RABBITMQ_CONFIG_FILE", self.path("rabbitmq"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", self.path("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("plugins"))
            .env("RABBITMQ_MNESIA_BASE", self.path("data"))
            .env("RABBITMQ_LOG_BASE", self.path("log"))
            .env("RABBITMQ_PID_FILE", self.path("pid"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}")
            // The script then becomes the server instead of waiting for it: one process, one handle.
            .env("RABBITMQ_ALLOW_INPUT", "1");
        command
    }

    fn write_config(&self, plugins: &[&str], config: &str) -> Result<()> {
        let config = format!("{config}log.console = true\nlog.file = false\n");
        fs::write(self.path("rabbitmq.conf"), config)?;
        fs::write(self.path("env.conf"), "")?;
        fs::write(self.path("plugins"), format!("[{}].\n", plugins.join(",")))?;
        let cookie = self.path(".erlang.cookie");
        fs::write(&cookie, format!("MUSTERTEST{}", self.epmd_port))?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // No grace: whoever drops it no longer needs its data.
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
        }
        self.epmd = None;
    }
}

/// Whether an AMQP 0.9.1 server greets there: it answers the protocol header with a method frame (type 1).
fn answers(socket: SocketAddr) -> bool {
    let greet = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&socket, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        let mut first = [0];
        stream.read_exact(&mut first)?;
        Ok(first == [1])
    };
    greet().unwrap_or(false)
}

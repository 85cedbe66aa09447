//! How the agent is set up: a file, and options that win over it.

use crate::apply::CONFIRM_WITHIN;
use crate::extension::plugin::PLUGINS;
use crate::io::tls::TlsFiles;
use muster_schema::resource::Enforcement;
use muster_schema::{HostId, Sha256Digest};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the file is looked for where nothing is said.
pub const DEFAULT_CONFIG: &str = "/etc/muster/agent.yaml";
const DEFAULT_STATE: &str = "/var/lib/muster-agent";
const DEFAULT_API: &str = "/run/muster-agent/api.sock";
/// In the agent's own folder, where it manages a tree and not the host.
const API_IN_STATE: &str = "api.sock";
const NO_API: &str = "off";
const DEFAULT_SWEEP: Duration = Duration::from_secs(300);
const SHORTEST_SWEEP: Duration = Duration::from_millis(1);

/// What can be set, by file or option.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The orchestrator's address: `https://muster.example:8443`.
    pub url: Option<String>,
    /// SHA-256 of the first root document; `muster enrol-command` prints it.
    pub root_fingerprint: Option<String>,
    /// The broker's address: `amqp://user:password@broker/vhost`.
    pub bus: Option<String>,
    /// Certificates of those who may sign for the orchestrator and the broker.
    pub ca: Option<PathBuf>,
    /// The certificate that the host shows in TLS.
    pub client_cert: Option<PathBuf>,
    /// Its key.
    pub client_key: Option<PathBuf>,
    /// The tree to manage instead of the whole host.
    pub root: Option<PathBuf>,
    /// The agent's own folder.
    pub state: Option<PathBuf>,
    /// The name that the host would like; its host name where nothing is said.
    pub name: Option<String>,
    /// The file with the enrolment token of a new host; `-`: standard input.
    pub token_file: Option<PathBuf>,
    /// Time between full sweeps: `300s`, `5m`, `500ms`.
    pub sweep_interval: Option<String>,
    /// What is done about differences where a resource does not say.
    pub mode: Option<Enforcement>,
    /// How soon the orchestrator is to be reached after a risky change: `120s`, `5m`, or `off`.
    pub confirm_within: Option<String>,
    /// Where the agent's own API is: a path, or `off`.
    pub api_socket: Option<PathBuf>,
    /// The folder of plug-ins.
    pub plugins: Option<PathBuf>,
}

/// What is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The orchestrator's address.
    pub url: String,
    /// The pinned root.
    pub fingerprint: Sha256Digest,
    /// The broker's address, if there is one.
    pub bus: Option<String>,
    /// Whom to trust in TLS, and what to show.
    pub tls: TlsFiles,
    /// The tree to manage.
    pub root: PathBuf,
    /// The agent's own folder.
    pub state: PathBuf,
    /// The name that the host would like, if it is set.
    pub name: Option<HostId>,
    /// The file with the enrolment token of a new host, if there is one.
    pub token_file: Option<PathBuf>,
    /// Time between full sweeps.
    pub sweep_interval: Duration,
    /// What is done about differences where a resource does not say.
    pub mode: Enforcement,
    /// How soon the orchestrator is to be reached after a risky change, where that matters.
    pub confirm_within: Option<Duration>,
    /// Where the agent's own API is, if it is anywhere.
    pub api_socket: Option<PathBuf>,
    /// The folder of plug-ins.
    pub plugins: PathBuf,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Something must be set and is not.
    #[error("{0} is not set; give the option --{0}, or set it in {DEFAULT_CONFIG}")]
    Missing(&'static str),
    /// A value cannot be used.
    #[error("{name}: {reason}")]
    Bad {
        /// The setting.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// The file is no settings file.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Where and why.
        reason: String,
    },
}

impl Settings {
    /// Reads the text of a settings file; `path` is for messages.
    ///
    /// # Errors
    /// When it is no YAML of the known settings.
    pub fn load(text: &str, path: &str) -> Result<Settings, ConfigError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Settings::default());
        }
        serde_saphyr::from_str(text)
            .map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() })
    }

    /// These settings, and `other`'s where these say nothing.
    pub fn or(self, other: Settings) -> Settings {
        Settings {
            url: self.url.or(other.url),
            root_fingerprint: self.root_fingerprint.or(other.root_fingerprint),
            bus: self.bus.or(other.bus),
            ca: self.ca.or(other.ca),
            client_cert: self.client_cert.or(other.client_cert),
            client_key: self.client_key.or(other.client_key),
            root: self.root.or(other.root),
            state: self.state.or(other.state),
            name: self.name.or(other.name),
            token_file: self.token_file.or(other.token_file),
            sweep_interval: self.sweep_interval.or(other.sweep_interval),
            mode: self.mode.or(other.mode),
            confirm_within: self.confirm_within.or(other.confirm_within),
            api_socket: self.api_socket.or(other.api_socket),
            plugins: self.plugins.or(other.plugins),
        }
    }

    /// The agent's own folder.
    pub fn state_folder(&self) -> PathBuf {
        absolute(self.state.as_deref().unwrap_or(Path::new(DEFAULT_STATE)))
    }

    /// The tree to manage.
    pub fn root_folder(&self) -> PathBuf {
        absolute(self.root.as_deref().unwrap_or(Path::new("/")))
    }

    /// The folder of plug-ins.
    pub fn plugins_folder(&self) -> PathBuf {
        absolute(self.plugins.as_deref().unwrap_or(Path::new(PLUGINS)))
    }

    /// Checks that all is there and makes sense.
    ///
    /// # Errors
    /// Naming the first setting that is missing or wrong.
    pub fn check(&self) -> Result<Config, ConfigError> {
        let bad = |name, reason: String| ConfigError::Bad { name, reason };
        let fingerprint = self.root_fingerprint.as_ref().ok_or(ConfigError::Missing("root-fingerprint"))?;
        let name = self.name.as_ref().map(|name| name.parse()).transpose();
        Ok(Config {
            url: self.url.clone().ok_or(ConfigError::Missing("url"))?,
            fingerprint: fingerprint
                .parse()
                .map_err(|error: muster_schema::digest::BadDigest| bad("root-fingerprint", error.to_string()))?,
            bus: self.bus.clone(),
            tls: self.tls()?,
            root: self.root_folder(),
            state: self.state_folder(),
            name: name.map_err(|error: muster_schema::name::BadName| bad("name", error.to_string()))?,
            token_file: self.token_file.clone(),
            sweep_interval: match &self.sweep_interval {
                Some(text) => parse_duration(text)
                    .ok_or_else(|| bad("sweep-interval", format!("{text:?} is no time such as 300s, 5m or 500ms")))?,
                None => DEFAULT_SWEEP,
            },
            mode: self.mode.unwrap_or_default(),
            confirm_within: self.confirm_within()?,
            api_socket: self.api_socket(),
            plugins: self.plugins_folder(),
        })
    }

    /// The files for TLS. Where they are set, something is to go by TLS.
    fn tls(&self) -> Result<TlsFiles, ConfigError> {
        let bad = |name, reason: &str| ConfigError::Bad { name, reason: reason.to_owned() };
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => return Err(bad("client-cert", "a certificate and its key go together; set client-key too")),
        };
        let files = TlsFiles { ca: self.ca.clone(), identity };
        let is_tls = |address: &Option<String>, scheme| address.as_ref().is_some_and(|url| url.starts_with(scheme));
        if files != TlsFiles::default() && !is_tls(&self.url, "https:") && !is_tls(&self.bus, "amqps:") {
            return Err(bad("ca", "it is set, and neither url is https:// nor bus amqps://: nothing would go by TLS"));
        }
        Ok(files)
    }

    /// How soon the orchestrator is to be reached after a risky change, where that matters.
    ///
    /// # Errors
    /// When it is no time.
    pub fn confirm_within(&self) -> Result<Option<Duration>, ConfigError> {
        match self.confirm_within.as_deref() {
            None => Ok(Some(CONFIRM_WITHIN)),
            Some("off") => Ok(None),
            Some(text) => parse_duration(text).map(Some).ok_or_else(|| ConfigError::Bad {
                name: "confirm-within",
                reason: format!("{text:?} is no time such as 120s, and not off"),
            }),
        }
    }

    fn api_socket(&self) -> Option<PathBuf> {
        match &self.api_socket {
            Some(path) if path.as_os_str() == NO_API => None,
            Some(path) => Some(absolute(path)),
            None if self.root_folder() == Path::new("/") => Some(PathBuf::from(DEFAULT_API)),
            None => Some(self.state_folder().join(API_IN_STATE)),
        }
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    Some(duration.max(SHORTEST_SWEEP))
}

/// The whole path: events name whole paths, whatever was typed.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

//! Asking systemd.

#![allow(clippy::disallowed_methods)]

use super::job;
use super::private::pump;
use super::{FileState, SystemdError, UnitName, UnitState};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use zbus::connection::Builder;
use zbus::{Connection, MessageStream};
use zbus::{OwnedObjectPath, OwnedVariant, Type};

const PRIVATE_SOCKET: &str = "/run/systemd/private";
const BOOTED: &str = "/run/systemd/system";
pub(super) const DESTINATION: &str = "org.freedesktop.systemd1";
pub(super) const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
pub(super) const MANAGER: &str = "org.freedesktop.systemd1.Manager";
pub(super) const UNIT: &str = "org.freedesktop.systemd1.Unit";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// How long an answer may take. A reload of all units is the longest.
const ANSWER: Duration = Duration::from_secs(90);

/// Between two looks at a unit that is on its way to another state.
const PASSING: Duration = Duration::from_millis(50);

/// So many signals may wait while an answer is waited for. The library takes nothing in while its queue is full.
const QUEUE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// `ListUnitsByNames`: name, description, load, active and sub state, followed unit, object path, job.
pub(super) type ListedUnit =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// A connection to systemd. Not to be used from asynchronous code.
pub struct Systemd {
    runtime: Runtime,
    connection: Connection,
}

/// Opens the connection: systemd's own socket, or else the system bus.
pub(super) async fn connect() -> Result<Connection, SystemdError> {
    if !Path::new(BOOTED).exists() {
        return Err(SystemdError::NotHere);
    }
    let builder = match UnixStream::connect(PRIVATE_SOCKET).await {
        Ok(systemd) => {
            let (library, ours) = std::os::unix::net::UnixStream::pair().map_err(SystemdError::Socket)?;
            ours.set_nonblocking(true).map_err(SystemdError::Socket)?;
            tokio::spawn(pump(systemd, UnixStream::from_std(ours).map_err(SystemdError::Socket)?));
            Builder::unix_stream(library).p2p()
        }
        Err(_) => Builder::system(),
    };
    Ok(builder.method_timeout(ANSWER).max_queued(QUEUE).build().await?)
}

/// Asks systemd to tell what happens to units and jobs.
pub(super) async fn listen(connection: &Connection) -> Result<MessageStream, SystemdError> {
    let messages = MessageStream::from(connection);
    if connection.is_bus() {
        let rule = "type='signal',sender='org.freedesktop.systemd1'";
        let bus = "org.freedesktop.DBus";
        connection.call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), "AddMatch", &(rule,)).await?;
    }
    connection.call_method(Some(DESTINATION), MANAGER_PATH, Some(MANAGER), "Subscribe", &()).await?;
    Ok(messages)
}

/// Asks the manager itself, and reads the answer.
pub(super) async fn call<T: DeserializeOwned + Type>(
    connection: &Connection,
    interface: &str,
    method: &str,
    arguments: &(impl serde::Serialize + Type),
) -> Result<T, SystemdError> {
    let call = connection.call_method(Some(DESTINATION), MANAGER_PATH, Some(interface), method, arguments);
    Ok(call.await?.body().deserialize()?)
}

impl Systemd {
    /// Connects.
    ///
    /// # Errors
    /// When systemd does not run here or does not answer.
    pub fn connect() -> Result<Systemd, SystemdError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(SystemdError::Runtime)?;
        let connection = runtime.block_on(connect())?;
        Ok(Systemd { runtime, connection })
    }

    /// The states of units, in their order: two questions, however many they are.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn load_units(&self, names: &[UnitName]) -> Result<Vec<UnitState>, SystemdError> {
        let asked: Vec<&str> = names.iter().map(UnitName::as_str).collect();
        let listed: Vec<ListedUnit> = self.ask("ListUnitsByNames", &(&asked,))?;
        // A unit that was asked for by an alias answers by its own name, which has the file.
        let ids: Vec<&str> = listed.iter().map(|unit| unit.0.as_str()).collect();
        let files = self.load_files(&ids)?;
        let state = |unit: &ListedUnit| {
            let (id, _, load, active, sub, _, _, job, ..) = unit.clone();
            let file = match files.get(&id) {
                Some(word) => Some(FileState::of(word)),
                None if load == "loaded" => self.file_state(&id),
                None => None,
            };
            UnitState { id, load, active, sub, job: job != 0, file }
        };
        Ok(listed.iter().map(state).collect())
    }

    /// The state of one unit.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn load_unit(&self, name: &UnitName) -> Result<UnitState, SystemdError> {
        let found = self.load_units(std::slice::from_ref(name))?.pop();
        found.ok_or_else(|| SystemdError::Refused(format!("no answer about {name}")))
    }

    /// The state of a unit when it rests, or when `limit` is over.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn await_rest(&self, name: &UnitName, limit: Duration) -> Result<UnitState, SystemdError> {
        let begun = Instant::now();
        loop {
            let unit = self.load_unit(name)?;
            if !unit.is_passing() || begun.elapsed() >= limit {
                return Ok(unit);
            }
            std::thread::sleep(PASSING);
        }
    }

    /// Starts, stops, restarts or reloads a unit, and waits until that is done.
    ///
    /// # Errors
    /// When the job fails or takes longer than `limit`.
    pub fn run_job(&self, verb: job::Verb, unit: &str, limit: Duration) -> Result<(), SystemdError> {
        self.reload_if_needed(unit)?;
        self.runtime.block_on(job::run(&self.connection, verb, unit, limit))
    }

    /// Lets a unit start at boot, once systemd has read its files anew ([`Systemd::reload`]).
    ///
    /// # Errors
    /// When systemd refuses; that the unit has nothing to enable is one.
    pub fn enable(&self, unit: &str) -> Result<(), SystemdError> {
        type Change = (String, String, String);
        let (installable, changes): (bool, Vec<Change>) = self.ask("EnableUnitFiles", &(&[unit][..], false, false))?;
        if !installable && changes.is_empty() {
            return Err(SystemdError::Refused(format!("{unit} has no [Install] section, and cannot be enabled")));
        }
        Ok(())
    }

    /// Lets a unit no longer start at boot, once systemd has read its files anew ([`Systemd::reload`]).
    ///
    /// # Errors
    /// When systemd refuses.
    pub fn disable(&self, unit: &str) -> Result<(), SystemdError> {
        for runtime in [false, true] {
            self.tell("DisableUnitFiles", &(&[unit][..], runtime))?;
        }
        Ok(())
    }

    /// Makes starting a unit impossible, once systemd has read its files anew ([`Systemd::reload`]).
    ///
    /// # Errors
    /// When systemd refuses.
    pub fn mask(&self, unit: &str) -> Result<(), SystemdError> {
        self.tell("MaskUnitFiles", &(&[unit][..], false, false))
    }

    /// Makes starting a unit possible again, once systemd has read its files anew ([`Systemd::reload`]).
    ///
    /// # Errors
    /// When systemd refuses.
    pub fn unmask(&self, unit: &str) -> Result<(), SystemdError> {
        for runtime in [false, true] {
            self.tell("UnmaskUnitFiles", &(&[unit][..], runtime))?;
        }
        Ok(())
    }

    /// Why a unit is as it is, in systemd's words: how its last run ended.
    pub fn reason(&self, unit: &str) -> String {
        let service = "org.freedesktop.systemd1.Service";
        let result: Option<String> = self.property(unit, service, "Result");
        let code: Option<i32> = self.property(unit, service, "ExecMainStatus");
        match (result, code) {
            (Some(result), Some(code)) => format!("{result}, code {code}"),
            (Some(result), None) => result,
            _ => "unknown".to_owned(),
        }
    }

    /// Forgets that a unit failed. One that did not is as it was.
    pub fn forget_failure(&self, unit: &str) {
        // systemd says so where it knows no such unit any more.
        let _ = self.tell("ResetFailedUnit", &(unit,));
    }

    /// Lets systemd read its files anew.
    ///
    /// # Errors
    /// When it cannot.
    pub fn reload(&self) -> Result<(), SystemdError> {
        self.tell("Reload", &())
    }

    /// Lets systemd read its files anew where those of this unit have changed.
    ///
    /// # Errors
    /// When it cannot.
    pub fn reload_if_needed(&self, unit: &str) -> Result<(), SystemdError> {
        if self.property(unit, UNIT, "NeedDaemonReload") == Some(true) { self.reload() } else { Ok(()) }
    }

    /// The words for installed files, by name. Files that only exist as instances are not listed.
    fn load_files(&self, ids: &[&str]) -> Result<HashMap<String, String>, SystemdError> {
        let patterns: Vec<String> =
            ids.iter().filter_map(|id| UnitName::new(id).ok()).map(|name| name.pattern()).collect();
        let none: &[&str] = &[];
        let listed: Vec<(String, String)> = self.ask("ListUnitFilesByPatterns", &(none, &patterns))?;
        let by_name = |(path, word): (String, String)| {
            let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name).to_owned();
            (name, word)
        };
        Ok(listed.into_iter().map(by_name).collect())
    }

    fn file_state(&self, unit: &str) -> Option<FileState> {
        let word: String = self.ask("GetUnitFileState", &(unit,)).ok()?;
        Some(FileState::of(&word))
    }

    fn property<T: TryFrom<OwnedVariant>>(&self, unit: &str, interface: &str, name: &str) -> Option<T> {
        let path: OwnedObjectPath = self.ask("LoadUnit", &(unit,)).ok()?;
        let value: OwnedVariant = self.call(path.as_str(), PROPERTIES, "Get", &(interface, name)).ok()?;
        T::try_from(value).ok()
    }

    fn tell(&self, method: &str, arguments: &(impl serde::Serialize + Type)) -> Result<(), SystemdError> {
        let call = self.connection.call_method(Some(DESTINATION), MANAGER_PATH, Some(MANAGER), method, arguments);
        self.runtime.block_on(call)?;
        Ok(())
    }

    pub(super) fn ask<T: DeserializeOwned + Type>(
        &self,
        method: &str,
        arguments: &(impl serde::Serialize + Type),
    ) -> Result<T, SystemdError> {
        self.call(MANAGER_PATH, MANAGER, method, arguments)
    }

    fn call<T: DeserializeOwned + Type>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &(impl serde::Serialize + Type),
    ) -> Result<T, SystemdError> {
        let call = self.connection.call_method(Some(DESTINATION), path, Some(interface), method, arguments);
        let reply = self.runtime.block_on(call)?;
        Ok(reply.body().deserialize()?)
    }
}

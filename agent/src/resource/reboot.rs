//! Reboots. That one is owed is a note with the id of the boot under which it is: another boot settles it, so that it is
//! never made twice. `reboot` is `owed` or `none`; `waits` says why an owed one is not made yet.

use super::system_text::{load_text, system_path};
use super::{Change, Hands, Reaction, ResourceError, ResourceType, State, Value, View, Wanted, check_sense};
use crate::host::{HostRead, Program, Reader, Scope};
use crate::io::clock;
use muster_schema::resource::{Existence, RebootSpec};
use muster_schema::{Address, Collection, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;
mod window;

const REBOOT: &str = "reboot";
const WAITS: &str = "waits";
const OWED: &str = "owed";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const UPTIME: &str = "/proc/uptime";
const REQUIRED: [&str; 2] = ["/run/reboot-required", "/var/run/reboot-required"];
/// After a boot so many seconds are to pass before the host's own word leads to another one.
const SETTLING_SECONDS: u64 = 600;
/// A reboot that was asked for and is not made so long after its time is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(600);
const ZONES: &str = "/usr/share/zoneinfo";
/// It takes a second to answer, and says the same until packages change.
const NEEDS_RESTARTING: &str = "/usr/bin/needs-restarting";
const NEEDS_RESTARTING_REST: Duration = Duration::from_secs(600);

static LAST_ANSWER: Mutex<Option<(Instant, bool)>> = Mutex::new(None);

/// Kept before the reboot is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    /// The boot under which it is owed.
    boot: String,
    /// When the host was told to reboot.
    asked: Option<Timestamp>,
}

impl ResourceType for RebootSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::default();
        }
        Wanted::default().with(REBOOT, Some("done"))
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let host = view.host();
        let boot = boot_id(view.reader().as_mut())?;
        let note = load_note(host)?.filter(|note| note.boot == boot);
        let noted = note.is_some();
        if !(noted || (self.needed == Some(true) && says_needed(view)?)) {
            return Ok(State::present([(REBOOT, "none".into())]));
        }
        let mut state = vec![(REBOOT, Value::from(OWED))];
        state.extend(why_it_waits(self, note.as_ref(), view)?.map(|why| (WAITS, why.into())));
        Ok(State::present(state))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        // What leaves is to be as it was found, which is never a reboot.
        let asked = wanted.state.get(REBOOT).and_then(Value::text) == Some("done");
        if !asked || observed.get(REBOOT).and_then(Value::text) != Some(OWED) {
            return Ok(None);
        }
        match observed.get(WAITS).and_then(Value::text) {
            Some(why) => Err(ResourceError::Waits(why.to_owned())),
            None => Ok(Some(Change { before: observed.clone(), after: wanted.state.clone() })),
        }
    }

    fn apply(&self, id: &str, _: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        check_spec(self)?;
        let boot = boot_id(hands.host.reader().as_mut())?;
        save_note(id, &Note { boot: boot.clone(), asked: None }, hands)?;
        let delay = self.delay.unwrap_or(0);
        let when = if delay == 0 { "now".to_owned() } else { format!("+{delay}") };
        let message = self.message.clone().unwrap_or_else(|| "muster: a change needs a reboot".to_owned());
        hands.run(&Program::new(["shutdown".to_owned(), "-r".to_owned(), when, message]))?;
        save_note(id, &Note { boot, asked: Some(clock::now()) }, hands)?;
        tracing::info!(delay, "the host was told to reboot");
        Err(ResourceError::Waits(asked_words(delay)))
    }

    /// It is owed from now on. The next look at it asks for it, or waits.
    fn react(&self, id: &str, _: Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let boot = boot_id(hands.host.reader().as_mut())?;
        let known = load_note(hands.host.as_read())?.filter(|note| note.boot == boot);
        if known.is_none() {
            save_note(id, &Note { boot, asked: None }, hands)?;
        }
        Err(ResourceError::Waits("a reboot is owed".to_owned()))
    }

    fn is_polled(&self) -> bool {
        true
    }
}

/// Why a reboot that is owed is not made yet.
fn why_it_waits(spec: &RebootSpec, note: Option<&Note>, view: &View<'_>) -> Result<Option<String>, ResourceError> {
    let now = clock::now();
    let delay = spec.delay.unwrap_or(0);
    if let Some(asked) = note.and_then(|note| note.asked) {
        let long = Duration::from_secs(u64::from(delay) * 60) + ASK_AGAIN;
        if now.since(asked) < long {
            return Ok(Some(asked_words(delay)));
        }
    }
    if note.is_none() && uptime_seconds(view)? < SETTLING_SECONDS {
        return Ok(Some("the host says that it needs a reboot, less than ten minutes after one".to_owned()));
    }
    let Some(window) = &spec.window else { return Ok(None) };
    let zone = window.timezone.as_deref().unwrap_or("UTC");
    let data = if zone == "UTC" { None } else { Some(load_zone(zone, view)?) };
    let next = window::next_opening(window, data.as_deref(), now).map_err(ResourceError::Blocked)?;
    Ok(next.map(|next| format!("a reboot is owed; the next window opens at {next}")))
}

/// The address of the one reboot of a host.
pub(crate) fn reboot_address() -> Option<Address> {
    Address::new(Collection::Reboot, "system").ok()
}

/// Whether the host was booted since a reboot was owed.
pub(crate) fn was_settled(host: &dyn HostRead) -> Result<bool, ResourceError> {
    let Some(note) = load_note(host)? else { return Ok(false) };
    Ok(note.boot != boot_id(host.reader().as_mut())?)
}

/// Forgets that a reboot was owed.
pub(crate) fn forget(host: &dyn HostRead) -> Result<(), ResourceError> {
    let (Some(notes), Some(address)) = (host.notes(), reboot_address()) else { return Ok(()) };
    notes.forget(&address).map_err(|error| ResourceError::Failed(format!("the note about the reboot: {error}")))
}

fn check_spec(spec: &RebootSpec) -> Result<(), ResourceError> {
    // Whether it reacts is not known here; all else is to make sense.
    check_sense(&RebootSpec { needed: Some(true), ..spec.clone() })
}

fn asked_words(delay: u32) -> String {
    if delay == 0 { "the host reboots".to_owned() } else { format!("the host was told to reboot after {delay} min") }
}

fn load_note(host: &dyn HostRead) -> Result<Option<Note>, ResourceError> {
    let (Some(notes), Some(address)) = (host.notes(), reboot_address()) else { return Ok(None) };
    notes.load(&address).map_err(|error| ResourceError::Failed(format!("the note about the reboot: {error}")))
}

fn save_note(id: &str, note: &Note, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let failed = |error: String| ResourceError::Failed(format!("the note about the reboot: {error}"));
    let address = Address::new(Collection::Reboot, id).map_err(|error| failed(error.to_string()))?;
    let notes = hands.host.notes().ok_or_else(|| failed("none are kept on this host".to_owned()))?;
    notes.save(&address, note).map_err(|error| failed(error.to_string()))
}

fn boot_id(reader: &mut dyn Reader) -> Result<String, ResourceError> {
    let id = load_text(&system_path(BOOT_ID)?, reader)?.unwrap_or_default().trim().to_owned();
    if id.is_empty() {
        return Err(ResourceError::Blocked(format!("{BOOT_ID} does not tell one boot from another")));
    }
    Ok(id)
}

fn uptime_seconds(view: &View<'_>) -> Result<u64, ResourceError> {
    let text = load_text(&system_path(UPTIME)?, view.reader().as_mut())?.unwrap_or_default();
    Ok(text.split(['.', ' ']).next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0))
}

fn load_zone(zone: &str, view: &View<'_>) -> Result<Vec<u8>, ResourceError> {
    let mut data = Vec::new();
    view.reader().copy(&system_path(&format!("{ZONES}/{zone}"))?, &mut data).map_err(|_| {
        ResourceError::Blocked(format!("the host knows no time zone {zone}; is the package tzdata installed?"))
    })?;
    Ok(data)
}

/// Whether the host itself says that it needs a reboot.
fn says_needed(view: &View<'_>) -> Result<bool, ResourceError> {
    for path in REQUIRED {
        if view.reader().meta(&system_path(path)?).is_ok_and(|meta| meta.is_some()) {
            return Ok(true);
        }
    }
    if view.reader().meta(&system_path(NEEDS_RESTARTING)?)?.is_none() {
        return Ok(false);
    }
    let mut last = LAST_ANSWER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, answer)) = last.filter(|(at, _)| at.elapsed() < NEEDS_RESTARTING_REST) {
        return Ok(answer);
    }
    let answer = view.host().query(&Program::new([NEEDS_RESTARTING, "-r"]))?.code == 1;
    *last = Some((Instant::now(), answer));
    Ok(answer)
}

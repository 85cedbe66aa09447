//! A container in words: as a unit that runs podman, and as a quadlet of which podman makes one.
//!
//! The name is systemd's `%i`, so that the text follows from the attributes alone.

use crate::resource::generated_unit::{HEAD, quote_argument};
use muster_schema::resource::ContainerSpec;
use std::fmt::Write;

/// Longer than the slowest image takes to be fetched, where somebody removed it.
const START: &str = "TimeoutStartSec=900";
const INSTALL: &str = "\n[Install]\nWantedBy=multi-user.target\n";

/// The unit, for podman before 4.4: what `podman generate systemd --new` writes, by the container's name.
pub(super) fn render_unit(spec: &ContainerSpec) -> String {
    let mut command: Vec<String> = "podman run --detach --rm --replace --name %i --sdnotify=conmon --cgroups=no-conmon"
        .split(' ')
        .map(str::to_owned)
        .collect();
    let mut option = |name: &str, value: &str| command.extend([name.to_owned(), quote_argument(value)]);
    for (name, value) in spec.environment.iter().flatten() {
        option("--env", &format!("{name}={value}"));
    }
    spec.ports.iter().flatten().for_each(|port| option("--publish", port));
    spec.volumes.iter().flatten().for_each(|volume| option("--volume", volume));
    spec.user.iter().for_each(|user| option("--user", user));
    spec.network.iter().for_each(|network| option("--network", network));
    command.push(quote_argument(spec.image.as_deref().unwrap_or_default()));
    command.extend(spec.command.iter().flatten().map(|part| quote_argument(part)));
    format!(
        "{HEAD}[Unit]
Description=Container %i
Wants=network-online.target
After=network-online.target
RequiresMountsFor=%t/containers

[Service]
Type=notify
NotifyAccess=all
Environment=PODMAN_SYSTEMD_UNIT=%n
{}
{START}
TimeoutStopSec=70
SuccessExitStatus=143
ExecStart={}
ExecStop=podman stop --ignore --time 10 %i
ExecStopPost=podman rm --force --ignore %i
{INSTALL}",
        restart_of(spec),
        command.join(" "),
    )
}

/// The quadlet, by podman-systemd.unit(5). Whether it starts at boot stands in it.
pub(super) fn render_quadlet(spec: &ContainerSpec) -> String {
    let mut text = format!(
        "{HEAD}[Unit]
Description=Container %i
Wants=network-online.target
After=network-online.target

[Container]
ContainerName=%i
Image={}
",
        spec.image.as_deref().unwrap_or_default()
    );
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key}={value}\n"));
    if let Some(command) = &spec.command {
        line("Exec", &command.iter().map(|part| quote_argument(part)).collect::<Vec<_>>().join(" "));
    }
    for (name, value) in spec.environment.iter().flatten() {
        // It becomes a part of podman's command line.
        line("Environment", &quote_argument(&format!("{name}={value}")));
    }
    spec.ports.iter().flatten().for_each(|port| line("PublishPort", port));
    spec.volumes.iter().flatten().for_each(|volume| line("Volume", &quote_bare(volume)));
    if let Some(user) = &spec.user {
        let (user, group) = user.split_once(':').map_or((user.as_str(), None), |(user, group)| (user, Some(group)));
        line("User", user);
        group.into_iter().for_each(|group| line("Group", group));
    }
    spec.network.iter().for_each(|network| line("Network", network));
    let _ = write!(text, "\n[Service]\n{}\n{START}\n", restart_of(spec));
    if spec.enabled != Some(false) {
        text.push_str(INSTALL);
    }
    text
}

fn restart_of(spec: &ContainerSpec) -> String {
    format!("Restart={}", spec.restart.unwrap_or_default().word())
}

/// Values that quadlet takes whole: without quotes, but with systemd's signs doubled.
fn quote_bare(value: &str) -> String {
    value.replace('%', "%%").replace('$', "$$")
}

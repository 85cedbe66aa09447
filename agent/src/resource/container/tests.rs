#![allow(clippy::disallowed_methods)]

use super::podman::{Container, Containers};
use super::{FOREIGN, FORM, IMAGE, QUADLET, RUNNING, UNIT, contents_of, render};
use crate::host::Scope;
use crate::resource::generated_unit::MISSING;
use crate::resource::{ResourceError, ResourceType, State, Wanted};
use crate::test_machine::enter;
use muster_schema::resource::{ContainerSpec, Existence, Meta, ResourceSpec};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

const DIGEST: &str = "sha256:0c86dddac19f2ce4fd716ac58c0fd87bf69bfd4edabfd6971fb885bafd12a00b";

fn spec(mut attributes: Value) -> ContainerSpec {
    if attributes.get("image").is_none() {
        attributes["image"] = json!(format!("registry.example.org/team/web@{DIGEST}"));
    }
    serde_json::from_value(attributes).expect("a container")
}

fn wanted(spec: &ContainerSpec) -> Wanted {
    spec.wanted(Existence::Present, Scope { sandbox: false, owners: true })
}

/// Everything that must not mean anything to systemd.
fn whole() -> ContainerSpec {
    spec(json!({
        "command": ["/bin/web", "--title=50% of $HOME", "a \"b\" \\ 'c'"],
        "environment": {"A": "x y", "B": "%n $B"},
        "ports": ["8080:80", "[::1]:53:53/udp"],
        "volumes": ["/srv/my web:/srv:ro", "data:/var/lib/data"],
        "user": "1000:100", "network": "host", "restart": "always", "enabled": false,
    }))
}

#[test]
fn the_unit_calls_podman_with_every_word_as_it_was_written() {
    let text = render::render_unit(&whole());
    let command = text.lines().find(|line| line.starts_with("ExecStart=")).expect("a command");
    assert_eq!(
        command,
        format!(
            "ExecStart=podman run --detach --rm --replace --name %i --sdnotify=conmon --cgroups=no-conmon \
             --env \"A=x y\" --env \"B=%%n $$B\" --publish \"8080:80\" --publish \"[::1]:53:53/udp\" \
             --volume \"/srv/my web:/srv:ro\" --volume \"data:/var/lib/data\" --user \"1000:100\" --network \"host\" \
             \"registry.example.org/team/web@{DIGEST}\" \
             \"/bin/web\" \"--title=50%% of $$HOME\" \"a \\\"b\\\" \\\\ 'c'\""
        )
    );
    assert!(text.contains("\nRestart=always\n") && text.ends_with("\n[Install]\nWantedBy=multi-user.target\n"));
    assert!(render::render_unit(&spec(json!({}))).contains("\nRestart=on-failure\n"));
}

#[test]
fn the_quadlet_says_the_same() {
    let text = render::render_quadlet(&whole());
    let section = text.split_once("[Container]\n").expect("a section").1.split_once("\n\n").expect("an end").0;
    assert_eq!(
        section,
        format!(
            "ContainerName=%i\nImage=registry.example.org/team/web@{DIGEST}\n\
             Exec=\"/bin/web\" \"--title=50%% of $$HOME\" \"a \\\"b\\\" \\\\ 'c'\"\n\
             Environment=\"A=x y\"\nEnvironment=\"B=%%n $$B\"\n\
             PublishPort=8080:80\nPublishPort=[::1]:53:53/udp\n\
             Volume=/srv/my web:/srv:ro\nVolume=data:/var/lib/data\nUser=1000\nGroup=100\nNetwork=host"
        )
    );
    assert!(!text.contains("[Install]"), "it is not to start at boot");
    assert!(render::render_quadlet(&spec(json!({}))).ends_with("\n[Install]\nWantedBy=multi-user.target\n"));
}

#[test]
fn systemd_finds_no_fault_in_the_unit() {
    if !enter("resource::container::tests::systemd_finds_no_fault_in_the_unit") {
        return;
    }
    // systemd looks whether the program is there.
    fs::write("/usr/local/bin/podman", "#!/bin/sh\n").expect("write");
    Command::new("chmod").args(["755", "/usr/local/bin/podman"]).status().expect("chmod");
    let path = "/etc/systemd/system/muster-container@my-web.x.service";
    fs::write(path, render::render_unit(&whole())).expect("write");
    let output = Command::new("systemd-analyze").args(["verify", "--man=no", path]).output().expect("systemd-analyze");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !words.contains("muster-container"), "{words}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let image = |name: &str| json!({"image": name});
    for bad in [
        image("docker.io/library/nginx:1.25"),
        image("docker.io/library/nginx"),
        image(&format!("nginx@{DIGEST}")),
        image(&format!("library/nginx@{DIGEST}")),
        image(&format!("docker.io/library/nginx:1.25@{DIGEST}")),
        image("docker.io/library/nginx@sha256:12"),
        image(&format!("docker.io/library/nginx@{}", DIGEST.to_uppercase())),
        image(&format!("docker.io/../nginx -v /:/@{DIGEST}")),
        json!({"command": []}),
        json!({"command": ["a\nExecStartPre=/bin/evil"]}),
        json!({"environment": {"A B": "c"}}),
        json!({"environment": {"A": "b\nc"}}),
        json!({"ports": ["http"]}),
        json!({"ports": ["1:2:3:4"]}),
        json!({"ports": ["0:80"]}),
        json!({"ports": ["8080:80/icmp"]}),
        json!({"volumes": ["/only"]}),
        json!({"volumes": ["./here:/there"]}),
        json!({"volumes": ["/a:there"]}),
        json!({"volumes": ["/a:/b:ro\nPodmanArgs=--privileged"]}),
        json!({"user": "a b"}),
        json!({"user": "--privileged"}),
        json!({"network": "host\nPodmanArgs=--privileged"}),
    ] {
        assert!(spec(bad.clone()).contradiction(&Meta::default()).is_some(), "{bad}");
    }
    for good in [
        json!({"ports": ["80", "127.0.0.1:53:53/udp", "8000-8010:8000-8010", "[::1]:80:80"]}),
        json!({"image": format!("localhost/box@{DIGEST}"), "volumes": ["/a:/b:ro,Z", "data:/c"], "user": "www-data"}),
        json!({"image": format!("127.0.0.1:5000/a/b_c@{DIGEST}"), "network": "slirp4netns:mtu=1500"}),
    ] {
        assert_eq!(spec(good.clone()).contradiction(&Meta::default()), None, "{good}");
    }
    let tag = spec(image("docker.io/library/nginx:1.25")).contradiction(&Meta::default()).expect("refused");
    assert!(tag.contains("registry/name@sha256:"), "{tag}");
}

#[test]
fn what_podman_lists_is_read() {
    // Of podman 4.3.1, but for what does not matter.
    let text = format!(
        r#"[
        {{"AutoRemove": true, "Image": "localhost/box@{DIGEST}", "ImageID": "f06",
         "Labels": {{"PODMAN_SYSTEMD_UNIT": "muster-container@web.service"}}, "Names": ["web"], "State": "running"}},
        {{"AutoRemove": false, "Image": "localhost/box:1", "Labels": null, "Names": ["other"], "State": "exited"}}]"#
    );
    let containers = Containers::parse(text.as_bytes()).expect("a list");
    let unit = Some("muster-container@web.service".to_owned());
    assert_eq!(containers.0["web"], Container { image: DIGEST.to_owned(), unit, running: true });
    let other = Container { image: "localhost/box:1".to_owned(), unit: None, running: false };
    assert_eq!(containers.0["other"], other);
    // An image goes over to another container of ours that has it, and to nobody else's.
    let image = format!("localhost/box@{DIGEST}");
    assert_eq!(containers.user_of(&image, "db"), Some("web"));
    assert_eq!(containers.user_of(&image, "web"), None);
    assert_eq!(containers.user_of("localhost/box:1", "db"), None);
    assert!(Containers::parse(b"null").expect("nothing").0.is_empty());
    assert!(Containers::parse(b"Error: no").is_err());
}

#[test]
fn the_file_that_does_not_count_goes() {
    let spec = spec(json!({}));
    let [unit, quadlet] = contents_of(&spec);
    let state = |form: &'static str, unit: crate::resource::Value, quadlet: crate::resource::Value| {
        State::present([
            (FORM, form.into()),
            (UNIT, unit),
            (QUADLET, quadlet),
            (RUNNING, true.into()),
            ("enabled", true.into()),
        ])
    };
    let diff = |observed: &State| spec.diff(&wanted(&spec), observed).expect("a difference");
    assert_eq!(diff(&state(UNIT, unit.into(), MISSING.into())), None);
    assert_eq!(diff(&state(QUADLET, MISSING.into(), quadlet.into())), None);
    // podman was upgraded.
    let change = diff(&state(QUADLET, unit.into(), MISSING.into())).expect("a change");
    assert_eq!((change.after(UNIT), change.after(QUADLET)), (Some(&MISSING.into()), Some(&quadlet.into())));
}

#[test]
fn another_image_is_drift_and_another_owner_no_business_of_ours() {
    let spec = spec(json!({}));
    let [unit, _] = contents_of(&spec);
    let mut state = State::present([
        (FORM, UNIT.into()),
        (UNIT, unit.into()),
        (QUADLET, MISSING.into()),
        (RUNNING, true.into()),
        ("enabled", true.into()),
        (IMAGE, "localhost/box:1".into()),
    ]);
    let change = spec.diff(&wanted(&spec), &state).expect("a difference").expect("a change");
    assert_eq!(change.to_string(), format!("image: localhost/box:1 → {DIGEST}"));
    if let State::Present(attributes) = &mut state {
        attributes.insert(FOREIGN.into(), "somebody".into());
    }
    assert!(matches!(spec.diff(&wanted(&spec), &state), Err(ResourceError::Blocked(_))));
    assert!(matches!(spec.diff(&Wanted::absent(), &state), Err(ResourceError::Blocked(_))));
}

//! The application that the hosts get.

use muster_tests::fleet::Fleet;
use muster_tests::lab::Host;
use serde_json::Value;

/// What a host file says to get it.
pub(crate) const ASSIGNED: &str = "applications: {web: {}}\n";

const APPLICATION: &str = r#"
parameters:
  greeting: {type: string, default: hello}
resources:
  packages:
    nginx: {}
    muster-testpkg: {version: "1.0"}
  files:
    /etc/nginx/conf.d/site.conf: {template: site.conf, confirm: [nginx, -t]}
    /etc/motd: {content: "managed\n", mode: "0640"}
  services:
    nginx: {running: true, enabled: true, reload_on: ["files/etc/nginx/conf.d/*"]}
  groups:
    deploy: {gid: 4200}
  users:
    deploy: {uid: 4200, group: deploy, shell: /bin/bash}
"#;

const SITE: &str = r#"server {
    listen 8080;
    location / { default_type text/plain; return 200 "{{ greeting }} from {{ host.id }}"; }
}
"#;

/// Writes the application, without committing it.
pub(crate) fn write(fleet: &Fleet) {
    fleet.repository.write("applications/web/application.yaml", APPLICATION.trim_start()).unwrap();
    fleet.repository.write("applications/web/files/site.conf", SITE).unwrap();
}

/// What the site of a host answers, asked over the lab's network.
pub(crate) fn answer(host: &Host) -> String {
    let url = format!("http://{}:8080/", host.address());
    ureq::get(&url).call().ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default()
}

/// How many corrective transitions of `address` the view of a host lists.
pub(crate) fn corrections(host: &Value, address: &str) -> usize {
    let transitions = host["transitions"].as_array().map_or(&[][..], Vec::as_slice);
    transitions.iter().filter(|t| t["address"] == address && t["cause"] == "corrective").count()
}

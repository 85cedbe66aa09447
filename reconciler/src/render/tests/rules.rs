//! Each rule of the language in a few lines: what is written, and what a host is to have.

use super::{FactsOfFleet, debian, render};

const HEAD: &str = "=== muster.yaml\nschema: 1\nfleet: test\n=== environments/lab/hosts/h.yaml\n";

/// Renders host `h`, of which `files` says more; it has reported.
fn rendered(files: &str) -> String {
    let facts: FactsOfFleet = [("h".parse().expect("host"), debian("10.0.0.1"))].into_iter().collect();
    render(&format!("{HEAD}{files}"), "h", &facts)
}

fn check(table: &[(&str, &str, &str)]) {
    for (rule, files, expected) in table {
        assert_eq!(rendered(files).trim_end(), *expected, "{rule}");
    }
}

#[test]
fn layers_stand_over_one_another() {
    check(&[
        (
            "fleet < profile < environment < its profile < host",
            "applications: {a: {five: host}}
=== muster.yaml
schema: 1
fleet: test
applications: {a: {one: fleet, two: fleet, three: fleet, four: fleet, five: fleet}}
=== profiles/p.yaml
hosts: '*'
settings: {a: {two: profile, three: profile, four: profile, five: profile}}
=== environments/lab/environment.yaml
settings: {a: {three: environment, four: environment, five: environment}}
=== environments/lab/profiles/p.yaml
hosts: '*'
settings: {a: {four: its profile, five: its profile}}
=== applications/a/application.yaml
parameters: {one: {}, two: {}, three: {}, four: {}, five: {}}
resources: {files: {/x: {content: '{{ one }}, {{ two }}, {{ three }}, {{ four }}, {{ five }}'}}}
",
            "files/x application=\"a\" {}
    | fleet, profile, environment, its profile, host",
        ),
        (
            "null returns to the default, and takes an assignment back",
            "applications: {a: {one: null}, b: null}
=== environments/lab/environment.yaml
applications: {a: {one: given}, b: {}}
=== applications/a/application.yaml
parameters: {one: {type: string, default: the default}}
resources: {files: {/x: {content: '{{ one }}'}}}
=== applications/b/application.yaml
resources: {files: {/y: {}}}
",
            "files/x application=\"a\" {}
    | the default",
        ),
        (
            "resources of a layer stand over applications; null removes an attribute or a resource",
            "applications: {a: {}}
resources: {files: {/x: {mode: '0600', owner: null}, /y: null}, packages: {extra: {}}}
=== applications/a/application.yaml
resources: {files: {/x: {content: x, mode: '0644', owner: root}, /y: {}}}
",
            "files/x application=\"a\" {\"mode\":\"0600\"}
    | x
packages/extra {}",
        ),
        (
            "a content of a layer replaces a template",
            "applications: {a: {}}
resources: {files: {/x: {content: mine}}}
=== applications/a/application.yaml
resources: {files: {/x: {template: t}}}
=== applications/a/files/t
theirs
",
            "files/x application=\"a\" {}
    | mine",
        ),
    ]);
}

#[test]
fn parameters_are_values_not_templates() {
    check(&[
        (
            "a value may use other settings; results are never rendered again",
            "settings: {a: {one: \"{{ settings.raw }} of {{ settings.list[1] }}\"}, raw: \"{{ '{{ host.id }}' }}\", list: [x, '{{ host.id }}']}
applications: {a: {}}
=== applications/a/application.yaml
parameters: {one: {type: string}}
resources: {files: {/x: {content: '{{ one }}'}}}
",
            "files/x application=\"a\" {}
    | {{ host.id }} of h",
        ),
        (
            "two instances of one application",
            "applications: {shop: {}, shop-eu: {use: shop, port: 81}}
settings: {shop-eu: {name: europe}}
=== applications/shop/application.yaml
parameters: {port: {type: integer, default: 80}, name: {type: string, default: all}}
resources: {files: {'/etc/{{ application }}': {content: '{{ port }} {{ name }} {{ settings.shop.port }}'}}}
",
            "files/etc/shop application=\"shop\" {}
    | 80 all 80
files/etc/shop-eu application=\"shop-eu\" {}
    | 81 europe 80",
        ),
        (
            "each over a map and a list, with key and item",
            "applications: {a: {people: {anna: {uid: 1001}, ben: {}}}}
=== applications/a/application.yaml
parameters: {people: {type: object}}
resources:
  users: {'{{ key }}': {each: '{{ people }}', uid: \"{{ item.uid | default(none) }}\"}}
  groups: {'{{ item }}': {each: [x, y], gid: '{{ 100 + key }}'}}
",
            "groups/x application=\"a\" {\"gid\":100}
groups/y application=\"a\" {\"gid\":101}
users/anna application=\"a\" {\"uid\":1001}
users/ben application=\"a\" {}",
        ),
        (
            "an integer that a template computes is text where text is wanted",
            "resources: {commands: {c: {argv: [sleep, '{{ 2 + 3 }}'], timeout: '{{ 7 }}'}}}\n",
            "commands/c meta={\"timeout\":7} {\"argv\":[\"sleep\",\"5\"]}",
        ),
    ]);
}

#[test]
fn edges_are_resolved_within_the_host_set() {
    check(&[
        (
            "globs, applications, services by their whole name; * stays within a folder",
            "applications: {a: {}, b: {}}
=== applications/a/application.yaml
resources:
  files: {/etc/a/x: {}, /etc/a/y: {}, /etc/a/deep/z: {}}
=== applications/b/application.yaml
resources:
  services:
    one.service: {running: true, restart_on: ['files/etc/a/*']}
    two: {running: true, reload_on: ['files/etc/**'], requires: [services/one.service, applications/b]}
  commands: {c: {argv: ['true'], run_on: [applications/a]}}
",
            "files/etc/a/deep/z application=\"a\" {}
files/etc/a/x application=\"a\" {}
files/etc/a/y application=\"a\" {}
services/one application=\"b\" meta={\"restart_on\":[\"files/etc/a/x\",\"files/etc/a/y\"]} {\"running\":true}
services/two application=\"b\" meta={\"requires\":[\"services/one\",\"commands/c\"],\"reload_on\":[\"files/etc/a/deep/z\",\"files/etc/a/x\",\"files/etc/a/y\"]} {\"running\":true}
commands/c application=\"b\" meta={\"run_on\":[\"files/etc/a/deep/z\",\"files/etc/a/x\",\"files/etc/a/y\"]} {\"argv\":[\"true\"]}",
        ),
        (
            "what `when` leaves out takes the edges of its application with it",
            "applications: {a: {}}
=== applications/a/application.yaml
resources:
  files: {/x: {when: \"{{ facts.os.family == 'alpine' }}\"}, '/{{ host.id }}': {when: false}}
  services: {s: {running: true, restart_on: [files/x, 'files/{{ host.id }}']}}
",
            "services/s application=\"a\" {\"running\":true}",
        ),
        (
            "two applications unite equal and disjoint attributes and edges",
            "applications: {a: {}, b: {}}
=== applications/a/application.yaml
resources: {packages: {p: {}, q: {}}, files: {/x: {mode: '0644', requires: [packages/p]}}}
=== applications/b/application.yaml
resources: {files: {/x: {mode: '0644', owner: root, content: x, requires: [packages/q]}}}
",
            "files/x application=\"a\" meta={\"requires\":[\"packages/p\",\"packages/q\"]} {\"owner\":\"root\",\"mode\":\"0644\"}
    | x
packages/p application=\"a\" {}
packages/q application=\"a\" {}",
        ),
    ]);
}

#[test]
fn contents_come_from_files() {
    check(&[
        (
            "a source tree, files named by the document's folder, vars beside a template",
            "resources:
  directories: {/srv: {source: tree/, owner: www, mode: '0750', requires: [packages/p]}}
  files: {/t: {template: t, vars: {n: '{{ 1 + 1 }}'}}, /r: {source: raw}}
  packages: {p: {}}
=== environments/lab/files/tree/a
a
=== environments/lab/files/tree/deep/b
{{ not rendered }}
=== environments/lab/files/t
{{ n }} {{ host.id }}
=== environments/lab/files/raw
{% raw
",
            "directories/srv meta={\"requires\":[\"packages/p\"]} {\"owner\":\"www\",\"mode\":\"0750\"}
directories/srv/deep meta={\"requires\":[\"packages/p\"]} {\"owner\":\"www\",\"mode\":\"0750\"}
files/r {}
    | {% raw
files/srv/a meta={\"requires\":[\"packages/p\"]} {\"owner\":\"www\"}
    | a
files/srv/deep/b meta={\"requires\":[\"packages/p\"]} {\"owner\":\"www\"}
    | {{ not rendered }}
files/t {}
    | 2 h
packages/p {}",
        ),
        (
            "scripts, as text and as files, and of undo",
            "resources:
  commands:
    one: {script: \"echo {{ host.id }}\", unless: ['false'], undo: {script: {source: undo}}}
=== environments/lab/files/undo
echo undone
",
            "commands/one {\"unless\":[\"false\"]}
    | echo h
    | echo undone",
        ),
    ]);
}

#[test]
fn modes_go_from_fleet_to_resource() {
    check(&[
        (
            "resource over host over fleet; permission bits leave `enforcement` beside them",
            "mode: audit
resources:
  files: {/a: {mode: '0644'}, /b: {mode: enforce}, /c: {mode: '0644', enforcement: apply_once}}
  packages: {p: {mode: enforce}}
",
            "files/a meta={\"mode\":\"audit\"} {\"mode\":\"0644\"}
files/b meta={\"mode\":\"enforce\"} {}
files/c meta={\"mode\":\"apply_once\"} {\"mode\":\"0644\"}
packages/p meta={\"mode\":\"enforce\"} {}",
        ),
        (
            "a host over its environment",
            "mode: enforce\nresources: {packages: {p: {}}}\n=== environments/lab/environment.yaml\nmode: audit\n",
            "packages/p {}",
        ),
    ]);
}

#[test]
fn one_path_belongs_to_one_resource() {
    check(&[
        (
            "a unit is a file too",
            "resources:
  files: {/etc/systemd/system/x.service: {content: a}}
  units: {x.service: {content: b}, x.timer: {content: c}}
",
            "environments/lab/hosts/h.yaml:3:11: units/x.service has the path of files/etc/systemd/system/x.service, \
         at environments/lab/hosts/h.yaml:2:11 Environments({\"lab\"})",
        ),
        (
            "a certificate's key and request are files too",
            "resources:
  files: {/etc/ssl/x.key: {content: a}, /etc/ssl/x.csr: {content: a}}
  certificates: {x: {certificate: /etc/ssl/x.pem, key: /etc/ssl/x.key, request: /etc/ssl/x.csr, names: [x.example.org]}}
",
            "environments/lab/hosts/h.yaml:3:18: certificates/x has the path of files/etc/ssl/x.csr, \
             at environments/lab/hosts/h.yaml:2:41 Environments({\"lab\"})
environments/lab/hosts/h.yaml:3:18: certificates/x has the path of files/etc/ssl/x.key, \
             at environments/lab/hosts/h.yaml:2:11 Environments({\"lab\"})",
        ),
    ]);
}

#[test]
fn one_thing_has_one_name() {
    check(&[(
        "names of hosts know no case, and a service is one without its suffix",
        "resources:
  hosts: {DB.example.org: {addresses: [10.0.0.1]}, db.example.org: {addresses: [10.0.0.2]}}
  services: {nginx: {running: true}, nginx.service: {enabled: true}}
",
        "environments/lab/hosts/h.yaml:2:52: hosts/db.example.org is the same as hosts/DB.example.org, \
         at environments/lab/hosts/h.yaml:2:11 Environments({\"lab\"})
environments/lab/hosts/h.yaml:3:38: services/nginx is rendered twice, \
         also at environments/lab/hosts/h.yaml:3:14 Environments({\"lab\"})",
    )]);
}

#[test]
fn exceptions_go_into_the_manifest_beside_what_normally_holds() {
    check(&[
        (
            "attributes over those of an application, a date that ends at 24:00, contents of both",
            "applications: {a: {}}
exceptions:
  files/x: {content: 'for {{ host.id }}', mode: '0600', reason: a trial, until: 2026-12-01}
=== applications/a/application.yaml
resources: {files: {/x: {content: normal, owner: www}}, packages: {p: {}}}
",
            "files/x application=\"a\" {\"owner\":\"www\"}
    exception {\"reason\":\"a trial\",\"until\":1796169600000,\"state\":\"present\",\"attributes\":{\"mode\":\"0600\",\"owner\":\"www\"}}
    | normal
    | for h
packages/p application=\"a\" {}",
        ),
        (
            "a waiver, a time with zone; being there may be excepted, too",
            "exceptions:
  services/auditd: {waive: true, reason: migration, until: '2026-12-01T12:00:00+02:00'}
  packages/p: {state: absent, reason: a bug, until: '2026-12-01'}
resources: {services: {auditd: {running: true}}, packages: {p: {}}}
",
            "packages/p {}
    exception {\"reason\":\"a bug\",\"until\":1796169600000,\"state\":\"absent\",\"attributes\":{}}
services/auditd {\"running\":true}
    exception {\"reason\":\"migration\",\"until\":1796119200000}",
        ),
    ]);
}

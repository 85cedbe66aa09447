//! Secrets: where they stand, who can read them, and every use that is refused.

use muster_schema::HostId;
use muster_schema::resource::Spec;
use muster_schema::secret::{Encode, Segment};

use super::{FactsOfFleet, RenderedHost, render, render_host};
use crate::model::tests::{load, repository as files_of_text};
use crate::model::{Finding, ModelCache, load_model};

const WEB: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const ADMIN: &str = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";
const AGE: &str = "age-encryption.org/v1\n-> X25519 abc\nYWdl\n--- mac\n";

/// A repository with a host `web-1`, the secrets `db` for it and `vault` for others, and what `rest` adds.
fn repository(rest: &str) -> String {
    format!(
        "=== muster.yaml\nschema: 1\nfleet: lab\n\
         === secrets/recipients.yaml\nadmins: [{ADMIN}]\nsecrets:\n  db: {{hosts: role=web}}\n  vault: {{hosts: role=vault}}\n\
         === secrets/db.age\n{AGE}=== secrets/db.recipients\n# a comment\n{ADMIN}\n{WEB}\n\
         === secrets/vault.age\n{AGE}=== secrets/vault.recipients\n{ADMIN}\n\
         === environments/lab/hosts/web-1.yaml\nrecipient: {WEB}\nlabels: {{role: web}}\n{rest}"
    )
}

pub(super) fn of_content(content: &str) -> String {
    repository(&format!("resources:\n  files:\n    /etc/app: {{content: {content}}}\n"))
}

fn rendered(repository: &str) -> RenderedHost {
    let (model, found) = load(repository);
    assert_eq!(found, Vec::<Finding>::new());
    let host: HostId = "web-1".parse().unwrap();
    render_host(&model, &host, &FactsOfFleet::default()).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The content of the only file: texts, and secrets by name and encoding.
fn pieces(host: &RenderedHost) -> Vec<String> {
    let Some(Spec::File(file)) = host.resources.iter().map(|resource| &resource.spec).next() else { panic!("no file") };
    let content = file.content.as_ref().and_then(|content| content.secret()).expect("segments");
    let text = |segment: &Segment| match segment {
        Segment::Literal(blob) => String::from_utf8(host.blobs[&blob.sha256].to_vec()).unwrap(),
        Segment::Secret(secret) => {
            assert_eq!(&*host.blobs[&secret.ciphertext.sha256], AGE.as_bytes(), "the ciphertext travels");
            format!("<{} {}>", secret.name, secret.encode.map_or("as it is", Encode::name))
        }
    };
    content.segments.iter().map(text).collect()
}

pub(super) fn told(repository: &str) -> String {
    render(repository, "web-1", &FactsOfFleet::default())
}

#[test]
fn a_text_with_secrets_becomes_segments() {
    let table: [(&str, &[&str]); 6] = [
        ("\"{{ secret('db') }}\"", &["<db as it is>"]),
        ("\"a {{ secret('db', encode='url') }} b\\n\"", &["a ", "<db url>", " b\n"]),
        ("\"{{ secret('db', encode='base64') }}{{ secret('db', encode='shell') }}\"", &["<db base64>", "<db shell>"]),
        (
            "\"{% for x in [1, 2] %}{{ x }}={{ secret('db', encode='json') }};{% endfor %}\"",
            &["1=", "<db json>", ";2=", "<db json>", ";"],
        ),
        ("\"{{ secret('db') if host.labels.role == 'web' else 'none' }}!\"", &["<db as it is>", "!"]),
        ("\"{% set x = secret('db') %}{{ x }}\"", &["<db as it is>"]),
    ];
    for (content, expected) in table {
        assert_eq!(pieces(&rendered(&of_content(content))), expected, "{content}");
    }
}

#[test]
fn template_files_and_parameters_carry_secrets() {
    let repository = repository(
        "applications: {app: {dsn: \"pg://u:{{ secret('db', encode='url') }}@h\", smtp: {password: \"{{ secret('db') }}\"}}}\n\
         === applications/app/application.yaml\n\
         parameters:\n  dsn: {secret: true}\n  smtp: {type: object, properties: {password: {secret: true}}}\n\
         resources: {files: {/etc/app: {template: app.conf}}}\n\
         === applications/app/files/app.conf\ndsn={{ dsn }}\n{% if smtp.password %}smtp={{ smtp.password }}{% endif %}\n",
    );
    let expected = ["dsn=pg://u:", "<db url>", "@h\nsmtp=", "<db as it is>", "\n"];
    assert_eq!(pieces(&rendered(&repository)), expected);
}

#[test]
fn every_other_use_is_a_finding_with_its_place() {
    let alone = "stands alone";
    let captured = "can only be printed where it is made";
    let table = [
        ("{{ secret('db') | upper }}", alone),
        ("{{ secret('db') | length }}", alone),
        ("{{ secret('db') | default('x') }}", alone),
        ("{{ secret('db') == 'x' }}", alone),
        ("{{ 'x' == secret('db') }}", alone),
        ("{{ secret('db') ~ 'x' }}", alone),
        ("{{ 'x' ~ secret('db') }}", alone),
        ("{{ secret('db') + 'x' }}", alone),
        ("{{ secret('db') is string }}", alone),
        ("{{ not secret('db') }}", alone),
        ("{{ 'a' in secret('db') }}", alone),
        ("{{ secret('db')[0] }}", alone),
        ("{{ secret('db').x }}", alone),
        ("{% if secret('db') %}x{% endif %}", alone),
        ("{% for x in secret('db') %}x{% endfor %}", alone),
        ("{% set x = secret('db') %}{{ x | upper }}", alone),
        ("{% set x = secret('db') %}{{ x ~ 'a' }}", alone),
        ("{% set x = secret('db') %}{{ [x] | tojson }}", alone),
        ("{% set x = secret('db') %}{{ [x] }}", alone),
        ("{% set x %}{{ secret('db') }}{% endset %}{{ x }}", captured),
        ("{% set x %}{{ secret('db') }}{% endset %}{{ x | length }}", captured),
        ("{% set x %}{{ secret('db') }}{% endset %}{{ x | b64encode }}", captured),
        ("{% filter upper %}{{ secret('db') }}{% endfilter %}", captured),
        ("{% macro m() %}{{ secret('db') }}{% endmacro %}{{ m() }}", captured),
        ("{{ secret() }}", "takes the name of one secret"),
        ("{{ secret('db', 'x') }}", "takes the name of one secret"),
        ("{{ secret('db', code='url') }}", "knows one option"),
        ("{{ secret('db', encode='rot13') }}", "there are url, base64, shell, json"),
        ("{{ secret('../x') }}", "is not a name"),
        ("\u{FDD0}db\u{FDD1}\u{FDD2}", "U+FDD0"),
        ("{{ '\\ufdd0db\\ufdd1\\ufdd2' }}x", captured),
    ];
    for (content, reason) in table {
        let quoted = serde_json::to_string(&format!("{content} {{{{ 1 }}}}")).unwrap();
        let told = told(&of_content(&quoted));
        assert!(told.contains(reason), "{content}: {told}");
        assert!(told.contains("environments/lab/hosts/web-1.yaml:5:"), "{content}: {told}");
    }
}

#[test]
fn a_secret_stands_nowhere_else() {
    let table = [
        "files: {/etc/app: {owner: \"{{ secret('db') }}\"}}",
        "files: {/etc/app: {content: x, owner: \"x{{ secret('db') }}\"}}",
        "files: {/etc/app: {template: \"{{ secret('db') }}\"}}",
        "files: {\"/etc/{{ secret('db') }}\": {content: x}}",
        "commands: {c: {argv: [echo, \"{{ secret('db') }}\"]}}",
        "commands: {c: {argv: [echo], script: \"{{ secret('db') }}\"}}",
        "files: {/etc/app: {content: x, when: \"{{ secret('db') }}\"}}",
        "files: {/etc/app: {each: \"{{ secret('db') }}\", content: x}}",
        "files: {/etc/app: {content: \"{{ secret('db') }}\", backup: true}}",
        "users: {app: {comment: \"{{ secret('db') }}\"}}",
        "users: {app: {groups: [\"{{ secret('db') }}\"]}}",
        "blocks: {b: {path: /etc/x, content: x, begin: \"{{ secret('db') }}\"}}",
        "lines: {l: {path: /etc/x, line: x, match: \"{{ secret('db') }}\"}}",
        "lines: {l: {path: /etc/x, line: \"{{ secret('db') }}\"}}",
        "settings_files: {s: {path: /a.yaml, key: \"{{ secret('db') }}\", value: x}}",
        "settings_files: {s: {path: /a.yaml, key: k, value: [\"{{ secret('db') }}\"]}}",
        "settings_files: {s: {path: /a.yaml, key: k, value: {x: \"{{ secret('db') }}\"}}}",
        "commands: {c: {argv: [x], unless: [x, \"{{ secret('db') }}\"]}}",
        "commands: {c: {argv: [x], env: \"{{ secret('db') }}\"}}",
        "commands: {c: {argv: [x], env: {A: \"{{ secret('db') }}\"}, undo: {argv: [y]}}}",
        "commands: {c: {argv: [x], undo: {script: \"{{ secret('db') }}\"}}}",
    ];
    for resources in table {
        let told = told(&repository(&format!("resources:\n  {resources}\n")));
        assert!(told.contains("environments/lab/hosts/web-1.yaml:4:"), "{resources}: {told}");
        assert!(told.contains("secret"), "{resources}: {told}");
    }
}

#[test]
fn texts_that_may_hold_a_secret_become_segments() {
    let table = [
        ("blocks: {b: {path: /etc/x, content: \"a={{ secret('db') }}\"}}", "content"),
        ("lines: {l: {path: /etc/x, match: a=*, line: \"a={{ secret('db') }}\"}}", "line"),
        ("users: {app: {password: \"a={{ secret('db') }}\"}}", "password"),
        ("settings_files: {s: {path: /a.yaml, key: k, value: \"a={{ secret('db') }}\"}}", "value"),
        ("commands: {c: {argv: [x], env: {PLAIN: p, A: \"a={{ secret('db') }}\"}}}", "env.A"),
        ("commands: {c: {argv: [x], stdin: \"a={{ secret('db') }}\"}}", "stdin"),
    ];
    for (resources, slot) in table {
        let host = rendered(&repository(&format!("resources:\n  {resources}\n")));
        let spec = &host.resources[0].spec;
        let secrets = spec.secrets();
        let [(found, content)] = secrets.as_slice() else { panic!("{resources}: {secrets:?}") };
        assert_eq!(found, slot);
        assert!(matches!(content.segments.as_slice(), [Segment::Literal(_), Segment::Secret(_)]), "{resources}");
        assert!(spec.blobs().iter().all(|blob| host.blobs.contains_key(&blob.sha256)), "{resources}");
        // As in a manifest.
        let json = serde_json::to_string(&host.resources[0]).unwrap();
        assert_eq!(
            serde_json::from_str::<muster_schema::resource::Resource>(&json).unwrap(),
            host.resources[0],
            "{json}"
        );
    }
    let waits = repository("resources:\n  users: {app: {password: \"{{ secret('db') }}\"}}\n")
        .replace(&format!("# a comment\n{ADMIN}\n{WEB}"), ADMIN);
    assert!(told(&waits).starts_with("waits for the secret db"));
}

#[test]
fn a_layer_puts_a_text_over_a_secret_and_the_other_way_round() {
    let of = |below: &str, above: &str| {
        let line = |line: &str| format!("lines: {{l: {{path: /etc/x, match: a=*, line: \"{line}\"}}}}");
        let host = rendered(&repository(&format!(
            "applications: {{app: {{}}}}\nresources:\n  {}\n=== applications/app/application.yaml\nresources:\n  {}\n",
            line(above),
            line(below)
        )));
        host.resources[0].spec.secrets().len()
    };
    assert_eq!((of("a={{ secret('db') }}", "a=x"), of("a=x", "a={{ secret('db') }}")), (0, 1));
}

#[test]
fn segments_are_no_words_of_documents() {
    let blob = "{sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, size: 0}";
    let segments = format!("{{segments: [{{secret: {{name: vault, ciphertext: {blob}}}}}]}}");
    for resources in [
        format!("lines: {{l: {{path: /etc/x, match: x, line: {segments}}}}}"),
        format!("users: {{app: {{password: {segments}}}}}"),
        format!("settings_files: {{s: {{path: /a.yaml, key: k, value: {segments}}}}}"),
        format!("commands: {{c: {{argv: [x], env: {{A: {segments}}}}}}}"),
        format!("commands: {{c: {{argv: [x], stdin: {segments}}}}}"),
        format!("blocks: {{b: {{path: /etc/x, content: {segments}}}}}"),
    ] {
        let told = told(&repository(&format!("resources:\n  {resources}\n")));
        assert!(told.contains("web-1.yaml:4:"), "{resources}: {told}");
    }
}

#[test]
fn a_parameter_that_is_no_secret_takes_none_and_the_other_way_round() {
    let of_parameter = |declared: &str, given: &str| {
        told(&repository(&format!(
            "applications: {{app: {{p: {given}}}}}\n=== applications/app/application.yaml\n\
             parameters: {{p: {declared}}}\nresources: {{files: {{/a: {{content: \"{{{{ p }}}}\"}}}}}}\n"
        )))
    };
    let told = of_parameter("{type: string}", "\"{{ secret('db') }}\"");
    assert!(told.contains("'p' cannot hold a secret") && told.contains("secret: true"), "{told}");
    let told = of_parameter("{secret: true}", "hunter2");
    assert!(told.contains("'p' must be a secret, not a string") && told.contains("secret('NAME')"), "{told}");
}

#[test]
fn only_hosts_that_may_read_a_secret_get_it() {
    let told = |name: &str| told(&of_content(&format!("\"{{{{ secret('{name}') }}}}\"")));
    let unknown = told("dbb");
    assert!(unknown.contains("there is no secret 'dbb'") && unknown.contains("did you mean 'db'?"), "{unknown}");
    let other = told("vault");
    assert!(other.contains("the host 'web-1' cannot have the secret 'vault'"), "{other}");
    assert!(other.contains("secrets/recipients.yaml:4:3"), "the rule is named: {other}");
    assert!(!other.contains("waits"), "{other}");
}

#[test]
fn a_host_that_is_no_recipient_yet_waits_and_is_told_the_command() {
    let good = of_content("\"{{ secret('db') }}\"");
    let no_longer = good.replace(&format!("# a comment\n{ADMIN}\n{WEB}"), ADMIN);
    let not_enrolled = good.replace(&format!("recipient: {WEB}\n"), "");
    for (repository, expected) in [
        (no_longer, "waits for the secret db, which is not encrypted to it yet (run: muster secret rekey db)\n"),
        (
            not_enrolled,
            "waits for the secret db: the file of web-1 names no recipient (run: muster host approve web-1)\n",
        ),
    ] {
        assert_eq!(told(&repository), expected, "{repository}");
    }
}

#[test]
fn another_ciphertext_is_another_content() {
    let host: HostId = "web-1".parse().unwrap();
    let repository = of_content("\"{{ secret('db') }}\"");
    let (mut cache, facts) = (ModelCache::default(), FactsOfFleet::default());
    let mut load = |text: &str| load_model(&files_of_text(text), &mut cache).0;
    let model = load(&repository);
    let first = render_host(&model, &host, &facts).unwrap();
    assert!(first.reads.still_hold(&load(&repository), &facts));
    for other in
        [repository.replacen("YWdl", "YWdm", 1), repository.replacen(&format!("# a comment\n{ADMIN}\n{WEB}"), ADMIN, 1)]
    {
        assert!(!first.reads.still_hold(&load(&other), &facts), "{other}");
    }
    let second = render_host(&load(&repository.replacen("YWdl", "YWdm", 1)), &host, &facts).unwrap();
    assert_ne!(first.resources, second.resources, "the ciphertext is part of the content digest");
}

#[test]
fn what_is_wrong_with_the_folder_is_told() {
    let table = [
        ("=== secrets/new.age\nx\n", "secrets/new.age:1:1: nothing says which hosts"),
        ("=== secrets/db.age\nhunter2\n", "secrets/db.age:1:1: this is no file of age"),
        ("=== secrets/db.recipients\nhunter2\n", "secrets/db.recipients:1:1: this is no recipient of age"),
        ("=== secrets/recipients.yaml\nsecrets: {x: {hosts: \"*\"}}\n", "there is no file 'secrets/x.age'"),
        ("=== secrets/recipients.yaml\nsecrets: {db: {host: \"*\"}}\n", "did you mean 'hosts'?"),
        ("=== secrets/recipients.yaml\nadmins: [me]\n", "secrets/recipients.yaml:1:10"),
        ("=== secrets/notes.txt\nx\n", "'notes.txt' means nothing here"),
    ];
    for (files, expected) in table {
        let (_, found) = load(&repository(files));
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{files}: {told:?}");
    }
}

#[test]
fn what_people_are_shown_names_the_secret() {
    let (model, _) = load(&of_content("\"a {{ secret('db', encode='url') }}\""));
    let host: HostId = "web-1".parse().unwrap();
    let address = "files/etc/app".parse().unwrap();
    let explained = super::super::explain_resource(&model, &host, &FactsOfFleet::default(), &address).unwrap();
    assert_eq!(explained[0].value, "a secret(db, encode=url)");
}

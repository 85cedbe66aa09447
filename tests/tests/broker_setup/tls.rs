//! Broker and orchestrator by TLS, each side with a certificate.

use std::error::Error;
use std::fs;
use std::sync::Arc;

use muster_agent::io::amqp::AmqpTransport;
use muster_agent::io::host_keys::HostKeys;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::tls::TlsFiles;
use muster_agent::io::transport::Transport;
use muster_agent::message::SignedMessage;
use muster_schema::message::BodyType;
use muster_tests::certificates::{Authority, Pair};
use muster_tests::fleet::SOON;
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::site::Site;

fn files(authority: &Authority, pair: Option<Pair>) -> TlsFiles {
    TlsFiles { ca: Some(authority.ca()), identity: pair.map(|pair| (pair.certificate, pair.key)) }
}

/// What an agent meets at the broker: all causes in one line.
async fn refusal(url: &str, tls: TlsFiles) -> String {
    let folder = tempfile::tempdir().unwrap();
    let keys = HostKeys::load_or_make(folder.path()).unwrap();
    let http = HttpTransport::with_tls("https://localhost:1", tls).unwrap();
    let transport: Arc<dyn Transport> = Arc::new(AmqpTransport::new(url, http, &keys).unwrap());
    let message = SignedMessage {
        id: "0".repeat(32),
        body_type: BodyType::Announce,
        host: "one".parse().unwrap(),
        frame: b"x".to_vec(),
        life: SOON,
    };
    let error = transport.request(&message).await.unwrap_err();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    assert!(!text.contains(url.split(['/', '@']).nth(2).unwrap_or("?")), "no password: {text}");
    text
}

/// Whether the broker said why, or closed the connection: what it says can be lost when we have sent more meanwhile.
fn is_turned_away(refusal: &str, alert: &str) -> bool {
    refusal.contains(alert) || refusal.contains("Connection reset by peer") || refusal.contains("Broken pipe")
}

#[test]
fn broker_and_orchestrator_by_tls_serve_a_fleet() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut site = Site::begin_tls();
    let authority = site.authority.take().unwrap();
    let server = authority.issue("serve", &["127.0.0.1"]).unwrap();
    let host = authority.issue("host", &[]).unwrap();
    let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (ca, cert, key) = (text(authority.ca()), text(server.certificate), text(server.key));
    let arguments = [
        ["--bus-ca", &ca, "--bus-cert", &cert, "--bus-key", &key],
        ["--tls-cert", &cert, "--tls-key", &key, "--client-ca", &ca],
    ];
    site.fleet.serve_with(&arguments.concat());
    let (host_cert, host_key) = (text(host.certificate), text(host.key));
    let settings = format!("ca: {ca}\nclient_cert: {host_cert}\nclient_key: {host_key}\n");
    site.fleet.speak_tls(&authority.ca(), &settings);
    site.authority = Some(authority);
    site.start_fleet();

    let one = site.agent("one");
    let approved = site.fleet.approve("production", "one", "").unwrap();
    site.wait_enrolled("one");
    site.setup(&["--apply"], 0);
    let motd = one.root().join("etc/motd");
    wait_until("the file", SOON, || fs::read_to_string(&motd).is_ok_and(|text| text == "hello\n")).unwrap();
    site.fleet.wait_synced("one", &approved).unwrap();
    let listed = site.broker.control(&["list_connections", "user", "ssl"]).unwrap().stdout;
    let listed = String::from_utf8(listed).unwrap();
    for user in ["lab~orchestrator", "lab~host~one"] {
        assert!(listed.lines().any(|line| line == format!("{user}\ttrue")), "{listed}");
    }
    // The command line speaks it too.
    let output = site.fleet.muster(&["get", "hosts", "-o", "json"]).unwrap().output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Synced"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_by_tls_is_refused_and_refuses_where_a_certificate_is_wrong_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut site = Site::begin_tls();
    let url = site.url("enrolment.url");
    let authority = site.authority.as_ref().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::make(folder.path()).unwrap();
    let own = || authority.issue("host", &[]).unwrap();

    let wrong_ca = refusal(&url, files(&other, Some(own()))).await;
    assert!(wrong_ca.contains("invalid peer certificate: UnknownIssuer"), "{wrong_ca}");
    let wrong_name = refusal(&url.replace("@localhost", "@127.0.0.1"), files(authority, Some(own()))).await;
    assert!(wrong_name.contains("not valid for name"), "{wrong_name}");
    let nobody = refusal(&url, files(authority, None)).await;
    assert!(is_turned_away(&nobody, "CertificateRequired"), "{nobody}");
    let stranger = refusal(&url, files(authority, Some(other.issue("host", &[]).unwrap()))).await;
    assert!(is_turned_away(&stranger, "UnknownCA"), "{stranger}");
    let late = refusal(&url, files(authority, Some(authority.issue_expired("late", &[]).unwrap()))).await;
    assert!(is_turned_away(&late, "CertificateExpired"), "{late}");
    // Without TLS nobody is answered; with TLS and no file nobody is trusted.
    let plain = refusal(&url.replace("amqps://", "amqp://"), files(authority, Some(own()))).await;
    assert!(!plain.contains("certificate"), "{plain}");
    let keys = HostKeys::load_or_make(&folder.path().join("keys")).unwrap();
    let http = HttpTransport::new("http://localhost:1").unwrap();
    let error = AmqpTransport::new(&url, http, &keys).err().unwrap().to_string();
    assert!(error.contains("needs the setting ca"), "{error}");

    let pair = authority.issue_expired("cert", &["localhost"]).unwrap();
    fs::rename(&pair.key, pair.key.with_file_name("key.pem")).unwrap();
    site.broker.restart().unwrap();
    let authority = site.authority.as_ref().unwrap();
    let expired = refusal(&url, files(authority, Some(authority.issue("host", &[]).unwrap()))).await;
    assert!(expired.contains("certificate expired"), "{expired}");
}

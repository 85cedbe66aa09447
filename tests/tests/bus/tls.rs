//! Agents over HTTPS, and those who only look like them.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster_agent::enrol::Step;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::tls::TlsFiles;
use muster_agent::io::transport::{Fetched, Transport, TransportError};
use muster_reconciler::io::bus::HttpLimits;
use muster_reconciler::io::tls::{ServerFiles, ServerTls};
use muster_tests::certificates::{Authority, Pair};
use tempfile::TempDir;

use crate::parties::{Agent, Orchestrator};

/// An orchestrator with TLS, and who signs for it and for hosts.
struct Scene {
    orchestrator: Orchestrator,
    authority: Authority,
    files: ServerFiles,
    folder: TempDir,
}

impl Scene {
    async fn begin(is_mutual: bool, limits: HttpLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::make(&folder.path().join("own")).unwrap();
        let pair = authority.issue("server", &["127.0.0.1"]).unwrap();
        let client_ca = is_mutual.then(|| authority.ca());
        let files = ServerFiles { certificate: pair.certificate, key: pair.key, client_ca };
        let orchestrator = Orchestrator::start_tls(ServerTls::load(files.clone()).unwrap(), limits).await;
        orchestrator.publish("root.json", b"root");
        Scene { orchestrator, authority, files, folder }
    }

    fn other(&self) -> Authority {
        Authority::make(&self.folder.path().join("other")).unwrap()
    }

    fn url(&self) -> String {
        format!("https://{}", self.orchestrator.address)
    }

    /// The root document, as whoever has these certificates gets it.
    async fn fetch(&self, url: &str, trusted: &Authority, shown: Option<Pair>) -> Result<Fetched, TransportError> {
        let tls = TlsFiles { ca: Some(trusted.ca()), identity: shown.map(|pair| (pair.certificate, pair.key)) };
        HttpTransport::with_tls(url, tls).unwrap().fetch("root.json", None, 100).await
    }
}

fn refusal(fetched: Result<Fetched, TransportError>) -> String {
    let error = fetched.unwrap_err();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Whether it was said why, or the connection was closed: what is said can be lost when we have sent more meanwhile.
fn is_turned_away(refusal: &str, alert: &str) -> bool {
    refusal.contains(alert) || refusal.contains("Connection reset by peer") || refusal.contains("Broken pipe")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_certificate_is_served_by_tls_and_nobody_else() {
    let scene = Scene::begin(true, HttpLimits::default()).await;
    let (own, other, url) = (&scene.authority, scene.other(), scene.url());
    let host = || own.issue("host", &[]).unwrap();
    assert_eq!(scene.fetch(&url, own, Some(host())).await.unwrap(), Fetched::File(b"root".to_vec()));
    let web = Agent::over("web-1", scene.orchestrator.fresh, |_| {
        let (pair, ca) = (host(), Some(own.ca()));
        let tls = TlsFiles { ca, identity: Some((pair.certificate, pair.key)) };
        Arc::new(HttpTransport::with_tls(&url, tls).unwrap())
    });
    assert_eq!(web.step().await, Step::Pending);

    let nobody = refusal(scene.fetch(&url, own, None).await);
    assert!(nobody.contains("status 403"), "{nobody}");
    let stranger = refusal(scene.fetch(&url, own, Some(other.issue("host", &[]).unwrap())).await);
    assert!(is_turned_away(&stranger, "UnknownCA"), "{stranger}");
    let late = refusal(scene.fetch(&url, own, Some(own.issue_expired("late", &[]).unwrap())).await);
    assert!(is_turned_away(&late, "CertificateExpired"), "{late}");
    let wrong_ca = refusal(scene.fetch(&url, &other, Some(host())).await);
    assert!(wrong_ca.contains("UnknownIssuer"), "{wrong_ca}");
    let public = HttpTransport::new(&url).unwrap().fetch("root.json", None, 100).await;
    assert!(refusal(public).contains("UnknownIssuer"), "no public authority signed it");
    let name = format!("https://localhost:{}", scene.orchestrator.address.port());
    let wrong_name = refusal(scene.fetch(&name, own, Some(host())).await);
    assert!(wrong_name.contains("not valid for name"), "{wrong_name}");
    let plain = scene.fetch(&scene.orchestrator.url(), own, Some(host())).await;
    assert!(plain.is_err(), "no answer without TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_authority_of_hosts_the_signed_messages_suffice() {
    let scene = Scene::begin(false, HttpLimits::default()).await;
    assert!(scene.fetch(&scene.url(), &scene.authority, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_handshakes_hold_their_places_for_a_while_only() {
    let limits = HttpLimits { connections: 4, head: Duration::from_secs(1), ..HttpLimits::default() };
    let scene = Scene::begin(false, limits).await;
    let begun = Instant::now();
    let silent: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(scene.orchestrator.address).unwrap()).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(scene.fetch(&scene.url(), &scene.authority, None).await.is_err(), "every place is taken");
    let ended = tokio::task::spawn_blocking(move || {
        silent.into_iter().all(|mut stream| matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)))
    });
    assert!(ended.await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(10), "they were cut off: {:?}", begun.elapsed());
    assert!(scene.fetch(&scene.url(), &scene.authority, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let scene = Scene::begin(false, HttpLimits::default()).await;
    let expired = scene.authority.issue_expired("expired", &["127.0.0.1"]).unwrap();
    let other = scene.other();
    let renewed = other.issue("server", &["127.0.0.1"]).unwrap();
    let replace = async |pair: &Pair| {
        fs::copy(&pair.key, &scene.files.key).unwrap();
        fs::copy(&pair.certificate, &scene.files.certificate).unwrap();
        // The files are looked at once a second.
        tokio::time::sleep(Duration::from_millis(1200)).await;
    };
    replace(&expired).await;
    let text = refusal(scene.fetch(&scene.url(), &scene.authority, None).await);
    assert!(text.contains("certificate expired"), "{text}");
    replace(&renewed).await;
    assert!(scene.fetch(&scene.url(), &other, None).await.is_ok());
    fs::write(&scene.files.certificate, "no certificate").unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(scene.fetch(&scene.url(), &other, None).await.is_ok(), "the old one is used on");
}

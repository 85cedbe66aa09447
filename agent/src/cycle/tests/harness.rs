//! An agent with folders of its own, against the orchestrator for tests.

use crate::accepted::Accepted;
use crate::apply::{ManagedHost, Owed, Risk};
use crate::breakglass::break_glass_orders;
use crate::converge::Converger;
use crate::cycle::{Cycle, run_cycle};
use crate::host::RealHost;
use crate::io::facts::load_facts;
use crate::io::host_keys::HostKeys;
use crate::io::status_file::{Identity, StatusFile, load_status};
use crate::known::Known;
use crate::ledger::Ledger;
use crate::rest::{Answer, Rest};
use crate::secrets::Secrets;
use crate::store::{Batch, Store};
use crate::test_orchestrator::{TestOrchestrator, host_id};
use crate::vault::Vault;
use crate::worker::{Order, Shared, WorkerInput, work};
use muster_schema::api::Method;
use muster_schema::content::BlobRef;
use muster_schema::report::{Report, Transition};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Agent {
    dir: tempfile::TempDir,
    pub(super) orchestrator: Arc<TestOrchestrator>,
    keys: Arc<HostKeys>,
    running: Option<(JoinHandle<()>, JoinHandle<()>, Sender<Order>)>,
    rest: Option<Arc<Rest>>,
}

impl Agent {
    pub(super) async fn begin() -> Agent {
        Agent::begin_in(&std::env::temp_dir()).await
    }

    /// Begins with its folders in another one.
    pub(super) async fn begin_in(parent: &Path) -> Agent {
        let dir = tempfile::tempdir_in(parent).unwrap();
        std::fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        let keys = Arc::new(HostKeys::load_or_make(&dir.path().join("keys")).unwrap());
        let orchestrator = Arc::new(TestOrchestrator::new(keys.public_key()));
        let mut agent = Agent { dir, orchestrator, keys, running: None, rest: None };
        agent.start().await;
        agent
    }

    /// Does what `muster-agent run` does.
    pub(super) async fn start(&mut self) {
        let state = self.dir.path();
        let (store, _) = Store::open(&state.join("store")).unwrap();
        let secrets = Arc::new(Secrets::new(self.keys.clone()));
        let managed = ManagedHost {
            host: Box::new(RealHost::open(&state.join("root")).unwrap().with_secrets(secrets.clone())),
            ledger: Ledger::open(&state.join("ledger")).unwrap(),
            originals: Vault::open(&state.join("originals")).unwrap(),
            blobs: Arc::new(Vault::open(&state.join("blobs")).unwrap()),
            known: Known::load(&store).unwrap(),
            owed: Owed::load(&store).unwrap(),
            risk: Risk::load(&store).unwrap(),
            store: Arc::new(store),
        };
        let (store, blobs) = (managed.store.clone(), managed.blobs.clone());
        let told = load_status(state).ok().and_then(|status| status.applied);
        let (accepted, manifest) = Accepted::in_force(&store, &blobs, told.as_ref()).unwrap().unzip();
        let mut resources = manifest.map(|manifest| manifest.resources).unwrap_or_default();
        secrets.keep_only(&mut resources, &blobs);
        let in_force = accepted.is_some();
        let mode = Default::default();
        let shared = Arc::new(Shared::default());
        if let Some(accepted) = &accepted {
            shared.note_head(accepted.marks.issued, accepted.expires);
        }
        let begun = Converger::begin(managed, resources, mode, shared.judged_time());
        let converger = begun.unwrap();
        let (orders, receiver) = std::sync::mpsc::channel();
        let identity = Identity { id: None, name: host_id(), key: self.keys.public_key().fingerprint() };
        let input = WorkerInput {
            converger,
            applied: accepted.as_ref().map(|accepted| accepted.applied.clone()),
            manifest: accepted.as_ref().map(|accepted| accepted.manifest),
            break_glass: accepted.as_ref().and_then(|accepted| accepted.break_glass.clone()),
            retired: accepted.is_some_and(|accepted| accepted.retired),
            sweep_interval: Duration::from_secs(3600),
            status: StatusFile::new(state, identity),
        };
        let (break_glass, waiting) = break_glass_orders();
        let rest = Arc::new(Rest {
            folder: state.to_owned(),
            root: state.join("root"),
            mode,
            confirm_within: None,
            store: store.clone(),
            blobs: blobs.clone(),
            orders: orders.clone(),
            extensions: None,
            secrets: Some(secrets.clone()),
            turns: Rest::new_turns(),
            break_glass,
        });
        self.rest = Some(rest.clone());
        let cycle = Cycle {
            rest,
            transport: self.orchestrator.clone(),
            keys: self.keys.clone(),
            key_folder: state.join("keys"),
            store,
            blobs,
            secrets,
            fingerprint: self.orchestrator.fingerprint(),
            token: None,
            name: host_id(),
            in_force,
            facts: load_facts().unwrap(),
            orders: orders.clone(),
            break_glass: waiting.into(),
            shared: shared.clone(),
        };
        let (root, sender) = (state.join("root"), orders.clone());
        let worker = tokio::task::spawn_blocking(move || work(input, &root, (sender, receiver), &shared).unwrap());
        let cycle = tokio::spawn(async move { run_cycle(cycle).await.unwrap() });
        self.running = Some((cycle, worker, orders));
    }

    pub(super) async fn stop(&mut self) {
        let (cycle, worker, orders) = self.running.take().unwrap();
        self.rest = None;
        cycle.abort();
        let _ = cycle.await;
        orders.send(Order::Stop).unwrap();
        worker.await.unwrap();
    }

    /// What a person on the host is answered. The cycle takes one order at a time.
    pub(super) async fn post(&self, target: &str) -> Answer {
        let rest = self.rest.clone().unwrap();
        loop {
            let answer = rest.answer_local(Method::Post, target).await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What secrets for this host are encrypted to.
    pub(super) fn recipient(&self) -> age::x25519::Recipient {
        self.keys.recipient().parse().unwrap()
    }

    /// What a run leaves that took up the next manifest, with one blob, and was killed before it changed anything.
    pub(super) fn accept_only(&self, resources: &Value, blob: &str) {
        let head = self.orchestrator.publish(resources);
        let bytes = self.orchestrator.get(&format!("hosts/{}/{}.json", host_id(), head.manifest));
        let blobs = Vault::open(&self.dir.path().join("blobs")).unwrap();
        blobs.keep_bytes(&bytes).unwrap();
        blobs.keep_bytes(blob.as_bytes()).unwrap();
        let (store, _) = Store::open(&self.store()).unwrap();
        let mut accepted = Accepted::load(&store).unwrap().unwrap();
        (accepted.marks.manifest, accepted.marks.serial) = (head.manifest, head.serial);
        (accepted.applied.manifest, accepted.applied.serial) = (head.manifest, head.serial);
        accepted.manifest = BlobRef::of(&bytes);
        accepted.commit(&store, Batch::new()).unwrap();
    }

    pub(super) async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    pub(super) async fn end(&mut self) {
        self.stop().await;
    }

    /// Has the host another key for what is encrypted to it, as after an exchange.
    pub(super) fn exchange_age_key(&mut self) {
        let keys = self.dir.path().join("keys");
        std::fs::remove_file(keys.join("age.key")).unwrap();
        self.keys = Arc::new(HostKeys::load_or_make(&keys).unwrap());
    }

    pub(super) fn state(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path)
    }

    pub(super) fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        std::fs::write(self.path(path), content).unwrap();
    }

    pub(super) async fn wait_for(&self, path: &str, content: Option<&str>) {
        self.wait(&format!("{path} to be {content:?}"), || self.read(path).as_deref() == content).await;
    }

    pub(super) async fn wait_for_report(&self, wanted: impl Fn(&Report) -> bool) {
        self.wait("the report", || self.orchestrator.reports().iter().any(&wanted)).await;
    }

    pub(super) async fn wait_for_transitions(&self, count: usize) {
        self.wait(&format!("{count} transitions"), || self.transitions().len() >= count).await;
    }

    pub(super) async fn wait_for_rejection(&self, code: &str) {
        self.wait(code, || {
            self.orchestrator.reports().iter().flat_map(|report| &report.rejections).any(|found| found.code == code)
        })
        .await;
    }

    pub(super) async fn wait(&self, what: &str, is: impl Fn() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is() {
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn transitions(&self) -> Vec<Transition> {
        self.orchestrator.reports().into_iter().flat_map(|report| report.transitions).collect()
    }
}

impl Drop for Agent {
    /// A test that fails ends too, which it does not while the worker runs.
    fn drop(&mut self) {
        if let Some((cycle, _, orders)) = self.running.take() {
            cycle.abort();
            let _ = orders.send(Order::Stop);
        }
    }
}

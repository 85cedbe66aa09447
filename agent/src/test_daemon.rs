//! The worker and the watcher of services on the machine that a test has entered, as `muster-agent run` has them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use crate::io::status_file::{Identity, StatusFile};
use crate::resource::test_converger::{load, open};
use crate::watch::watch_services;
use crate::worker::{InForce, Order, Shared, WorkerInput, work};
use muster_schema::content::BlobRef;
use muster_schema::report::{Applied, Report};
use muster_schema::{CommitId, Sha256Digest};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Both. Sweeps never come.
pub(crate) struct Daemon {
    orders: Sender<Order>,
    shared: Arc<Shared>,
    runtime: tokio::runtime::Runtime,
    worker: std::thread::JoinHandle<()>,
    serial: u64,
}

impl Daemon {
    pub(crate) fn begin() -> Daemon {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (orders, receiver) = std::sync::mpsc::channel();
        let shared = Arc::new(Shared::default());
        let (teller, sender, of_worker) = (orders.clone(), orders.clone(), shared.clone());
        let worker = std::thread::spawn(move || {
            let identity = Identity { id: None, name: "probe".parse().unwrap(), key: String::new() };
            let input = WorkerInput {
                converger: open(),
                applied: None,
                manifest: None,
                retired: false,
                break_glass: None,
                sweep_interval: Duration::from_secs(3600),
                status: StatusFile::new(Path::new("/run"), identity),
            };
            work(input, Path::new("/"), (sender, receiver), &of_worker).unwrap();
        });
        let units = shared.units.subscribe();
        runtime.spawn(watch_services(units, move |services| drop(teller.send(Order::Services(services)))));
        Daemon { orders, shared, runtime, worker, serial: 0 }
    }

    /// Puts a manifest in force, and returns when it is applied.
    pub(crate) fn follow(&mut self, resources: &Value) {
        self.serial += 1;
        let digest = Sha256Digest::of(b"");
        let applied = Applied {
            epoch: 1,
            serial: self.serial,
            manifest: digest,
            content: digest,
            revision: "0123456789012345678901234567890123456789".parse::<CommitId>().unwrap(),
        };
        let manifest = BlobRef { sha256: digest, size: 0 };
        let in_force = InForce { resources: load(resources), applied, manifest, break_glass: None };
        self.orders.send(Order::Manifest(Box::new(in_force))).unwrap();
        let serial = self.serial;
        let applied = || self.shared.report().and_then(|report| report.applied).map(|applied| applied.serial);
        wait_for("the manifest", || applied() == Some(serial));
    }

    /// What it would tell the orchestrator now.
    pub(crate) fn report(&self) -> Report {
        self.shared.report().unwrap()
    }

    pub(crate) fn end(self) {
        self.orders.send(Order::Stop).unwrap();
        self.worker.join().unwrap();
        self.runtime.shutdown_background();
    }
}

pub(crate) fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{what}: {:?}", begun.elapsed());
}

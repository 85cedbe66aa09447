//! Which signatures of witnesses give a host its head.

use muster_schema::root::{Role, RoleName};
use tokio::sync::oneshot;

use super::*;
use crate::io::bus::WitnessCall;
use crate::io::key_folder::KeyFolder;
use crate::io::store::Batch;
use crate::keys::{NextRoot, RootSigners};

fn sign(pair: &KeyPair, bytes: &[u8]) -> Vec<u8> {
    minisign::sign(None, &pair.sk, bytes, Some("t"), Some("u")).unwrap().into_string().into_bytes()
}

impl Fleet {
    /// Demands that `witness` signs.
    fn demand(&mut self, witness: &KeyPair) {
        let folder = KeyFolder::new(&self.repo.path().join("keys"));
        let (current, _) = folder.load_roots().unwrap().pop().unwrap();
        let mut next = NextRoot::after(current.root(), current.root().expires);
        let keys = vec![witness.pk.to_base64().parse().unwrap()];
        next.set_role(RoleName::Witness, Role { threshold: 1, keys });
        let signers = RootSigners::load(&folder, current.root(), &[], None).unwrap();
        let (verified, signatures) = signers.sign(&current, next.root()).unwrap();
        folder.keep_root(verified.root().version, verified.bytes(), &signatures).unwrap();
        self.orchestrator.take_newer_keys().unwrap();
    }

    /// A signature comes for a manifest of `host`: what is answered, and who has a new head by it.
    fn signs(&mut self, host: &HostId, signature: &[u8]) -> (Result<bool, String>, Vec<HostId>) {
        let manifest = self.orchestrator.awaiting[&id()].manifest.digest();
        let (respond, mut answer) = oneshot::channel();
        let call = WitnessCall::Sign { host: host.clone(), manifest, signature: signature.to_vec(), respond };
        let promoted = self.orchestrator.answer_witness(call);
        (answer.try_recv().unwrap(), promoted)
    }
}

#[test]
fn only_a_new_signature_that_counts_gives_its_host_a_head() {
    let (witness, other) = (KeyPair::generate_unencrypted_keypair().unwrap(), KeyPair::generate_unencrypted_keypair());
    let mut fleet = Fleet::start();
    fleet.demand(&witness);
    fleet.orchestrator.reconcile().unwrap();
    assert_eq!(fleet.rename("a"), 0);
    assert_eq!(fleet.hold().as_deref(), Some("AwaitingWitness"));
    let waiting = fleet.orchestrator.awaiting[&id()].manifest.clone();
    let good = sign(&witness, waiting.bytes());
    // Enough have signed already, as where publishing the head failed.
    let mut batch = Batch::default();
    batch.manifest_signature(&id(), waiting.digest(), &Signature::load(&good).unwrap());
    fleet.orchestrator.tree().publish(&batch).unwrap();

    let (refused, promoted) = fleet.signs(&id(), &sign(&other.unwrap(), waiting.bytes()));
    assert!(refused.is_err() && promoted.is_empty(), "a key that does not count: {refused:?}, {promoted:?}");
    let (refused, promoted) = fleet.signs(&id(), &sign(&witness, b"something else"));
    assert!(refused.is_err() && promoted.is_empty(), "other bytes: {refused:?}, {promoted:?}");
    assert_eq!(fleet.signs(&"web-2".parse().unwrap(), &good), (Ok(false), vec![]), "of a host that waits for nothing");
    assert_eq!(fleet.signs(&id(), &good), (Ok(true), vec![]), "one that is known");
    assert_eq!(fleet.hold().as_deref(), Some("AwaitingWitness"));

    let path = format!("data/published/hosts/web-1/{}.json", waiting.digest());
    let key: PublicKey = witness.pk.to_base64().parse().unwrap();
    std::fs::remove_file(fleet.repo.path().join(format!("{path}.{}.minisig", key.id()))).unwrap();
    assert_eq!(fleet.signs(&id(), &good), (Ok(true), vec![id()]));
    assert_eq!(fleet.hold(), None);
    assert_eq!(fleet.manifest().serial, waiting.serial());
}

//! No bytes make the readers panic, and no damage goes unnoticed.

use super::receipt;
use crate::test_dice::Dice;
use crate::test_repository::{TestRepository, insert_signature};
use crate::verify::commit_object::parse_commit;
use crate::verify::policy::load_signing_policy;
use crate::verify::signature::verify_ssh_signature;
use crate::verify::tree_object::{is_in_order, parse_tree};
use crate::verify::{parse_allowed_signers, parse_revoked_signers};

impl Dice {
    /// Cuts, doubles, or replaces some bytes.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        for _ in 0..=self.roll(3) {
            let at = self.roll(damaged.len().max(1));
            match self.roll(4) {
                0 => damaged.truncate(at),
                1 => damaged.extend_from_slice(&bytes[at.min(bytes.len())..]),
                2 => damaged.insert(at.min(damaged.len()), [0, b'\n', b' ', b'"', 0xff][self.roll(5)]),
                _ => {
                    if let Some(byte) = damaged.get_mut(at) {
                        *byte ^= 1 << self.roll(8);
                    }
                }
            }
        }
        damaged
    }
}

#[test]
fn damaged_commits_are_refused() {
    let repo = TestRepository::new();
    let open = repo.open();
    let head = open.head().unwrap().peel_to_commit().unwrap();
    let policy = load_signing_policy(&open, head.id(), head.tree_id(), receipt()).unwrap();
    let raw = repo.raw_commit(&head.tree_id().to_string(), &[head.id()], "", "message\n");
    let signed = insert_signature(&raw, &[&repo.sign("alice", "git", &raw)]);
    let good = parse_commit(&signed).unwrap();
    assert_eq!(good.payload, raw);
    verify_ssh_signature(&good.payload, good.signature.as_ref().unwrap(), &policy, receipt()).unwrap();

    let mut dice = Dice(1);
    for _ in 0..5_000 {
        let damaged = dice.damage(&signed);
        let Ok(commit) = parse_commit(&damaged) else { continue };
        let Some(signature) = commit.signature else { continue };
        if verify_ssh_signature(&commit.payload, &signature, &policy, receipt()).is_ok() {
            assert_eq!(commit.payload, raw, "only the armour's own blanks may differ");
        }
    }
}

#[test]
fn damaged_trees_and_policy_files_are_read_to_the_end() {
    let repo = TestRepository::new();
    let open = repo.open();
    let tree = open.head().unwrap().peel_to_tree().unwrap();
    let raw = open.odb().unwrap().read(tree.id()).unwrap().data().to_vec();
    let entries = parse_tree(&raw).unwrap();
    assert!(is_in_order(&entries) && entries.len() == tree.len());
    let options = "namespaces=\"git,file\",valid-after=\"20260101\",valid-before=\"20270101120000Z\"";
    let signers = format!("# x\n{}{}", repo.signer_line("alice", options), repo.signer_line("mallory", ""));

    let mut dice = Dice(2);
    for _ in 0..20_000 {
        if let Some(entries) = parse_tree(&dice.damage(&raw)) {
            let _ = is_in_order(&entries);
        }
        let damaged = dice.damage(signers.as_bytes());
        let (lines, faults) = parse_allowed_signers(&String::from_utf8_lossy(&damaged));
        assert!(lines.len() + faults.len() <= 8);
        let _ = parse_revoked_signers(&damaged);
    }
}

//! The part `sops` of a file: to whom it is encrypted, and the MAC.

use super::SopsError;
use super::tree::Tree;

/// Services of SOPS other than age, by the key of their list.
const OTHER_SERVICES: &[(&str, &str)] = &[
    ("pgp", "PGP"),
    ("kms", "AWS KMS"),
    ("gcp_kms", "GCP KMS"),
    ("azure_kv", "Azure Key Vault"),
    ("hc_vault", "HashiCorp Vault"),
    ("hckms", "Huawei Cloud KMS"),
];

/// What SOPS says of a file.
pub(super) struct Metadata {
    /// Each recipient of age, and the data key encrypted to it, in armour.
    pub(super) recipients: Vec<(String, String)>,
    /// The MAC, encrypted.
    pub(super) mac: String,
    /// When the file was written, as it stands there: the MAC is bound to it.
    pub(super) last_modified: String,
    /// Whether the MAC is of the encrypted values alone.
    pub(super) mac_only_encrypted: bool,
}

impl Metadata {
    /// Reads the part.
    pub(super) fn load(tree: &Tree) -> Result<Metadata, SopsError> {
        let text = |at: &'static str| {
            let text = tree.get(at).and_then(Tree::text).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(SopsError::Metadata { at, reason: "is missing" })
        };
        if !matches!(tree, Tree::Map(_)) {
            return Err(SopsError::NotSops("its part 'sops' is no map"));
        }
        let groups = tree.get("key_groups").map_or(0, Tree::len);
        let threshold = tree.get("shamir_threshold").and_then(Tree::text).unwrap_or("0");
        if groups > 1 || !matches!(threshold, "0" | "1") {
            return Err(SopsError::Groups);
        }
        // One group is written as none.
        let keys = match tree.get("key_groups") {
            Some(Tree::List(groups)) if groups.len() == 1 => groups.first().unwrap_or(tree),
            _ => tree,
        };
        let recipients = recipients(keys)?;
        if recipients.is_empty() {
            let used = OTHER_SERVICES.iter().filter(|(at, _)| keys.get(at).is_some_and(|list| list.len() > 0));
            let used: Vec<&str> = used.map(|(_, name)| *name).collect();
            return Err(match used.is_empty() {
                true => SopsError::NotSops("its part 'sops' names no recipient"),
                false => SopsError::OtherService(used.join(" and ")),
            });
        }
        let mac_only_encrypted = tree.get("mac_only_encrypted").and_then(Tree::text) == Some("True");
        Ok(Metadata { recipients, mac: text("mac")?, last_modified: text("lastmodified")?, mac_only_encrypted })
    }
}

fn recipients(keys: &Tree) -> Result<Vec<(String, String)>, SopsError> {
    let Some(Tree::List(list)) = keys.get("age") else { return Ok(Vec::new()) };
    let of = |one: &Tree| {
        let text = |at| one.get(at).and_then(Tree::text).map(str::to_owned);
        Some((text("recipient")?, text("enc")?))
    };
    let fault = SopsError::Metadata { at: "age", reason: "has an entry without 'recipient' and 'enc'" };
    list.iter().map(of).collect::<Option<Vec<_>>>().ok_or(fault)
}

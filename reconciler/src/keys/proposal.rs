//! A next root document that several people are to sign, and what it changes in words.

use muster_schema::envelope::Signature;
use muster_schema::root::{Role, RoleName, Root, RootError, VerifiedRoot};
use muster_schema::{PublicKey, Sha256Digest};

#[cfg(test)]
mod tests;

/// A next root document beside the one that it follows.
#[derive(Debug, Clone)]
pub struct Proposal {
    current: VerifiedRoot,
    next: Root,
    bytes: Vec<u8>,
}

/// Why there is nothing to sign.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The next document would never hold, whoever signs it.
    #[error("the next root document would not hold")]
    Unsound(#[source] RootError),
    /// `muster serve` could not work by it.
    #[error(
        "role {role} would need {threshold} signatures; muster serve signs with one key of it\n  hint: --threshold 1"
    )]
    Threshold {
        /// The role.
        role: RoleName,
        /// Its threshold.
        threshold: u32,
    },
    /// Not enough of those who must have signed.
    #[error("too few have signed: {error}; {signed} signatures count\n  hint: these keys have not signed: {missing}")]
    TooFew {
        /// How many signatures count.
        signed: usize,
        /// Which threshold is not met.
        error: RootError,
        /// The ids of the keys that have not signed.
        missing: String,
    },
}

impl Proposal {
    /// Takes `bytes` for the document that is to follow `current`.
    ///
    /// # Errors
    /// When it could not, whoever signs it.
    pub fn load(current: VerifiedRoot, bytes: Vec<u8>) -> Result<Self, ProposalError> {
        match current.next(&bytes, &[]) {
            Ok(_) | Err(RootError::TooFewSignatures { .. }) => {}
            Err(error) => return Err(ProposalError::Unsound(error)),
        }
        // It was read strictly just now.
        let next: Root = serde_json::from_slice(&bytes)
            .map_err(|error| ProposalError::Unsound(RootError::Document(error.into())))?;
        for role in [RoleName::Render, RoleName::Fresh] {
            let threshold = next.roles.get(role).threshold;
            if threshold != 1 {
                return Err(ProposalError::Threshold { role, threshold });
            }
        }
        Ok(Proposal { current, next, bytes })
    }

    /// The document that is followed.
    pub fn current(&self) -> &VerifiedRoot {
        &self.current
    }

    /// The next document.
    pub fn next(&self) -> &Root {
        &self.next
    }

    /// The next document's exact bytes: what is signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whose signatures count: the root keys of both documents, each once.
    pub fn signers(&self) -> Vec<PublicKey> {
        let mut keys = self.current.root().roles.root.keys.clone();
        keys.extend(self.next.roles.root.keys.iter().filter(|key| !self.current.root().roles.root.keys.contains(key)));
        keys
    }

    /// The verified document, with the signatures that count.
    ///
    /// # Errors
    /// When they do not reach the thresholds of both documents.
    pub fn finish(&self, signatures: &[Signature]) -> Result<(VerifiedRoot, Vec<Signature>), ProposalError> {
        let by = |key: &PublicKey| signatures.iter().find(|signature| signature.verify(&self.bytes, key).is_ok());
        let signers = self.signers();
        let counting: Vec<Signature> = signers.iter().filter_map(by).cloned().collect();
        match self.current.next(&self.bytes, &counting) {
            Ok(verified) => Ok((verified, counting)),
            Err(error @ RootError::TooFewSignatures { .. }) => {
                let missing: Vec<String> =
                    signers.iter().filter(|key| by(key).is_none()).map(|key| key.id().to_string()).collect();
                Err(ProposalError::TooFew { signed: counting.len(), error, missing: missing.join(", ") })
            }
            Err(error) => Err(ProposalError::Unsound(error)),
        }
    }

    /// What a holder of a key is to read before signing: the change, then the whole.
    pub fn describe(&self) -> String {
        let (before, next) = (self.current.root(), &self.next);
        let mut lines = vec![
            format!("Fleet {}: root document {} is to follow {}.", next.fleet, next.version, before.version),
            format!("SHA-256 of {}.root.json: {}", before.version, Sha256Digest::of(self.current.bytes())),
            format!("SHA-256 of {}.root.json: {}", next.version, Sha256Digest::of(&self.bytes)),
            String::new(),
            "What changes:".to_owned(),
        ];
        lines.extend(changes(before, next).into_iter().map(|line| format!("  {line}")));
        lines.push(String::new());
        lines.push("What holds then:".to_owned());
        for name in RoleName::ALL {
            let role = next.roles.get(name);
            if role.is_none() {
                continue;
            }
            lines.push(format!("  {name}: {} of {} must sign", role.threshold, role.keys.len()));
            lines.extend(role.keys.iter().map(|key| format!("    {}", name_key(key))));
        }
        lines.push(format!("  epoch {}, until {}", next.epoch, next.expires));
        lines.join("\n") + "\n"
    }
}

/// The difference, a line for each thing.
fn changes(before: &Root, next: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    for name in RoleName::ALL {
        let (old, new): (&Role, &Role) = (before.roles.get(name), next.roles.get(name));
        if old.threshold != new.threshold {
            lines.push(format!("{name}: {} must sign, not {}", new.threshold, old.threshold));
        }
        let gone = old.keys.iter().filter(|key| !new.keys.contains(key));
        lines.extend(gone.map(|key| format!("{name}: without {}", name_key(key))));
        let come = new.keys.iter().filter(|key| !old.keys.contains(key));
        lines.extend(come.map(|key| format!("{name}: with {}", name_key(key))));
    }
    if before.epoch != next.epoch {
        lines.push(format!("epoch {}, not {}: every host gets a new manifest", next.epoch, before.epoch));
    }
    lines.push(format!("good until {}, not {}", next.expires, before.expires));
    lines
}

fn name_key(key: &PublicKey) -> String {
    format!("{}, fingerprint {}", key.id(), key.fingerprint())
}

//! The key that a role signs with by now.

use std::sync::{Arc, PoisonError, RwLock};

use muster_schema::PublicKey;
use muster_schema::envelope::Signature;

use super::{Signer, SignerError};

/// A signer that can be exchanged while others hold it.
pub struct CurrentSigner {
    inner: RwLock<Arc<dyn Signer>>,
}

impl CurrentSigner {
    /// Signs with `signer` until it is replaced.
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        CurrentSigner { inner: RwLock::new(signer) }
    }

    /// Signs with `signer` from now on.
    pub fn replace(&self, signer: Arc<dyn Signer>) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = signer;
    }

    /// What signs now.
    pub fn current(&self) -> Arc<dyn Signer> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Signer for CurrentSigner {
    fn public_key(&self) -> PublicKey {
        self.current().public_key()
    }

    fn sign(&self, bytes: &[u8], comment: &str) -> Result<Signature, SignerError> {
        self.current().sign(bytes, comment)
    }
}

//! The enrolment token of this host: it says once which machine it was given to.

use minisign::SecretKey;
use muster_schema::envelope::Signature;
use muster_schema::message::{TokenClaim, claim_statement};
use muster_schema::{FleetName, HostId, PublicKey, TokenSecret};

#[cfg(test)]
mod tests;

/// A token, and the host that it is to be used for; none: whichever is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its secret.
    pub secret: TokenSecret,
    /// The host, where somebody said which.
    pub host: Option<HostId>,
}

/// A token cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The library failed.
    #[error("the signature library failed")]
    Library(#[source] minisign::PError),
    /// Its two halves do not belong together.
    #[error("the enrolment token cannot sign what its own key verifies; have another one made")]
    Unsound,
}

impl Token {
    /// What the token says of the machine with this key and this age recipient.
    ///
    /// # Errors
    /// When the token is no key after all.
    pub fn claim(&self, fleet: &FleetName, key: &PublicKey, recipient: &str) -> Result<TokenClaim, TokenError> {
        let token = self.secret.public_key();
        let statement = claim_statement(fleet, &token, key, recipient, self.host.as_ref());
        let secret = SecretKey::from_bytes(&self.secret.to_secret_key()).map_err(TokenError::Library)?;
        let signature =
            minisign::sign(None, &secret, &statement[..], Some("muster enrolment"), Some("signed by a token"))
                .map_err(TokenError::Library)?;
        let signature = Signature::load(signature.into_string().as_bytes()).map_err(|_| TokenError::Unsound)?;
        let claim = TokenClaim { token, host: self.host.clone(), signature: signature.text().to_owned() };
        claim.verify(fleet, key, recipient).map_err(|_| TokenError::Unsound)?;
        Ok(claim)
    }
}

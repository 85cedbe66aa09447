//! A key in another process, which signs over a socket.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::PublicKey;
use muster_schema::envelope::Signature;
use muster_schema::root::RoleName;

use super::line::{Answer, MAX_ANSWER, Question, read_line, write_line};
use super::{Signer, SignerAddress, SignerError};

/// A signer that does not answer for so long is taken for gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// A key of a role that a signer process holds.
pub struct ProcessSigner {
    address: SignerAddress,
    role: RoleName,
    key: PublicKey,
    /// Connections that nobody uses at the moment: many hosts are signed for at once.
    idle: Mutex<Vec<BufReader<UnixStream>>>,
}

impl ProcessSigner {
    /// The last of `keys` that the process at `address` has for `role`; none where it has none of them.
    ///
    /// # Errors
    /// When the process does not answer, or refuses.
    pub fn find(address: &SignerAddress, role: RoleName, keys: &[PublicKey]) -> Result<Option<Self>, SignerError> {
        let mut stream = connect(address)?;
        let question = Question::Keys { role: role.to_string() };
        let Answer::Keys(held) = ask(address, &mut stream, &question)? else { return Err(SignerError::Form) };
        let key = keys.iter().rev().find(|key| held.contains(key)).copied();
        let idle = Mutex::new(vec![stream]);
        Ok(key.map(|key| ProcessSigner { address: address.clone(), role, key, idle }))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<BufReader<UnixStream>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signer for ProcessSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, bytes: &[u8], comment: &str) -> Result<Signature, SignerError> {
        let question = Question::Sign {
            role: self.role.to_string(),
            key: self.key,
            bytes: STANDARD.encode(bytes),
            comment: comment.to_owned(),
        };
        let idle = self.idle().pop();
        let old = idle.map(|mut stream| ask(&self.address, &mut stream, &question).map(|answer| (answer, stream)));
        let (answer, stream) = match old {
            Some(Ok(answered)) => answered,
            Some(Err(error @ SignerError::Refused { .. })) => return Err(error),
            // The process may have been started anew since.
            Some(Err(_)) | None => {
                self.idle().clear();
                let mut stream = connect(&self.address)?;
                (ask(&self.address, &mut stream, &question)?, stream)
            }
        };
        self.idle().push(stream);
        let Answer::Signature(text) = answer else { return Err(SignerError::Form) };
        let signature = Signature::load(text.as_bytes()).map_err(|_| SignerError::Form)?;
        signature.verify(bytes, &self.key).map_err(|_| SignerError::Form)?;
        Ok(signature)
    }
}

fn connect(address: &SignerAddress) -> Result<BufReader<UnixStream>, SignerError> {
    let connect = || {
        let stream = UnixStream::connect(address.path())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    };
    connect().map_err(|source| SignerError::Process { address: address.clone(), source })
}

fn ask(
    address: &SignerAddress,
    stream: &mut BufReader<UnixStream>,
    question: &Question,
) -> Result<Answer, SignerError> {
    let mut exchange = || {
        write_line(stream.get_mut(), question)?;
        read_line(stream, MAX_ANSWER)?.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    };
    match exchange().map_err(|source| SignerError::Process { address: address.clone(), source })? {
        Answer::Error(message) => Err(SignerError::Refused { address: address.clone(), message }),
        answer => Ok(answer),
    }
}

//! A signer process: holds the keys of `render` and `fresh`, and signs what they may sign.

use std::fs::Permissions;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::root::RoleName;
use muster_schema::{FleetName, PublicKey};

use super::line::{Answer, MAX_QUESTION, Question, read_line, write_line};
use super::signable::check_signable;
use super::{FileSigner, Signer, SignerAddress, SignerError};

/// Connections at a time; one more is closed at once.
const MAX_CONNECTIONS: usize = 64;

/// The longest comment, in bytes: minisign's signatures are small.
const MAX_COMMENT: usize = 300;

/// The keys of a signer process, by role.
#[derive(Default)]
pub struct HeldKeys {
    /// Each key, and the one role that it signs for.
    pub keys: Vec<(RoleName, FileSigner)>,
}

/// Looks for the keys anew: a role may have got another since.
pub type LoadKeys = dyn Fn() -> Result<HeldKeys, anyhow::Error> + Send + Sync;

struct Desk {
    fleet: FleetName,
    held: RwLock<HeldKeys>,
    load: Box<LoadKeys>,
}

/// Listens at `address` and signs for whoever may write to that socket (mode
/// 0660: the signer's user and group), until the process ends.
///
/// # Errors
/// When the keys cannot be loaded, or somebody listens there.
pub fn serve_signer(
    address: &SignerAddress,
    fleet: FleetName,
    load: Box<LoadKeys>,
    ready: impl FnOnce(),
) -> Result<(), anyhow::Error> {
    let desk = Arc::new(Desk { fleet, held: RwLock::new(load()?), load });
    let listener = bind(address.path()).map_err(|source| SignerError::Process { address: address.clone(), source })?;
    ready();
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let (desk, open) = (desk.clone(), open.clone());
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        std::thread::spawn(move || {
            if let Err(error) = desk.serve(&stream) {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection ended");
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
    Ok(())
}

/// Takes the place of a socket that nobody listens at any more.
fn bind(path: &Path) -> Result<UnixListener, std::io::Error> {
    if path.exists() && UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
    Ok(listener)
}

impl Desk {
    fn serve(&self, stream: &UnixStream) -> Result<(), std::io::Error> {
        let (mut reader, mut writer) = (BufReader::new(stream), stream);
        while let Some(question) = read_line(&mut reader, MAX_QUESTION)? {
            let answer = self.answer(question).unwrap_or_else(|error| {
                tracing::warn!(%error, "not signed");
                Answer::Error(error)
            });
            write_line(&mut writer, &answer)?;
        }
        Ok(())
    }

    fn answer(&self, question: Question) -> Result<Answer, String> {
        match question {
            Question::Keys { role } => {
                let role = known(&role)?;
                match (self.load)() {
                    Ok(held) => *self.held.write().unwrap_or_else(PoisonError::into_inner) = held,
                    Err(error) => tracing::warn!("the keys cannot be loaded anew: {error:#}"),
                }
                let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
                let of_role = held.keys.iter().filter(|(of, _)| *of == role);
                Ok(Answer::Keys(of_role.map(|(_, signer)| signer.public_key()).collect()))
            }
            Question::Sign { role, key, bytes, comment } => self.sign(known(&role)?, key, &bytes, &comment),
        }
    }

    fn sign(&self, role: RoleName, key: PublicKey, bytes: &str, comment: &str) -> Result<Answer, String> {
        if comment.len() > MAX_COMMENT || comment.chars().any(char::is_control) {
            return Err("the comment is too long, or has control characters".to_owned());
        }
        let bytes = STANDARD.decode(bytes).map_err(|_| "the bytes are no base64".to_owned())?;
        check_signable(role, &self.fleet, &bytes).map_err(|error| error.to_string())?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let signer = held.keys.iter().find(|(of, signer)| *of == role && signer.public_key() == key);
        let (_, signer) = signer.ok_or_else(|| format!("{} is no key of role {role} here", key.id()))?;
        let signature = signer.sign(&bytes, comment).map_err(|error| error.to_string())?;
        Ok(Answer::Signature(signature.text().to_owned()))
    }
}

fn known(role: &str) -> Result<RoleName, String> {
    role.parse().map_err(|error| format!("{error}"))
}

//! Who works here, by git's own settings: the installed git reads them, so that
//! includes, the environment and `~` mean what people know.
#![allow(clippy::disallowed_methods, reason = "asks git for its settings")]

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::GitError;
use super::signing_program::{GpgSigner, OperatorSigner, SshKeygenSigner};

/// The name and e-mail address that git would write into a commit in `repo`;
/// none where they are not set. Never one that git makes up of the machine's name.
///
/// # Errors
/// When git cannot be run.
pub fn load_operator(repo: &Path) -> Result<Option<(String, String)>, GitError> {
    let ident = ask(repo, &["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"])?;
    let parts = ident.as_deref().and_then(|ident| ident.split_once(" <"));
    let operator = parts.and_then(|(name, rest)| Some((name.to_owned(), rest.split_once('>')?.0.to_owned())));
    Ok(operator.filter(|(name, email)| !name.is_empty() && !email.is_empty()))
}

/// The file of the key that signs commits in `repo`, git's `user.signingKey`;
/// none where it is not set.
///
/// # Errors
/// When git cannot be run.
pub fn load_signing_key(repo: &Path) -> Result<Option<PathBuf>, GitError> {
    Ok(ask(repo, &["config", "--type=path", "--get", "user.signingKey"])?.map(PathBuf::from))
}

/// How commits in `repo` are signed: as git does, except that a key that is a file is an SSH key whatever
/// `gpg.format` says; none where no key is set.
///
/// # Errors
/// When git cannot be run, or signs by what muster does not verify.
pub fn load_signer(repo: &Path) -> Result<Option<OperatorSigner>, GitError> {
    let Some(key) = load_signing_key(repo)? else { return Ok(None) };
    let setting = |name| ask(repo, &["config", "--get", name]);
    let program = |name| ask(repo, &["config", "--type=path", "--get", name]);
    let format = setting("gpg.format")?.unwrap_or_else(|| "openpgp".to_owned());
    if format == "ssh" || key.is_file() {
        return Ok(Some(OperatorSigner::Ssh(SshKeygenSigner { key })));
    }
    if format != "openpgp" {
        let message = format!("git's gpg.format is '{format}'; only 'ssh' and 'openpgp' signatures are verified");
        return Err(GitError::Failed { action: "signing".to_owned(), message });
    }
    let program = program("gpg.openpgp.program")?.or(program("gpg.program")?).unwrap_or_else(|| "gpg".to_owned());
    let key = key.to_string_lossy().into_owned();
    Ok(Some(OperatorSigner::OpenPgp(GpgSigner { program: program.into(), key })))
}

/// What git answers; none when it says that there is no answer.
fn ask(repo: &Path, arguments: &[&str]) -> Result<Option<String>, GitError> {
    let output = Command::new("git").arg("-C").arg(repo).args(arguments).output();
    let output = output.map_err(|source| GitError::Program { action: "git's settings".to_owned(), source })?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    Ok((output.status.success() && !text.is_empty()).then_some(text))
}

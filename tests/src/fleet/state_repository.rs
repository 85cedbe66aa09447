//! A state repository as people have it: a bare repository, a clone to work in, a key to sign with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// Who signs the test's commits.
pub const OPERATOR: &str = "operator@example.org";

/// A bare repository, and a clone of it with an SSH key that signs every commit.
///
/// Git's own programs do the work, with a home and a configuration of the test's own.
#[derive(Debug)]
pub struct StateRepository {
    folder: PathBuf,
}

impl StateRepository {
    /// Makes an empty one below `folder`, with a fresh operator's key.
    ///
    /// # Errors
    /// When git or ssh-keygen fails.
    pub fn make(folder: &Path) -> Result<Self> {
        let repository = Self { folder: folder.to_owned() };
        fs::create_dir_all(repository.home())?;
        make_key(&repository.key(), OPERATOR)?;
        let config = format!(
            "[user]\nname = Operator\nemail = {OPERATOR}\nsigningkey = {}\n\
             [gpg]\nformat = ssh\n[commit]\ngpgsign = true\n[init]\ndefaultBranch = main\n[push]\ndefault = current\n",
            repository.key().display()
        );
        fs::write(repository.home().join("gitconfig"), config)?;
        let bare = repository.bare();
        repository.run(&repository.folder, &["init", "--quiet", "--bare", path_text(&bare)?])?;
        let work = repository.work();
        repository.run(&repository.folder, &["init", "--quiet", path_text(&work)?])?;
        repository.git(&["remote", "add", "origin", path_text(&bare)?])?;
        Ok(repository)
    }

    /// The bare repository that the orchestrator watches.
    #[must_use]
    pub fn bare(&self) -> PathBuf {
        self.folder.join("state.git")
    }

    /// The clone that commits are made in.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The home of the operator: git's configuration, and the key.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The operator's private key; its public half is beside it, with `.pub`.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.home().join("operator")
    }

    /// The line of `policy/allowed_signers` for the operator.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn allowed_signer(&self) -> Result<String> {
        allowed_signer(OPERATOR, &self.key())
    }

    /// Writes a file of the clone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let place = self.work().join(path);
        fs::create_dir_all(place.parent().context("a file has a folder")?)?;
        fs::write(&place, content).with_context(|| format!("write {}", place.display()))
    }

    /// Removes a file or folder of the clone.
    ///
    /// # Errors
    /// When it is not there.
    pub fn remove(&self, path: &str) -> Result<()> {
        let place = self.work().join(path);
        let removed = if place.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
        removed.with_context(|| format!("remove {}", place.display()))
    }

    /// Commits everything in the clone, signed, and gives the commit's id.
    ///
    /// # Errors
    /// When there is nothing to commit.
    pub fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.tip()
    }

    /// Commits everything in the clone, signed, and pushes it.
    ///
    /// # Errors
    /// As [`StateRepository::commit`], or when the push is refused.
    pub fn publish(&self, message: &str) -> Result<String> {
        let commit = self.commit(message)?;
        self.push()?;
        Ok(commit)
    }

    /// Commits everything without a signature: what must not be believed.
    ///
    /// # Errors
    /// When there is nothing to commit.
    pub fn commit_unsigned(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--no-gpg-sign", "--message", message])?;
        self.tip()
    }

    /// Reverts a commit by a new, signed one, and pushes it.
    ///
    /// # Errors
    /// When the revert conflicts.
    pub fn publish_revert(&self, commit: &str) -> Result<String> {
        self.git(&["revert", "--no-edit", commit])?;
        self.push()?;
        self.tip()
    }

    /// Takes the last commits back, here and in the bare repository.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn rewind(&self, to: &str) -> Result<()> {
        self.git(&["reset", "--quiet", "--hard", to])?;
        self.git(&["push", "--quiet", "--force", "origin", "HEAD:main"]).map(drop)
    }

    /// Pushes the clone's branch to `main`.
    ///
    /// # Errors
    /// When the push is refused.
    pub fn push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "origin", "HEAD:main"]).map(drop)
    }

    /// The clone's newest commit.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn tip(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the clone, as the operator, and gives its standard output.
    ///
    /// # Errors
    /// When it fails; the message has its standard error.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        self.run(&self.work(), arguments)
    }

    /// Reads a file of a branch of the bare repository, such as `status`.
    #[must_use]
    pub fn read(&self, branch: &str, path: &str) -> Option<String> {
        self.run(&self.bare(), &["show", &format!("{branch}:{path}")]).ok()
    }

    /// Runs git in the bare repository and gives its standard output.
    ///
    /// # Errors
    /// When it fails; the message has its standard error.
    pub fn git_bare(&self, arguments: &[&str]) -> Result<String> {
        self.run(&self.bare(), arguments)
    }

    /// Makes a command run as this operator, with nothing of the machine's own git configuration.
    pub fn as_operator(&self, command: &mut Command) {
        command
            .env("HOME", self.home())
            .env("GIT_CONFIG_GLOBAL", self.home().join("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("SSH_AUTH_SOCK");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        self.as_operator(&mut git);
        let output = git.arg("-C").arg(folder).args(arguments).output().context("start git")?;
        text_of(&output).with_context(|| format!("git {arguments:?}"))
    }
}

/// Makes an SSH key without a passphrase.
///
/// # Errors
/// When ssh-keygen fails.
pub fn make_key(path: &Path, comment: &str) -> Result<()> {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path);
    text_of(&keygen.output().context("start ssh-keygen")?).map(drop)
}

/// The line of an allowed_signers file for a key made by [`make_key`].
///
/// # Errors
/// When the public key cannot be read.
pub fn allowed_signer(principal: &str, key: &Path) -> Result<String> {
    let public = key.with_extension("pub");
    let text = fs::read_to_string(&public).with_context(|| format!("read {}", public.display()))?;
    let mut words = text.split_whitespace();
    let (kind, body) = words.next().zip(words.next()).context("a public key has a type and a body")?;
    Ok(format!("{principal} namespaces=\"git,muster-approval\" {kind} {body}\n"))
}

fn text_of(output: &Output) -> Result<String> {
    ensure!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().context("a path of the tests is plain text")
}

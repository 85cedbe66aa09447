//! `muster key rotate`.

use std::path::Path;
use std::process::ExitCode;

use muster_schema::root::RoleName;

use super::super::progress;
use super::super::say::say;
use super::{Making, RootArgs};
use crate::io::signer::{FileSigner, Signer};

/// Give a role a new key by the next root document.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The role: root, render or fresh.
    role: RoleName,
    /// Let the key of before count beside the new one, until 'muster key revoke'.
    #[arg(long)]
    overlap: bool,
    #[command(flatten)]
    root: RootArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let role = args.role;
    let mut making = args.root.begin()?;
    let stem = making.folder.path().join(format!("{role}-{}", making.next.root().version));
    let told = progress::spinner("making a key");
    let before = making.next.root().roles.get(role).keys.clone();
    let made = make(&mut making, &stem, args);
    drop(told);
    let key = made?;
    say!(
        "role {role}: {key} counts from root document {} on, and is in {}",
        making.next.root().version,
        key_file(&stem)
    );
    for old in before {
        let counts = if args.overlap { "counts until 'muster key revoke'" } else { "counts no longer" };
        say!("role {role}: {} {counts}", old.id());
    }
    if role == RoleName::Root {
        say!("Move {} to a safe place off this machine; serving does not need it.", key_file(&stem));
    }
    making.say_kept();
    Ok(ExitCode::SUCCESS)
}

/// Makes the key and the root document that names it; both or nothing.
fn make(making: &mut Making, stem: &Path, args: &Args) -> Result<muster_schema::KeyId, anyhow::Error> {
    let role = args.role;
    let password = if role == RoleName::Root { &making.root_password } else { &making.password };
    let comment = format!("{} {role}", making.next.root().fleet);
    let signer = FileSigner::generate(stem, &comment, password.as_deref().map(String::as_str))?;
    let key = signer.public_key();
    let kept = making.next.add_key(role, key, args.overlap).map_err(Into::into).and_then(|()| {
        if role == RoleName::Root {
            making.signers.add(signer);
        }
        making.finish()
    });
    if let Err(error) = kept {
        // No root document names it.
        FileSigner::remove(stem)?;
        return Err(error);
    }
    Ok(key.id())
}

fn key_file(stem: &Path) -> String {
    stem.with_extension("key").display().to_string()
}

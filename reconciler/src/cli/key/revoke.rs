//! `muster key revoke`.

use std::process::ExitCode;

use super::super::say::say;
use super::RootArgs;

/// Take a key from its role by the next root document.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The key's id, as minisign writes it: 16 hexadecimal digits.
    #[arg(value_name = "KEYID")]
    key: String,
    #[command(flatten)]
    root: RootArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let mut making = args.root.begin()?;
    let (role, key) = making.next.revoke(&args.key)?;
    making.finish()?;
    say!("role {role}: {} counts no longer from root document {} on", key.id(), making.next.root().version);
    if let Some(path) = making.folder.find_secret(std::iter::once(&key))? {
        say!("Destroy {}; nothing needs it any more.", path.display());
    }
    making.say_kept();
    Ok(ExitCode::SUCCESS)
}

//! `muster audit`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Subcommand;
use muster_schema::Timestamp;
use serde::Serialize;
use ssh_key::PublicKey;

use super::exit::{DIFFERS, DONE};
use super::output::{Format, print_document, print_table};
use super::say::say;
use super::token::duration;
use crate::audit::{
    AuditEntry, AuditFault, CHECKPOINT_PATH, Checkpoint, CheckpointSeen, Decision, check_end_of_log, check_log,
    digest_lines, lines_before, load_entries,
};
use crate::io::audit::read_log;
use crate::io::clock;
use crate::io::git::load_status_history;

/// Read the audit log, and check that nothing of it was changed or cut off.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that each line follows the one before, and that the log is the one of every checkpoint in the status
    /// branch. Needs no network.
    Verify {
        #[command(flatten)]
        log: Log,
        /// The number of the first line that is here, where the segments before it are kept elsewhere.
        #[arg(long, value_name = "LINE", value_parser = clap::value_parser!(u64).range(1..))]
        from: Option<u64>,
        /// A clone of the state repository, whose status branch has the checkpoints.
        #[arg(long, value_name = "DIR", requires = "status_key")]
        clone: Option<PathBuf>,
        /// The status key: status.pub of the keys folder.
        #[arg(long, value_name = "FILE", requires = "clone")]
        status_key: Option<PathBuf>,
        /// The form of the output; text for a terminal, JSON for a pipe.
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
    /// Show what was allowed and denied, oldest first.
    Ls {
        #[command(flatten)]
        log: Log,
        /// Only of those whose name holds this text.
        #[arg(long, value_name = "TEXT")]
        who: Option<String>,
        /// Only what was decided so.
        #[arg(long, value_enum)]
        decision: Option<Decision>,
        /// Only what is not older: 12h, 30d, or a time as 2026-05-01T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = since)]
        since: Option<Timestamp>,
        /// The form of the output; a table for a terminal, JSON for a pipe.
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
}

#[derive(Debug, clap::Args)]
struct Log {
    /// The log, wherever it was copied to: a file, or a folder of segments.
    #[arg(long = "log", value_name = "PATH", conflicts_with = "data", required_unless_present = "data")]
    file: Option<PathBuf>,
    /// The orchestrator's folder, as in 'muster serve --data'.
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Log {
    fn read(&self) -> Result<Vec<u8>, anyhow::Error> {
        let path = self.file.clone().or(self.data.clone());
        Ok(read_log(&path.context("which log? Use --log or --data")?)?)
    }
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verdict {
    /// How many lines the log has.
    lines: u64,
    /// How many of them are not here, and were not checked.
    before: u64,
    /// Up to which line checkpoints prove it, where there were any.
    proven: u64,
    /// How many checkpoints were compared.
    checkpoints: usize,
    /// Status commits that the key did not sign.
    foreign: Vec<String>,
    /// What is wrong, in words.
    faults: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Verify { log, from, clone, status_key, output } => {
            let text = log.read()?;
            let (checkpoints, foreign) = match (clone, status_key) {
                (Some(clone), Some(key)) => load_checkpoints(clone, key)?,
                _ => (Vec::new(), Vec::new()),
            };
            let before = lines_before(&text);
            let faults = match from {
                Some(from) => {
                    let first = before + 1;
                    ensure!(*from == first, "the log begins with line {first}, not with line {from}");
                    check_end_of_log(&text, &checkpoints)
                }
                None => check_log(&text, &checkpoints),
            };
            let verdict = judge(&text, &checkpoints, foreign, &faults);
            match Format::or_default(*output) {
                Format::Table => tell(&verdict, clone.is_some()),
                format => print_document(format, &verdict)?,
            }
            Ok(ExitCode::from(if faults.is_empty() { DONE } else { DIFFERS }))
        }
        Command::Ls { log, who, decision, since, output } => {
            let mut entries = load_entries(&log.read()?);
            entries.retain(|entry| {
                who.as_ref().is_none_or(|who| entry.who.contains(who))
                    && decision.is_none_or(|decision| entry.decision == decision)
                    && since.is_none_or(|since| entry.at >= since)
            });
            match Format::or_default(*output) {
                Format::Table => print_entries(&entries),
                format => print_document(format, &entries)?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load_checkpoints(
    clone: &std::path::Path,
    key: &std::path::Path,
) -> Result<(Vec<CheckpointSeen>, Vec<String>), anyhow::Error> {
    let key = PublicKey::read_openssh_file(key).with_context(|| format!("the status key {}", key.display()))?;
    let history = load_status_history(clone, &key, CHECKPOINT_PATH)?;
    ensure!(
        history.commits > 0,
        "{} has no status branch\n  hint: git fetch origin status '+refs/muster/status/*:refs/muster/status/*'",
        clone.display()
    );
    ensure!(
        !history.versions.is_empty(),
        "no commit of the status branch in {} that this key signed has an {CHECKPOINT_PATH}",
        clone.display()
    );
    let mut checkpoints = Vec::new();
    for (commit, bytes) in history.versions {
        let checkpoint: Checkpoint =
            serde_json::from_slice(&bytes).with_context(|| format!("{CHECKPOINT_PATH} of status commit {commit}"))?;
        checkpoints.push(CheckpointSeen { commit: commit.to_string(), checkpoint });
    }
    Ok((checkpoints, history.foreign.iter().map(ToString::to_string).collect()))
}

fn judge(text: &[u8], checkpoints: &[CheckpointSeen], foreign: Vec<String>, faults: &[AuditFault]) -> Verdict {
    let forked = faults.iter().find_map(|fault| match fault {
        AuditFault::Forked { after, .. } => Some(*after),
        _ => None,
    });
    let before = lines_before(text);
    let lines = before.saturating_add(u64::try_from(digest_lines(text).len()).unwrap_or(u64::MAX));
    let here = |line: &u64| *line <= lines && *line >= before;
    let covered = checkpoints.iter().map(|seen| seen.checkpoint.lines).filter(here).max();
    Verdict {
        lines,
        before,
        proven: forked.or(covered).unwrap_or(0),
        checkpoints: checkpoints.len(),
        foreign,
        faults: faults.iter().map(ToString::to_string).collect(),
    }
}

fn tell(verdict: &Verdict, with_checkpoints: bool) {
    let Verdict { lines, before, proven, checkpoints, foreign, faults } = verdict;
    for fault in faults {
        say!("{fault}");
    }
    for commit in foreign {
        eprintln!("status commit {commit} is not signed by this key, and does not count");
    }
    if faults.is_empty() {
        say!("{lines} lines, each follows the one before");
    }
    if *before > 0 {
        say!("lines 1 to {before} are not here and were not checked");
    }
    if with_checkpoints {
        say!("{checkpoints} checkpoints prove it up to line {proven}");
    } else {
        eprintln!("whether the end is missing is told by checkpoints only: give --clone and --status-key");
    }
}

fn print_entries(entries: &[AuditEntry]) {
    let row = |entry: &AuditEntry| {
        let decision = match entry.decision {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        };
        let reason = match entry.unwritten {
            0 => entry.reason.clone(),
            more => format!("{} ({more} more before were not written)", entry.reason),
        };
        let of = [entry.hosts.as_str(), entry.commits.as_str()].join(" ");
        let cells = [decision, &entry.code, &entry.who, &entry.action, of.trim(), &reason].map(str::to_owned);
        [vec![entry.at.to_string()], cells.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    print_table(&["AT", "DECISION", "CODE", "WHO", "WHAT", "OF", "REASON"], &rows);
}

/// `12h`, before now, or a time.
fn since(text: &str) -> Result<Timestamp, anyhow::Error> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        let millis = u64::try_from(time.as_millisecond()).context("that is before 1970")?;
        return Ok(Timestamp(millis));
    }
    let ago = duration(text)
        .map_err(|_| anyhow::anyhow!("'{text}' is no time like 12h or 30d, and none like 2026-05-01T00:00:00Z"))?;
    let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
    Ok(Timestamp(clock::now().0.saturating_sub(ago)))
}

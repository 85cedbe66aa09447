//! `muster token`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Subcommand;
use muster_schema::document::Selector;

use super::output::{Format, print_document, print_table};
use super::say::say;
use crate::access::{Scope, Token, TokenList, check_name};
use crate::io::clock;
use crate::io::token_file::TokenFile;

/// Say who may ask the API what. A running orchestrator goes by it at once.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, this once. From the first one on the API asks everybody for one.
    Create {
        /// Who or what is to have it; the audit log names it.
        name: String,
        /// What it may do; several are separated by commas.
        #[arg(long, value_enum, required = true, value_delimiter = ',', value_name = "SCOPE")]
        scope: Vec<Scope>,
        /// With which hosts, by their labels, as role=web; '*' is all.
        #[arg(long, default_value = "*", value_name = "SELECTOR", value_parser = selector)]
        hosts: Selector,
        /// A person of policy/allowed_signers or policy/openpgp/: agents are asked only what the rules of
        /// policy/access.yaml let that person ask, and only as long as both list them.
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
        /// How long it is good: 12h, 30d, 8w.
        #[arg(long, default_value = "90d", value_name = "DURATION", value_parser = duration)]
        expires: Duration,
        #[command(flatten)]
        data: Data,
    },
    /// Show the tokens, without their secrets.
    List {
        /// The form of the output; a table for a terminal, JSON for a pipe.
        #[arg(short, long, value_enum)]
        output: Option<Format>,
        #[command(flatten)]
        data: Data,
    },
    /// Take a token back.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, clap::Args)]
struct Data {
    /// The orchestrator's folder, as in 'muster serve --data'.
    #[arg(long = "data", env = "MUSTER_DATA", value_name = "DIR")]
    folder: PathBuf,
}

impl Data {
    fn tokens(&self) -> Result<TokenFile, anyhow::Error> {
        let file = TokenFile::new(&self.folder);
        file.load().map(|_| file).with_context(|| format!("the data folder {}", self.folder.display()))
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Create { name, scope, hosts, principal, expires, data } => {
            check_name(name)?;
            let scopes: BTreeSet<Scope> = scope.iter().copied().collect();
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
            let (token, text) = Token::make(name, secret, scopes, hosts.clone(), clock::now(), *expires);
            let token = Token { principal: principal.clone(), ..token };
            let until = token.expires;
            data.tokens()?.change::<(), anyhow::Error>(|tokens| Ok(tokens.add(token)?))?;
            eprintln!("token '{name}', good until {until}; it is shown this once:");
            say!("{text}");
        }
        Command::List { output, data } => {
            let tokens = data.tokens()?.load()?.unwrap_or_default();
            print_tokens(&tokens, Format::or_default(*output))?;
        }
        Command::Revoke { name, data } => {
            data.tokens()?.change::<(), anyhow::Error>(|tokens| Ok(tokens.revoke(name)?))?;
            say!("token '{name}' is worth nothing any more");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_tokens(tokens: &TokenList, format: Format) -> Result<(), anyhow::Error> {
    if format != Format::Table {
        return print_document(format, tokens);
    }
    let now = clock::now();
    let row = |token: &Token| {
        let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
        let state = if token.has_expired(now) { "expired" } else { "good" };
        let person = token.principal.clone().unwrap_or_else(|| "-".to_owned());
        [token.name.clone(), scopes.join(","), token.hosts.to_string(), person, token.expires.to_string(), state.into()]
    };
    let rows: Vec<Vec<String>> = tokens.tokens.iter().map(|token| row(token).into()).collect();
    print_table(&["NAME", "SCOPES", "HOSTS", "PRINCIPAL", "EXPIRES", "STATE"], &rows);
    Ok(())
}

fn selector(text: &str) -> Result<Selector, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// `30d`.
pub(super) fn duration(text: &str) -> Result<Duration, anyhow::Error> {
    let wrong = || format!("'{text}' is no time like 12h, 30d or 8w");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.strip_prefix(digits).unwrap_or_default() {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => anyhow::bail!(wrong()),
    };
    let number: u64 = digits.parse().ok().with_context(wrong)?;
    let seconds = number.checked_mul(seconds).with_context(wrong)?;
    ensure!(
        (1..=10 * 366 * 24 * 3600).contains(&seconds),
        "a token is good for at least a second and at most ten years"
    );
    Ok(Duration::from_secs(seconds))
}

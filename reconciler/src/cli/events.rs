//! `muster events`.

use std::convert::Infallible;
use std::io::BufReader;
use std::process::ExitCode;
use std::time::Duration;

use muster_schema::HostId;
use muster_schema::fleet_api::{Event, Page};

use self::stream::{Sent, SentEvents};
use super::output::{Format, inert, print_document};
use super::say::say;
use super::server::{Server, check_answer};

mod stream;

/// After how long a stream that ended is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Show what happened in the fleet, the oldest first; with --follow also what happens from then on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what is about this host.
    host: Option<HostId>,
    /// Only this kind, as host_drift.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Go on until Ctrl-C. In JSON each event is a line of its own then.
    #[arg(short, long)]
    follow: bool,
    /// The most events of before.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// The form of the output; text for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let format = Format::or_default(args.output);
    let host = args.host.as_ref().map(|host| ("host", host.as_str()));
    let filters: Vec<(&str, &str)> = host.into_iter().chain(args.kind.as_deref().map(|kind| ("kind", kind))).collect();
    let limit = args.limit.to_string();
    let asked: Vec<(&str, &str)> = filters.iter().copied().chain([("limit", limit.as_str())]).collect();
    let page: Page<Event> = serde_json::from_value(args.server.fetch_with("events", &asked)?)?;
    let mut events = page.items;
    events.reverse();
    if !args.follow && format != Format::Table {
        print_document(format, &events)?;
        return Ok(ExitCode::SUCCESS);
    }
    events.iter().try_for_each(|event| tell(format, event))?;
    if args.follow {
        args.follow(format, &filters, events.last().map(|event| event.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Tells what comes after the event `last`, and goes on where a stream ends.
    fn follow(
        &self,
        format: Format,
        filters: &[(&str, &str)],
        mut last: Option<u64>,
    ) -> Result<Infallible, anyhow::Error> {
        let mut was_answered = false;
        loop {
            let id = last.map(|id| id.to_string());
            let resume = id.as_deref().map(|id| ("last-event-id", id));
            let headers: Vec<(&str, &str)> = [("accept", "text/event-stream")].into_iter().chain(resume).collect();
            match self.server.ask("events", filters, &headers) {
                Ok(answer) => {
                    was_answered = true;
                    let body = check_answer(answer)?.into_body().into_reader();
                    for sent in SentEvents::of(BufReader::new(body)).map_while(Result::ok) {
                        match sent {
                            Sent::Event(event) => {
                                tell(format, &event)?;
                                last = Some(event.id);
                            }
                            Sent::Reset => eprintln!("some events are not there any more"),
                        }
                    }
                    eprintln!("the stream of events ended; it is asked for again");
                }
                Err(error) if !was_answered => return Err(error),
                Err(_) => {}
            }
            std::thread::sleep(AGAIN);
        }
    }
}

fn tell(format: Format, event: &Event) -> Result<(), anyhow::Error> {
    if format == Format::Table {
        let host = event.host.as_ref().map_or("–", HostId::as_str);
        let kind = serde_json::to_value(event.kind)?;
        say!("{}  {host:<16}  {:<18}  {}", event.at, kind.as_str().unwrap_or_default(), inert(&event.message));
        return Ok(());
    }
    match format {
        Format::Yaml => say!("---\n{}", serde_yaml::to_string(event)?.trim_end()),
        _ => say!("{}", serde_json::to_string(event)?),
    }
    Ok(())
}

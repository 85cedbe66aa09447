//! Telling the orchestrator how the host is: after every change, until a receipt came.

use super::{Cycle, CycleError, next_pause};
use crate::io::messenger::Messenger;
use crate::outbox::{News, forget};
use muster_schema::message::Body;
use muster_schema::report::Report;
use std::time::Duration;

/// Sends reports for ever.
pub(super) async fn report_for_ever(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    let mut told: Option<Report> = None;
    let mut pause = Duration::ZERO;
    loop {
        let due = match cycle.shared.report() {
            Some(host) => {
                let news = News::load(&cycle.store)?;
                let new = !news.is_empty() || told.as_ref() != Some(&host);
                new.then_some((host, news))
            }
            None => None,
        };
        let Some((host, news)) = due else {
            cycle.shared.report_due.notified().await;
            continue;
        };
        let (report, keys) = news.into_report(host.clone());
        match messenger.ask(Body::Report(Box::new(report))).await {
            Ok(_) => {
                forget(&cycle.store, keys)?;
                (told, pause) = (Some(host), Duration::ZERO);
            }
            Err(error) => {
                pause = next_pause(pause);
                tracing::debug!(error = &error as &dyn std::error::Error, "report not told");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

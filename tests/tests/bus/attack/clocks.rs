//! Clocks that are wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use muster_agent::io::http::HttpTransport;

use crate::clocks::WrongClock;
use crate::parties::{Agent, Orchestrator, report};

#[tokio::test(flavor = "multi_thread")]
async fn a17_a_wrong_clock_is_put_right_by_the_signed_receipt_http() {
    let year = 365 * 86_400_000;
    for off in [-year, year] {
        let orchestrator = Orchestrator::start().await;
        let keys = Arc::new(std::sync::OnceLock::new());
        let http = HttpTransport::new(&orchestrator.url()).unwrap();
        let transport = Arc::new(WrongClock { http, keys: keys.clone(), off, wrong: AtomicUsize::new(0) });
        let web = Agent::over("web-1", orchestrator.fresh, |_| transport.clone());
        keys.set(web.keys.clone()).ok().unwrap();
        orchestrator.approve(&[&web]);
        web.enrol().await;
        transport.wrong.store(1, Ordering::Relaxed);
        web.messenger.ask(report("after a lesson")).await.unwrap();
        assert_eq!(orchestrator.reports(), ["after a lesson"], "{off}");
        transport.wrong.store(usize::MAX, Ordering::Relaxed);
        let error = web.messenger.ask(report("never right")).await.unwrap_err();
        assert_eq!(error.code(), None, "it gives up after a few: {error:?}");
    }
}

//! The request to end: Ctrl-C, SIGTERM or SIGHUP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use tokio::signal::unix::{SignalKind, signal};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on a signal does not end the process; [`check`] tells of it, so that everything that was started is ended.
///
/// # Errors
/// When signals cannot be listened to.
pub(super) fn listen() -> Result<(), anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
    };
    for signal in signals {
        let mut signal = signal?;
        runtime.spawn(async move {
            signal.recv().await;
            ASKED.store(true, Ordering::Relaxed);
        });
    }
    // Ends with the process.
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(())
}

/// Fails once the demo was asked to end.
pub(super) fn check() -> Result<(), anyhow::Error> {
    ensure!(!ASKED.load(Ordering::Relaxed), "interrupted");
    Ok(())
}

/// Returns when the demo is asked to end.
pub(super) fn wait() {
    while check().is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! Is a request answered as it is to be?

use muster_schema::resource::HttpProbe;
use std::io::Read;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::TlsConfig;

/// So much of the answer is read.
const MAX_BODY: u64 = 1 << 20;

pub(super) fn probe(http: &HttpProbe, timeout: Duration) -> Result<(), String> {
    let tls = TlsConfig::builder().disable_verification(http.verify == Some(false)).build();
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(timeout))
        .user_agent(concat!("muster-agent/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .tls_config(tls)
        .build()
        .new_agent();
    let response = agent.get(&http.url).call().map_err(|error| format!("{}: {error}", http.url))?;
    let status = response.status().as_u16();
    let fits = http.status.map_or((200..=299).contains(&status), |wanted| wanted == status);
    if !fits {
        let wanted = http.status.map_or_else(|| "200 to 299".to_owned(), |wanted| wanted.to_string());
        return Err(format!("{}: the status is {status}, and is to be {wanted}", http.url));
    }
    let Some(text) = &http.contains else { return Ok(()) };
    let mut body = Vec::new();
    let read = response.into_body().into_reader().take(MAX_BODY).read_to_end(&mut body);
    // What came before a fault counts: the text may be in it.
    if body.windows(text.len().max(1)).any(|window| window == text.as_bytes()) || text.is_empty() {
        return Ok(());
    }
    match read {
        Ok(_) => Err(format!("{}: the answer does not contain {text:?}", http.url)),
        Err(error) => Err(format!("{}: the answer breaks off: {error}", http.url)),
    }
}

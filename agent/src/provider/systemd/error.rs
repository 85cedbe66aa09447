//! Why systemd could not be asked, or said no.

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// systemd does not run here.
    #[error("systemd does not run on this host")]
    NotHere,
    /// The runtime for the connection could not be made.
    #[error("cannot begin to talk to systemd")]
    Runtime(#[source] std::io::Error),
    /// A socket could not be made.
    #[error("cannot begin to talk to systemd")]
    Socket(#[source] std::io::Error),
    /// systemd could not be reached, or answered out of form.
    #[error("cannot talk to systemd")]
    Bus(#[source] Box<zbus::Error>),
    /// systemd closed the connection.
    #[error("systemd ended the connection")]
    Ended,
    /// systemd refused.
    #[error("systemd: {0}")]
    Refused(String),
    /// A job ended otherwise than well.
    #[error("{verb} {unit}: {result}")]
    Job {
        /// `start`, `stop`, …
        verb: &'static str,
        /// The unit.
        unit: String,
        /// systemd's word for how it ended, and what is known of why.
        result: String,
    },
    /// A job or an answer took too long.
    #[error("{0} took too long")]
    Timeout(&'static str),
}

impl From<zbus::Error> for SystemdError {
    fn from(error: zbus::Error) -> SystemdError {
        match &error {
            zbus::Error::MethodError(name, message, _) => {
                SystemdError::Refused(message.clone().unwrap_or_else(|| name.to_string()))
            }
            _ => SystemdError::Bus(Box::new(error)),
        }
    }
}

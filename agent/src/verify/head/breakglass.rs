//! Heads that people signed with break-glass keys.

use super::{Authority, Marks, VerifiedHead, load_signed, marks_of};
use crate::verify::{Reject, RejectCode};
use muster_schema::Timestamp;
use muster_schema::breakglass::{Challenge, MAX_LIFE, MAX_SERIAL_AHEAD};
use muster_schema::envelope::Signature;
use muster_schema::head::Head;
use muster_schema::manifest::HostIdentity;
use muster_schema::root::{RoleName, Root};
use std::time::Duration;

/// How far ahead of the host's the clock of who signs may be.
const MAX_CLOCK_AHEAD: Duration = Duration::from_secs(5 * 60);

/// What a break-glass head is checked against.
#[derive(Debug, Clone, Copy)]
pub struct BreakGlassContext<'a> {
    /// The newest verified root.
    pub root: &'a Root,
    /// This host.
    pub host: &'a HostIdentity,
    /// What was accepted last; none at first.
    pub marks: Option<&'a Marks>,
    /// The later of the system's clock and the last trusted time.
    pub now: Timestamp,
    /// The challenge that was given last and is not answered yet.
    pub challenge: Option<&'a Challenge>,
}

/// Checks a head of a break-glass bundle: that somebody has the role, size, signatures, then what it says.
///
/// # Errors
/// With the code of the first check that failed.
pub fn verify_breakglass_head(
    bytes: &[u8],
    signatures: &[Signature],
    context: BreakGlassContext<'_>,
) -> Result<VerifiedHead, Reject> {
    let BreakGlassContext { root, host, .. } = context;
    let role = &root.roles.breakglass;
    // Of a role that nobody has, no signature would be enough.
    if role.is_none() || role.threshold == 0 {
        let version = root.version;
        return Err(Reject::new(
            RejectCode::BreakGlassNoRole,
            format_args!("root document {version} names no key of the role"),
        ));
    }
    let (head, signers) = load_signed(RoleName::BreakGlass, bytes, signatures, root, host)?;
    if head.retired || head.renamed.is_some() {
        return Err(Reject::new(RejectCode::BreakGlassHead, "it would retire or rename the host"));
    }
    if head.expires > head.issued.plus(MAX_LIFE) {
        return Err(Reject::new(RejectCode::HeadLifeTooLong, "it is valid for more than four hours"));
    }
    check_serial(&head, context)?;
    check_challenge(&head, context)?;
    if head.issued > context.now.plus(MAX_CLOCK_AHEAD) {
        let (issued, now) = (head.issued, context.now);
        return Err(Reject::new(
            RejectCode::BreakGlassTime,
            format_args!("it was signed at {issued}; here it is {now}"),
        ));
    }
    if head.expires <= context.now {
        return Err(Reject::new(RejectCode::BreakGlassTime, format_args!("it expired at {}", head.expires)));
    }
    Ok(VerifiedHead { marks: marks_of(&head), head, authority: Authority::BreakGlass(signers) })
}

/// Newer than all that was accepted, and not so far that the orchestrator could not go on.
fn check_serial(head: &Head, context: BreakGlassContext<'_>) -> Result<(), Reject> {
    let refuse = |why: std::fmt::Arguments<'_>| Err(Reject::new(RejectCode::BreakGlassSerial, why));
    let (epoch, serial) = (head.epoch, head.serial);
    if epoch != context.root.epoch {
        return refuse(format_args!("its epoch is {epoch}, the root's {}", context.root.epoch));
    }
    let marks = context.marks.map_or((0, 0), |marks| (marks.epoch, marks.serial));
    if (epoch, serial) <= marks {
        return refuse(format_args!("serial {serial} is not above {}", marks.1));
    }
    let known = if marks.0 == epoch { marks.1 } else { 0 };
    let most = known.saturating_add(1).max(context.now.plus(MAX_SERIAL_AHEAD).0);
    if serial > most {
        return refuse(format_args!("serial {serial} is above {most}"));
    }
    Ok(())
}

fn check_challenge(head: &Head, context: BreakGlassContext<'_>) -> Result<(), Reject> {
    let refuse = |why: &str| Err(Reject::new(RejectCode::BreakGlassChallenge, why));
    let Some(challenge) = context.challenge else {
        return refuse("no challenge waits for an answer");
    };
    if head.nonce.as_ref() != Some(&challenge.nonce) {
        return refuse("it does not hold the nonce of the last challenge");
    }
    if challenge.expires <= context.now {
        return refuse("the challenge has ended");
    }
    Ok(())
}

//! Attacks on the door.

mod enrolment;
mod messages;

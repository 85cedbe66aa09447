//! The test harness of muster.

//! Whether a value is as it is wanted, by the rules of DSC.
//!
//! As `get_diff` in PowerShell/DSC, `lib/dsc-lib/src/dscresources/dscresource.rs`: of an object only what is wanted has to
//! be there, lists may stand in any order. Otherwise than there, numbers are compared exactly.

use serde_json::Value;

#[cfg(test)]
mod tests;

/// Whether `found` has all that is `wanted`.
pub(super) fn satisfies(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| satisfies(value, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().all(|value| found.iter().any(|found| satisfies(value, found)))
        }
        (wanted, found) => wanted == found,
    }
}

//! What a plain scalar means: YAML 1.2's core schema, modes kept as strings.

use std::sync::Arc;

use super::super::node::{NodeValue, Text};

/// The value of an unquoted scalar.
pub(super) fn plain_value(text: &str, verbatim: Option<u32>) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeValue::Null,
        "true" | "True" | "TRUE" => return NodeValue::Bool(true),
        "false" | "False" | "FALSE" => return NodeValue::Bool(false),
        _ => {}
    }
    if is_integer(text)
        && let Ok(value) = text.parse()
    {
        return NodeValue::Integer(value);
    }
    if is_float(text) {
        return NodeValue::Float(Arc::from(text));
    }
    NodeValue::String(Text { text: Arc::from(text), verbatim })
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !has_leading_zero(digits) && is_digits(digits)
}

fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[-+]? ( \.[0-9]+ | [0-9]+ ( \.[0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, with a point or an exponent.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => exponent.is_some() && is_digits(mantissa) && !has_leading_zero(mantissa),
    };
    mantissa_fits && exponent_fits
}

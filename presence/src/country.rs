//! From which countries those are who would be in a list, whichever country it names itself: what it may be narrowed to.

use std::collections::BTreeMap;

use protocol::id::VisitorId;

/// The countries.
// Invariant: `counts` counts what `of` holds, and no country of nobody.
#[derive(Debug, Default)]
pub(crate) struct Countries {
    of: BTreeMap<VisitorId, String>,
    counts: BTreeMap<String, usize>,
}

impl Countries {
    /// Somebody is from a country now, or from none that is known, or is not there.
    pub(crate) fn set(&mut self, visitor_id: VisitorId, country: Option<&str>) {
        let before = self.of.get(&visitor_id);
        if before.map(String::as_str) == country {
            return;
        }
        if let Some(before) = self.of.remove(&visitor_id) {
            self.take(&before);
        }
        if let Some(country) = country {
            self.of.insert(visitor_id, country.to_owned());
            *self.counts.entry(country.to_owned()).or_default() += 1;
        }
    }

    /// Which they are, by the letters of their codes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.counts.keys()
    }

    fn take(&mut self, country: &str) {
        let Some(count) = self.counts.get_mut(country) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(country);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn a_country_is_there_as_long_as_somebody_is_from_it() {
        let mut countries = Countries::default();
        let [ana, ben] = [1, 2].map(VisitorId::from_bits);
        let names = |countries: &Countries| countries.names().cloned().collect::<Vec<_>>();
        countries.set(ana, Some("SI"));
        countries.set(ana, Some("SI"));
        countries.set(ben, Some("SI"));
        assert_eq!(names(&countries), ["SI"]);
        countries.set(ben, Some("HR"));
        assert_eq!(names(&countries), ["HR", "SI"]);
        countries.set(ana, None);
        countries.set(ana, None);
        assert_eq!(names(&countries), ["HR"]);
        countries.set(ben, None);
        assert!(names(&countries).is_empty() && countries.of.is_empty());
    }
}

//! What a request says of the browser and its place. Both are hints for people, never for decisions.

use std::net::IpAddr;
use std::path::Path;

use http::HeaderMap;
use maxminddb::{Reader, geoip2};
use protocol::text::{self, Form, cut};
use protocol::time_zone;
use protocol::visitor::{Browser, Device};

use crate::config::GeoConfig;
use crate::http::line::Line;

/// A country and a city, as far as known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The city's name.
    pub city: Option<String>,
}

impl Place {
    /// Where nothing is known, the country of the time zone that the browser says.
    #[must_use]
    pub(crate) fn or_of_zone(self, time_zone: Option<&str>) -> Self {
        // A city alone may be one of another country.
        if self != Self::default() {
            return self;
        }
        let country = time_zone.and_then(time_zone::country);
        Self {
            country: country.map(str::to_owned),
            city: None,
        }
    }
}

/// Where places come from: a MaxMind file, or headers that trusted proxies set.
#[derive(Debug)]
pub struct Geo {
    database: Option<Reader<Vec<u8>>>,
    country_header: Option<String>,
    city_header: Option<String>,
}

impl Geo {
    /// Opens the file, where one is configured.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(config: &GeoConfig) -> Result<Self, String> {
        let database = config.database.as_deref().map(open_file).transpose()?;
        Ok(Self {
            database,
            country_header: config.country_header.clone(),
            city_header: config.city_header.clone(),
        })
    }

    /// The place of a request: what a trusted proxy says, else what the file says of the address.
    #[must_use]
    pub(crate) fn place(&self, line: &Line, headers: &HeaderMap) -> Place {
        let said = |name: &Option<String>| {
            if !line.proxied {
                return None;
            }
            let value = headers.get(name.as_deref()?)?.as_bytes();
            let text = std::str::from_utf8(value).ok()?.trim();
            // Passed on from whoever knows places, shown among others' words.
            text::check(text, Form::Line, "place").ok()?;
            Some(cut(text, 100)).filter(|text| !text.is_empty())
        };
        let from_file = self.of_address(line.address);
        let country = said(&self.country_header).filter(|code| is_country(code));
        // The file's city is none of another country.
        let is_same = country.is_none() || country == from_file.country;
        Place {
            city: said(&self.city_header).or(from_file.city.filter(|_| is_same)),
            country: country.or(from_file.country),
        }
    }

    fn of_address(&self, address: IpAddr) -> Place {
        let found = self
            .database
            .as_ref()
            .and_then(|database| database.lookup(address).ok()?.decode().ok()?);
        found.map_or_else(Place::default, |city: geoip2::City<'_>| Place {
            country: city.country.iso_code.map(str::to_owned),
            city: city.city.names.english.map(str::to_owned),
        })
    }
}

fn open_file(path: &Path) -> Result<Reader<Vec<u8>>, String> {
    Reader::open_readfile(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Two letters; some networks say `XX` and `T1` where they do not know.
fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && code != "XX"
}

/// What a browser's own words say.
#[must_use]
pub fn of_user_agent(user_agent: &str, place: Place) -> Browser {
    let parsed = woothee::parser::Parser::new().parse(user_agent);
    let known = |text: &str| {
        if text == "UNKNOWN" {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let (device, name, system) = match &parsed {
        Some(found) => (
            device(found.category, user_agent),
            known(found.name),
            known(found.os),
        ),
        None => (Device::Unknown, String::new(), String::new()),
    };
    Browser {
        device,
        name,
        system,
        language: None,
        time_zone: None,
        country: place.country,
        city: place.city,
    }
}

fn device(category: &str, user_agent: &str) -> Device {
    let is_tablet = user_agent.contains("iPad")
        || user_agent.contains("Tablet")
        || (user_agent.contains("Android") && !user_agent.contains("Mobile"));
    match category {
        "crawler" => Device::Bot,
        _ if is_tablet => Device::Tablet,
        "pc" => Device::Desktop,
        "smartphone" | "mobilephone" => Device::Mobile,
        _ => Device::Unknown,
    }
}

/// A language tag as a browser says it, or nothing where it is none.
#[must_use]
pub fn tag(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let is_tag = !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_tag.then(|| text.to_owned())
}

/// The first language that a browser asks for.
#[must_use]
pub(crate) fn language(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let first = value.split([',', ';']).next()?;
    tag(Some(first)).filter(|tag| tag != "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(proxied: bool) -> Line {
        Line {
            address: "1.2.3.4".parse().unwrap(),
            exempt: false,
            secure: false,
            own_origin: String::new(),
            proxied,
        }
    }

    #[test]
    fn devices_are_told_apart() {
        let check = |user_agent: &str, device: Device, name: &str| {
            let browser = of_user_agent(user_agent, Place::default());
            assert_eq!((browser.device, browser.name.as_str()), (device, name));
        };
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
            Device::Desktop,
            "Chrome",
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
            Device::Mobile,
            "Safari",
        );
        check(
            "Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1",
            Device::Tablet,
            "Safari",
        );
        let bot = of_user_agent(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            Place::default(),
        );
        assert_eq!(bot.device, Device::Bot);
        check("", Device::Unknown, "");
        check("\u{202e}<script>", Device::Unknown, "");
    }

    #[test]
    fn only_a_trusted_proxy_says_a_place() {
        let geo = Geo::open(&GeoConfig {
            database: None,
            country_header: Some("cf-ipcountry".to_owned()),
            city_header: Some("cf-ipcity".to_owned()),
        })
        .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("cf-ipcountry", "SI".parse().unwrap());
        headers.insert("cf-ipcity", "Ljubljana".parse().unwrap());
        assert_eq!(geo.place(&line(false), &headers), Place::default());
        let place = geo.place(&line(true), &headers);
        assert_eq!(place.country.as_deref(), Some("SI"));
        assert_eq!(place.city.as_deref(), Some("Ljubljana"));
        headers.insert("cf-ipcountry", "XX".parse().unwrap());
        assert_eq!(geo.place(&line(true), &headers).country, None);
    }

    /// A database that was made by `mmdb-writer`, of networks that stand for examples and nobody's.
    fn with_file() -> Geo {
        Geo::open(&GeoConfig {
            database: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb").into()),
            country_header: Some("cf-ipcountry".to_owned()),
            city_header: Some("cf-ipcity".to_owned()),
        })
        .unwrap()
    }

    fn place(country: Option<&str>, city: Option<&str>) -> Place {
        Place {
            country: country.map(str::to_owned),
            city: city.map(str::to_owned),
        }
    }

    #[test]
    fn a_file_knows_countries_and_cities_by_address() {
        let geo = with_file();
        let check = |address: &str, country: Option<&str>, city: Option<&str>| {
            let line = Line {
                address: address.parse().unwrap(),
                ..line(false)
            };
            let found = geo.place(&line, &HeaderMap::new());
            assert_eq!(found, place(country, city), "{address}");
        };
        check("192.0.2.1", Some("AT"), Some("Vienna"));
        check("192.0.2.200", Some("DE"), None);
        // Its name is not known in English.
        check("198.51.100.7", Some("SI"), None);
        check("2001:db8::1", Some("BR"), Some("São Paulo"));
        for nowhere in ["203.0.113.1", "127.0.0.1", "10.0.0.1", "::1", "2001:db9::1"] {
            check(nowhere, None, None);
        }
    }

    #[test]
    fn what_a_trusted_proxy_says_wins_over_the_file() {
        let geo = with_file();
        let at = |proxied| Line {
            address: "192.0.2.1".parse().unwrap(),
            ..line(proxied)
        };
        let mut headers = HeaderMap::new();
        headers.insert("cf-ipcountry", "BR".parse().unwrap());
        let name = http::HeaderValue::from_bytes("São Paulo".as_bytes());
        headers.insert("cf-ipcity", name.unwrap());
        let said = place(Some("BR"), Some("São Paulo"));
        assert_eq!(geo.place(&at(true), &headers), said);
        // Anybody can send such headers.
        let found = place(Some("AT"), Some("Vienna"));
        assert_eq!(geo.place(&at(false), &headers), found);
        // The file knows the city of another country than the proxy's.
        headers.remove("cf-ipcity");
        assert_eq!(geo.place(&at(true), &headers), place(Some("BR"), None));
        headers.insert("cf-ipcountry", "AT".parse().unwrap());
        assert_eq!(geo.place(&at(true), &headers), found);
        // A name that turns the direction of what stands beside it is none.
        let name = http::HeaderValue::from_bytes("\u{202e}anneiV".as_bytes());
        headers.insert("cf-ipcity", name.unwrap());
        assert_eq!(geo.place(&at(true), &headers), found);
    }

    #[test]
    fn a_time_zone_says_a_country_where_nothing_else_says_a_place() {
        let zone = Some("Europe/Ljubljana");
        assert_eq!(Place::default().or_of_zone(zone), place(Some("SI"), None));
        for known in [
            place(Some("AT"), Some("Vienna")),
            place(Some("BR"), None),
            place(None, Some("Vienna")),
        ] {
            assert_eq!(known.clone().or_of_zone(zone), known);
        }
        for none in [None, Some("UTC"), Some("Europe/Atlantis")] {
            assert_eq!(Place::default().or_of_zone(none), Place::default());
        }
    }

    #[test]
    fn a_file_that_is_none_is_an_error_that_names_it() {
        let this = concat!(env!("CARGO_MANIFEST_DIR"), "/src/browser.rs");
        let config = GeoConfig {
            database: Some(this.into()),
            ..GeoConfig::default()
        };
        assert!(Geo::open(&config).unwrap_err().contains("browser.rs"));
    }

    #[test]
    fn a_missing_file_is_an_error_that_names_it() {
        let config = GeoConfig {
            database: Some("no/such/file.mmdb".into()),
            ..GeoConfig::default()
        };
        assert!(
            Geo::open(&config)
                .unwrap_err()
                .contains("no/such/file.mmdb")
        );
    }

    #[test]
    fn a_tag_is_letters_digits_and_little_else() {
        assert_eq!(tag(Some("de-AT")).as_deref(), Some("de-AT"));
        for bad in [
            None,
            Some(""),
            Some("<b>"),
            Some("a b"),
            Some(&*"a".repeat(65)),
        ] {
            assert_eq!(tag(bad), None);
        }
    }
}

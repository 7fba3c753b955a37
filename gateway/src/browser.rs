//! What a request says of the browser and its place. Both are hints for people, never for decisions.

use std::net::IpAddr;
use std::path::Path;

use http::HeaderMap;
use maxminddb::{Reader, geoip2};
use protocol::text::cut;
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
            let value = headers.get(name.as_deref()?)?.to_str().ok()?;
            Some(cut(value.trim(), 100)).filter(|text| !text.is_empty())
        };
        let from_file = self.of_address(line.address);
        Place {
            country: said(&self.country_header)
                .filter(|code| is_country(code))
                .or(from_file.country),
            city: said(&self.city_header).or(from_file.city),
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

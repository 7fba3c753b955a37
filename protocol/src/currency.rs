//! Currencies: the codes of ISO 4217 that money is paid in. Metals, bonds and units of account have codes
//! there too, and no place here.

/// The codes, in their order.
pub const CODES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
    "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN",
    "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD",
    "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES",
    "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK",
    "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT",
    "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND",
    "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// The code as the standard spells it, whatever its case here; nothing for one that does not exist.
#[must_use]
pub fn named(text: &str) -> Option<&'static str> {
    let is_it = |code: &&&str| code.eq_ignore_ascii_case(text);
    CODES.iter().find(is_it).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_one_that_money_is_paid_in() {
        for good in ["EUR", "USD", "JPY", "UAH", "XCG"] {
            assert_eq!(named(good), Some(good));
        }
        assert_eq!(named("eur"), Some("EUR"));
        // Of before, of no country, gold, and none.
        for bad in [
            "",
            "DEM",
            "HRK",
            "XDR",
            "XAU",
            "EU",
            "EURO",
            "€",
            "E\u{fe0f}R",
            "<b>",
        ] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_codes_stand_in_their_order_each_once() {
        assert!(CODES.is_sorted_by(|one, next| one < next));
        let is_code = |code: &&str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        assert!(CODES.iter().all(is_code));
    }
}

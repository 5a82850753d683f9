//! What a profile of the kind `notion` says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::{HeaderValue, Uri};

use super::token::Token;
use crate::error::{Error, Result};

const BASE_URL: &str = "https://api.notion.com";
/// Notion ends what takes it more than 60 s by itself (its page on status codes).
const TIMEOUT: f64 = 70.0;
/// Notion's limit for one connection, on average (its page on request limits).
const REQUESTS_PER_SECOND: f64 = 3.0;

const MEMBERS: &[&str] =
    &["token", "database", "dataSource", "properties", "idProperty", "baseUrl", "timeout", "requestsPerSecond"];

/// A profile's config, judged.
pub(super) struct Config {
    pub(super) token: Token,
    pub(super) source: Source,
    /// The property of each field; none: every property is the field of its name.
    pub(super) properties: Option<BTreeMap<String, String>>,
    pub(super) id_property: Option<String>,
    pub(super) base_url: String,
    /// Whether that is this host: then no proxy is asked.
    pub(super) loopback: bool,
    pub(super) timeout: Duration,
    pub(super) per_second: f64,
}

/// Which pages: those of a data source, named itself or as the only one of a database.
pub(super) enum Source {
    Database(String),
    DataSource(String),
}

impl Config {
    /// Judges a config in which secrets are resolved. No message tells a value of it: one may be a secret in a wrong place.
    pub(super) fn of(config: &Map<String, Value>) -> Result<Self> {
        if let Some(other) = config.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(Error::invalid(format!("{other:?} is not known; there are {}", MEMBERS.join(", "))));
        }
        let token = text(config, "token")?.ok_or_else(|| Error::invalid("token is missing: {\"$secret\": NAME}"))?;
        let (base_url, loopback) = base(text(config, "baseUrl")?.unwrap_or(BASE_URL))?;
        Ok(Self {
            token: checked(token)?,
            source: source(config)?,
            properties: properties(config)?,
            id_property: text(config, "idProperty")?.map(str::to_owned),
            base_url,
            loopback,
            timeout: Duration::from_secs_f64(number(config, "timeout", 0.001..=3600.0)?.unwrap_or(TIMEOUT)),
            per_second: number(config, "requestsPerSecond", 0.01..=1000.0)?.unwrap_or(REQUESTS_PER_SECOND),
        })
    }
}

fn text<'c>(config: &'c Map<String, Value>, name: &str) -> Result<Option<&'c str>> {
    match config.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Error::invalid(format!("{name} is a text that is not empty"))),
    }
}

fn number(config: &Map<String, Value>, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<Option<f64>> {
    match config.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_f64()
            .filter(|number| range.contains(number))
            .map(Some)
            .ok_or_else(|| Error::invalid(format!("{name} is a number from {} to {}", range.start(), range.end()))),
    }
}

fn checked(token: &str) -> Result<Token> {
    match HeaderValue::from_str(token) {
        Ok(_) if token.is_ascii() => Ok(Token::new(token)),
        _ => Err(Error::invalid("the token has characters that no token has")),
    }
}

fn source(config: &Map<String, Value>) -> Result<Source> {
    let id = |name: &str, id: &str| {
        uuid(id).ok_or_else(|| Error::invalid(format!("{name} is an id of 32 hexadecimal digits")))
    };
    match (text(config, "database")?, text(config, "dataSource")?) {
        (Some(database), None) => Ok(Source::Database(id("database", database)?)),
        (None, Some(source)) => Ok(Source::DataSource(id("dataSource", source)?)),
        _ => Err(Error::invalid("a notion profile names a database or a dataSource")),
    }
}

fn properties(config: &Map<String, Value>) -> Result<Option<BTreeMap<String, String>>> {
    let wrong = || Error::invalid("properties maps each field to the name of a property");
    match config.get("properties") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => {
            let pair = |(field, name): (&String, &Value)| Some((field.clone(), name.as_str()?.to_owned()));
            map.iter().map(pair).collect::<Option<_>>().map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

/// Where the API is, without a slash at the end. A token goes over TLS, or stays on this host.
fn base(url: &str) -> Result<(String, bool)> {
    let uri: Uri = url.parse().map_err(|_| Error::invalid("baseUrl is not a URL"))?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let plain = uri.query().is_none() && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    match uri.scheme_str() {
        Some("https") if plain => {}
        Some("http") if plain && loopback => {}
        _ => {
            return Err(Error::invalid("baseUrl is https://…, without a user or a query; http:// for this host alone"));
        }
    }
    Ok((url.trim_end_matches('/').to_owned(), loopback))
}

/// An id in the API's own form, 8-4-4-4-12; given with hyphens or without.
pub(super) fn uuid(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    let hyphens = text.len() - digits.len();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) || !matches!(hyphens, 0 | 4) {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    let dashed =
        format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    (hyphens == 0 || dashed.eq_ignore_ascii_case(text)).then_some(dashed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::ErrorCode;

    const ID: &str = "d9824bdc-8445-4327-be8b-5b47500af6ce";

    fn of(config: Value) -> Result<Config> {
        Config::of(config.as_object().unwrap())
    }

    #[test]
    fn a_config_says_where_and_how() {
        let config = of(json!({"token": "t", "database": ID.replace('-', "")})).unwrap();
        assert!(matches!(&config.source, Source::Database(id) if id == ID));
        assert_eq!((config.base_url.as_str(), config.loopback, config.per_second), (BASE_URL, false, 3.0));
        let config =
            of(json!({"token": "t", "dataSource": ID.to_uppercase(), "baseUrl": "http://127.0.0.1:8/"})).unwrap();
        assert!(matches!(&config.source, Source::DataSource(id) if id == ID) && config.loopback);
        assert_eq!(config.base_url, "http://127.0.0.1:8");
        of(json!({"token": "t", "database": ID, "baseUrl": "http://[::1]:8"})).unwrap();
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        let good = json!({"token": "hush-hush", "database": ID});
        for (name, value) in [
            ("token", json!("hush\nhush")),
            ("token", json!(["hush-hush"])),
            ("token", json!("")),
            ("tokn", json!("hush-hush")),
            ("database", json!("hush-hush")),
            ("database", json!(17)),
            ("dataSource", json!(ID)),
            ("properties", json!(["hush-hush"])),
            ("properties", json!({"a": 1})),
            ("idProperty", json!(1)),
            ("timeout", json!(0)),
            ("timeout", json!("hush-hush")),
            ("requestsPerSecond", json!(-1)),
            ("baseUrl", json!("http://api.notion.com")),
            ("baseUrl", json!("http://127.0.0.1.evil.example")),
            ("baseUrl", json!("https://hush-hush@api.notion.com")),
            ("baseUrl", json!("file:///etc/passwd")),
            ("baseUrl", json!("hush hush")),
        ] {
            let mut config = good.clone();
            config[name] = value;
            let error = of(config).err().unwrap();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{name}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
        for missing in ["token", "database"] {
            let mut config = good.clone();
            config.as_object_mut().unwrap().remove(missing);
            assert_eq!(of(config).err().unwrap().code(), ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn ids_come_with_hyphens_or_without() {
        for good in [ID, &ID.replace('-', ""), &ID.to_uppercase()] {
            assert_eq!(uuid(good).as_deref(), Some(ID));
        }
        for bad in [
            "",
            "x",
            "../users",
            &ID[1..],
            &format!("{ID}0"),
            &ID.replacen('-', "", 1),
            "é9824bdc84454327be8b5b47500af6c",
        ] {
            assert_eq!(uuid(bad), None, "{bad:?}");
        }
    }
}

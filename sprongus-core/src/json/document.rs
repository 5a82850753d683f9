//! A document in canonical form.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::NOT_FINITE;
use super::arranged::arranged;
use super::canonical::push;
use super::finite::non_finite;
use super::numbers::numbers;
use super::parse::{from_deserializer, parse_value};
use super::pointer::Place;
use super::sure::is_canonical;
use crate::error::{Error, Result, Violation};

/// A JSON document in canonical form: keys sorted by code point, no spaces. Immutable, cheap to clone.
///
/// Two documents are equal if their canonical texts are: `1` and `1.0` are different documents (DESIGN.md §3).
///
/// ```
/// use sprongus::json::Json;
/// let json = Json::parse(r#" { "b": 1.0, "a": [ 1, -0.0 ] } "#)?;
/// assert_eq!(json.as_str(), r#"{"a":[1,0.0],"b":1.0}"#);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Parses text or bytes, strictly.
    ///
    /// # Errors
    /// `validation`, with one violation of keyword `json` whose path is the place.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self> {
        match str::from_utf8(text.as_ref()) {
            Ok(text) if is_canonical(text) => Ok(Self(text.into())),
            _ => write(&parse_value(text)?),
        }
    }

    /// From a value in memory.
    ///
    /// # Errors
    /// `validation` for NUL and for nesting over 128.
    pub fn from_value(value: &Value) -> Result<Self> {
        write(value)
    }

    /// Writes the canonical text of a value behind what is there.
    ///
    /// # Errors
    /// As [`from_value`](Self::from_value).
    pub(crate) fn push_canonical(value: &Value, text: &mut String) -> Result<()> {
        push(value, &Place::ROOT, text)
    }

    /// From anything that serializes.
    ///
    /// # Errors
    /// `validation` where it does not serialize to JSON, or not to JSON by these rules (NaN and infinities among them).
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        if let Some(path) = non_finite(value) {
            return Err(Error::validation(vec![Violation::new(path, "json", NOT_FINITE)]));
        }
        let text = serde_json::to_string(value).map_err(|error| {
            let message = format!("this does not serialize to JSON: {error}");
            Error::validation(vec![Violation::new("", "json", message)])
        })?;
        Self::parse(text)
    }

    /// Text that is known to be canonical, as SQLite's TEXT columns hold it. Not checked.
    pub fn from_canonical(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Text as JSONB gives it back: keys in another order, floats in full.
    ///
    /// # Errors
    /// `validation` where a hand other than ours stored what these rules refuse.
    pub fn from_database(text: &str) -> Result<Self> {
        arranged(text).map_or_else(|| Self::parse(text), |text| Ok(Self(text.into())))
    }

    /// The document `null`.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// Whether this is the document `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document as a value. Text given to [`from_canonical`](Self::from_canonical) that is no JSON is `null` here.
    pub fn to_value(&self) -> Value {
        parse_value(self.as_str()).unwrap_or_default()
    }

    /// SHA-256 of the canonical text: decides whether two documents are the same.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.as_str()).into()
    }

    /// [`hash`](Self::hash) in lower-case hexadecimal, 64 characters.
    pub fn hash_hex(&self) -> String {
        self.hash().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The text to store as JSONB. Its `numeric` makes an integer of `1e16`, so floats are written in full and with a
    /// fraction; [`from_database`](Self::from_database) then gives back the same document.
    ///
    /// ```
    /// use sprongus::json::Json;
    /// assert_eq!(Json::parse("[1e16,1e-7,1]")?.for_jsonb(), "[10000000000000000.0,0.0000001,1]");
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn for_jsonb(&self) -> Cow<'_, str> {
        let text = self.as_str();
        let (mut full, mut copied) = (String::new(), 0);
        for at in numbers(text).filter(|at| text[at.clone()].contains('e')) {
            // The canonical form is ours, so this parses; if it did not, the literal stays.
            let Ok(float) = text[at.clone()].parse::<f64>() else { continue };
            let digits = float.to_string();
            full.push_str(&text[copied..at.start]);
            full.push_str(&digits);
            full.push_str(if digits.contains('.') { "" } else { ".0" });
            copied = at.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        full.push_str(&text[copied..]);
        Cow::Owned(full)
    }
}

fn write(value: &Value) -> Result<Json> {
    // Most documents fit, or nearly: growing from nothing costs as much as writing.
    let mut text = String::with_capacity(1024);
    push(value, &Place::ROOT, &mut text)?;
    Ok(Json(text.into()))
}

impl Default for Json {
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl TryFrom<Value> for Json {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        Self::from_value(&value)
    }
}

impl Serialize for Json {
    /// Embeds the text as it stands in what serde_json writes (a `RawValue`); another format gets serde_json's raw wrapper.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_str()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    /// By the rules of this module, but for what serde_json hides from a part of a larger document: it turns an integer
    /// that is too large into a float. [`decode`](super::decode) checks the whole first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        write(&from_deserializer(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

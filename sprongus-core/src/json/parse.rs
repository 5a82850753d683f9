//! Text to value, strictly, in one pass.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::numbers::{is_integer, numbers};
use super::pointer::{Place, Segment, pointer};
use super::{MAX_DEPTH, NOT_FINITE, NUL, TOO_DEEP};
use crate::error::{Error, Result, Violation};

const NOT_UTF8: &str = "JSON is UTF-8; these bytes are not";
const RANGE: &str = "an integer lies between -9223372036854775808 and 18446744073709551615; write larger ones as text";
const DUPLICATE: &str = "this key stands more than once in its object";
const NO_LITERALS: &[bool] = &[];

/// Parses a document by the rules of this module.
///
/// # Errors
/// `validation`, with one violation of keyword `json` whose path is the place.
///
/// ```
/// let error = sprongus::json::parse_value(br#"{"a": [1, {"b": 1, "b": 2}]}"#).unwrap_err();
/// assert_eq!(error.violations_list()[0].path, "/a/1/b");
/// ```
pub fn parse_value(text: impl AsRef<[u8]>) -> Result<Value> {
    let text = std::str::from_utf8(text.as_ref()).map_err(|error| {
        let message = format!("{NOT_UTF8} (at byte {})", error.valid_up_to());
        Error::validation(vec![Violation::new("", "json", message)])
    })?;
    let (value, doubtful) = run(text, NO_LITERALS)?;
    if !doubtful {
        return Ok(value);
    }
    // serde_json makes a float of an integer that is too large, and of -0; only the literals tell which it was.
    let literals: Vec<bool> = numbers(text).map(|at| is_integer(&text[at])).collect();
    Ok(run(text, &literals)?.0)
}

/// Parses a document by the rules of this module and reads a `T` from it.
///
/// # Errors
/// `validation`: as [`parse_value`]; `invalid_argument`: the document has another shape than `T`; the message says where.
///
/// ```
/// use sprongus::json::decode;
/// let error = decode::<Vec<u8>>("[1, true]").unwrap_err();
/// assert_eq!(error.message(), "/1: expected an integer in the range of u8");
/// ```
pub fn decode<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T> {
    let text = text.as_ref();
    // Only what is refused pays for being told where.
    T::deserialize(parse_value(text)?)
        .or_else(|_| serde_path_to_error::deserialize(parse_value(text)?).map_err(|error| misfit(&error)))
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let steps = error.path().iter().filter_map(|step| match step {
        serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
        serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key)),
        _ => None,
    });
    let (place, message) = (pointer(steps), without_value(&error.inner().to_string()));
    Error::invalid(if place.is_empty() { message } else { format!("{place}: {message}") })
}

/// serde's `invalid type: string "…", expected a sequence` without the value, for messages never show payloads, and in the
/// words of JSON.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid ") => match expected {
            "a sequence" => "expected an array".to_owned(),
            "a map" => "expected an object".to_owned(),
            "f32" | "f64" => "expected a number".to_owned(),
            "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => format!("expected an integer in the range of {expected}"),
            _ if expected.starts_with("struct ") => "expected an object".to_owned(),
            _ => format!("expected {expected}"),
        },
        _ => message.to_owned(),
    }
}

fn run(text: &str, literals: &[bool]) -> Result<(Value, bool)> {
    let state = State { literals, ..State::default() };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Our own limit is checked before each step down, so the recursion stays bounded.
    deserializer.disable_recursion_limit();
    let seed = Strict { state: &state, place: &Place::ROOT };
    let value = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map(|value| (value, state.doubtful.get())).map_err(|error| state.into_error(error))
}

/// The value of any deserializer, by the same rules.
pub(super) fn from_deserializer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Strict { state: &State::default(), place: &Place::ROOT }.deserialize(deserializer)
}

/// What the visitors of one document share.
#[derive(Default)]
struct State<'a> {
    /// On the second pass: for each number, whether its literal is an integer's.
    literals: &'a [bool],
    seen: Cell<usize>,
    doubtful: Cell<bool>,
    /// Where it went wrong: the first place to say so is the deepest.
    failed: RefCell<Option<String>>,
    own_message: Cell<Option<&'static str>>,
}

impl State<'_> {
    fn refuse<E: de::Error>(&self, place: &Place<'_>, message: &'static str) -> E {
        self.own_message.set(Some(message));
        self.at(place, E::custom(message))
    }

    fn at<E>(&self, place: &Place<'_>, error: E) -> E {
        self.failed.borrow_mut().get_or_insert_with(|| place.pointer());
        error
    }

    fn into_error(self, error: serde_json::Error) -> Error {
        let path = self.failed.into_inner().unwrap_or_default();
        let message = self.own_message.get().map_or_else(|| format!("this is not JSON: {error}"), str::to_owned);
        Error::validation(vec![Violation::new(path, "json", message)])
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    state: &'a State<'a>,
    place: &'a Place<'a>,
}

impl<'a> Strict<'a> {
    fn refuse<E: de::Error>(&self, message: &'static str) -> E {
        self.state.refuse(self.place, message)
    }

    fn go_down<E: de::Error>(&self) -> Result<(), E> {
        if self.place.depth >= MAX_DEPTH { Err(self.refuse(TOO_DEEP)) } else { Ok(()) }
    }

    /// Whether this number's literal is an integer's, where that is known.
    fn next_literal(&self) -> Option<bool> {
        let seen = self.state.seen.get();
        self.state.seen.set(seen + 1);
        self.state.literals.get(seen).copied()
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self).map_err(|error| self.state.at(self.place, error))
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        self.next_literal();
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.next_literal();
        Ok(Value::Number(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        Number::from_i128(value).map(Value::Number).ok_or_else(|| self.refuse(RANGE))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        Number::from_u128(value).map(Value::Number).ok_or_else(|| self.refuse(RANGE))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        const TWO_63: f64 = 9_223_372_036_854_775_808.0;
        match self.next_literal() {
            Some(true) if value == 0.0 => return Ok(Value::Number(0.into())),
            Some(true) => return Err(self.refuse(RANGE)),
            Some(false) => {}
            None if value.abs() >= TWO_63 || (value == 0.0 && value.is_sign_negative()) => {
                self.state.doubtful.set(true)
            }
            None => {}
        }
        // Adding 0.0 makes 0.0 of -0.0 and changes nothing else.
        Number::from_f64(value + 0.0).map(Value::Number).ok_or_else(|| self.refuse(NOT_FINITE))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        if text.contains('\0') { Err(self.refuse(NUL)) } else { Ok(Value::String(text)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.go_down::<A::Error>()?;
        let mut items = Vec::new();
        loop {
            let place = self.place.child(items.len());
            match seq.next_element_seed(Strict { place: &place, state: self.state })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.go_down::<A::Error>()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let place = self.place.child(key.as_str());
            if key.contains('\0') {
                return Err(self.state.refuse(&place, NUL));
            }
            let item = access.next_value_seed(Strict { place: &place, state: self.state })?;
            match map.entry(key) {
                Entry::Vacant(free) => free.insert(item),
                Entry::Occupied(taken) => {
                    let place = self.place.child(taken.key().as_str());
                    return Err(self.state.refuse(&place, DUPLICATE));
                }
            };
        }
        Ok(Value::Object(map))
    }

    fn visit_char<E: de::Error>(self, char: char) -> Result<Value, E> {
        self.visit_string(char.into())
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Value, E> {
        Err(E::custom("bytes are not JSON"))
    }
}

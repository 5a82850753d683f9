//! Types of cells: CSV holds text, the preset says what the text stands for (DESIGN.md §7 "Import").

use serde_json::Value;

use super::compile::Compiled;
use super::schema::Document;
use crate::json::parse_value;

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
/// A number that is no integer.
const FRACTION: u8 = 8;
const STRING: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;
const ANY: u8 = 127;

/// What the cells of a column may hold.
///
/// ```
/// use serde_json::json;
/// use sprongus::json::Json;
/// use sprongus::presets::Compiled;
///
/// let preset = Compiled::new(&Json::parse(r#"{"properties": {"year": {"type": ["integer", "null"]}, "code": {"type": "string"}}}"#)?)?;
/// let year = preset.type_of(&["year"]).unwrap();
/// assert_eq!(year.parse_cell("1863"), Ok(json!(1863)));
/// assert!(year.parse_cell("0042").is_err());
/// assert_eq!(preset.type_of(&["code"]).unwrap().parse_cell("0042"), Ok(json!("0042")));
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellType(u8);

impl CellType {
    /// Text as it is: the type of whatever the preset says nothing about.
    pub const STRING: Self = Self(STRING);

    /// Whether null is allowed.
    pub fn nullable(self) -> bool {
        self.0 & NULL != 0
    }

    /// Whether cells are taken as they are.
    pub(crate) fn is_text(self) -> bool {
        self.0 & !NULL == STRING
    }

    /// Whether a value that is neither null nor a string, written as canonical JSON, is read back as what it was. False is
    /// "perhaps": [`parse_cell`](Self::parse_cell) decides.
    pub(crate) fn surely_reads(self, canonical: &str) -> bool {
        let needed = match canonical.as_bytes() {
            [b't' | b'f', ..] => BOOLEAN,
            [b'[', ..] => ARRAY,
            [b'{', ..] => OBJECT,
            number if number.iter().any(|byte| matches!(byte, b'.' | b'e')) => INTEGER | FRACTION,
            _ => INTEGER,
        };
        self.0 & needed == needed
    }

    /// What the text of a cell stands for; the error says what would be right, without the text.
    ///
    /// Strings are taken as they are. Integers are decimal without leading zeros, booleans `true` or `false` in any
    /// case, numbers, arrays and objects JSON. Where strings are allowed beside another type, text that is JSON of an
    /// allowed type is that (a string in JSON's quotes included), any other is a string.
    pub fn parse_cell(self, text: &str) -> Result<Value, String> {
        match self.0 & !NULL {
            0 => Err("only null stands here".to_owned()),
            STRING => Ok(Value::String(text.to_owned())),
            BOOLEAN => boolean(text).ok_or_else(|| "is not true or false".to_owned()),
            INTEGER => integer(text)
                .ok_or_else(|| "is not an integer: decimal digits without leading zeros, within 64 bits".to_owned()),
            kinds => self.mixed(kinds, text),
        }
    }

    fn mixed(self, kinds: u8, text: &str) -> Result<Value, String> {
        let parsed = json(text).or_else(|| boolean(text).filter(|_| kinds & (STRING | BOOLEAN) == BOOLEAN));
        match parsed {
            Some(value) if kind_of(&value) & self.0 != 0 => Ok(value),
            _ if kinds & STRING != 0 => Ok(Value::String(text.to_owned())),
            _ => Err(format!("is not {}", self.describe())),
        }
    }

    fn describe(self) -> String {
        let mut words = Vec::new();
        let number = if self.0 & FRACTION != 0 { "a number" } else { "an integer" };
        let named = [
            (BOOLEAN, "true or false"),
            (INTEGER | FRACTION, number),
            (ARRAY, "a JSON array"),
            (OBJECT, "a JSON object"),
        ];
        words.extend(named.iter().filter(|(bits, _)| self.0 & bits != 0).map(|(_, word)| *word));
        words.join(" or ")
    }
}

impl Compiled {
    /// The type of the cells of a column, by its path of property names (digits: an item of an array).
    ///
    /// None where the preset does not know the property or says nothing of its type: such cells are strings.
    pub fn type_of<S: AsRef<str>>(&self, path: &[S]) -> Option<CellType> {
        let document = Document::new(self.schema());
        let mut places = vec![document.root()];
        for segment in path {
            places = places.into_iter().flat_map(|schema| inside(document, schema, segment.as_ref())).collect();
        }
        let types = places.into_iter().filter_map(|schema| types(document, schema, 0)).reduce(|a, b| a | b)?;
        Some(CellType(types))
    }
}

fn inside<'a>(document: Document<'a>, schema: &'a Value, segment: &str) -> Vec<&'a Value> {
    let index: Option<usize> = segment.parse().ok();
    let mut found = Vec::new();
    for facet in document.facets(schema) {
        if let Some(property) = facet.get("properties").and_then(|properties| properties.get(segment)) {
            found.push(property);
        } else if let Some(index) = index {
            let listed = |keyword: &str| facet.get(keyword).and_then(Value::as_array).and_then(|list| list.get(index));
            let item = listed("prefixItems").or_else(|| listed("items"));
            found.extend(item.or_else(|| facet.get("items").filter(|items| items.is_object())));
        }
    }
    found
}

/// The types a schema allows; none where it does not say.
fn types(document: Document<'_>, schema: &Value, level: usize) -> Option<u8> {
    let map = schema.as_object().filter(|_| level < 32)?;
    if map.get("x-secret") == Some(&Value::Bool(true)) {
        return Some(OBJECT);
    }
    let union = |list: &Value| {
        list.as_array()?.iter().map(|one| types(document, one, level + 1)).try_fold(0, |all, one| Some(all | one?))
    };
    let every = map
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| types(document, one, level + 1));
    let said = [
        map.get("type").map(named),
        map.get("const").map(kind_of),
        map.get("enum")
            .and_then(Value::as_array)
            .map(|values| values.iter().map(kind_of).fold(0, |all, one| all | one)),
        document.target(map).and_then(|target| types(document, target, level + 1)),
        map.get("anyOf").and_then(union),
        map.get("oneOf").and_then(union),
    ];
    said.into_iter().flatten().chain(every).reduce(|a, b| a & b)
}

fn named(value: &Value) -> u8 {
    match value {
        Value::Array(names) => names.iter().map(named).fold(0, |all, one| all | one),
        Value::String(name) => match name.as_str() {
            "null" => NULL,
            "boolean" => BOOLEAN,
            "integer" => INTEGER,
            "number" => INTEGER | FRACTION,
            "string" => STRING,
            "array" => ARRAY,
            "object" => OBJECT,
            _ => 0,
        },
        _ => ANY,
    }
}

fn kind_of(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        // 1.0 is an integer to JSON Schema.
        Value::Number(number) if number.as_f64().is_none_or(|float| float.fract() == 0.0) => INTEGER,
        Value::Number(_) => FRACTION,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

fn boolean(text: &str) -> Option<Value> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("true") || is("false")).then(|| Value::Bool(is("true")))
}

fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0"
        || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !plain {
        return None;
    }
    let signed = text.parse::<i64>().map(Value::from);
    signed.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// Strict JSON without white space around it; none where it is not.
fn json(text: &str) -> Option<Value> {
    let starts = text.chars().next().is_some_and(|first| !first.is_whitespace());
    let value = if starts { parse_value(text).ok()? } else { return None };
    (!text.ends_with(char::is_whitespace)).then_some(value)
}

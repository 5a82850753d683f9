//! Pages of a list and the opaque cursors between them (keyset paging).

use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::json;

/// Rows of a page where the caller names no limit.
pub const DEFAULT_LIMIT: i64 = 50;
/// The most rows of a page, unless an option says otherwise.
pub const MAX_LIMIT: i64 = 1_000;

/// The limit, if it lies in `0..=max`; 0 is zero rows.
///
/// # Errors
/// `invalid_argument`.
pub fn check_limit(limit: i64, max: i64) -> Result<i64> {
    if (0..=max).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid(format!("the limit is {limit}; it must lie between 0 and {max}")))
}

/// Items of a list, and how to get the next ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; `None` where this was the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next_cursor: self.next_cursor }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }
}

impl<T> Deref for Page<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// Writes and reads the cursors of one list with one set of filters and one order.
///
/// A cursor is base64url of compact JSON: the list, a hash of its filters and order, the last row's sort keys, a checksum.
/// The checksum finds damage, not forgery: the keys only say where to go on, and every page is filtered afresh.
///
/// ```
/// use serde_json::json;
/// use sprongus::page::Cursor;
/// let list = Cursor::new("runs", &json!({ "kind": "resize", "sort": "created_at" }));
/// let text = list.encode(&[json!("2024-01-01"), json!("01J…")]);
/// assert_eq!(list.decode(&text)?, [json!("2024-01-01"), json!("01J…")]);
/// assert!(Cursor::new("runs", &json!({})).decode(&text).is_err());
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cursor {
    kind: &'static str,
    scope: String,
}

impl Cursor {
    /// Of the list `kind`; `scope` is all that decides its rows and their order.
    pub fn new(kind: &'static str, scope: &Value) -> Self {
        Self { kind, scope: short_hash(scope) }
    }

    /// The cursor after the row with these sort keys.
    pub fn encode(&self, keys: &[Value]) -> String {
        let mut parts = json!([self.kind, self.scope, keys]);
        let check = short_hash(&parts);
        if let Some(parts) = parts.as_array_mut() {
            parts.push(check.into());
        }
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// The sort keys a cursor carries.
    ///
    /// # Errors
    /// `invalid_argument` where the cursor is damaged, of another list, or of another set of filters.
    pub fn decode(&self, cursor: &str) -> Result<Vec<Value>> {
        let damaged = || Error::invalid("the cursor is damaged; pass nextCursor of the page before as it was given");
        let text = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| damaged())?;
        let Value::Array(mut parts) = json::parse_value(&text).map_err(|_| damaged())? else { return Err(damaged()) };
        let check = parts.pop();
        if check != Some(short_hash(&Value::Array(parts.clone())).into()) {
            return Err(damaged());
        }
        let (Some(Value::Array(keys)), Some(scope), Some(kind)) = (parts.pop(), parts.pop(), parts.pop()) else {
            return Err(damaged());
        };
        if kind != self.kind {
            return Err(Error::invalid(format!("the cursor is of another list than {}", self.kind)));
        }
        if scope != *self.scope {
            return Err(Error::invalid("the cursor was made with other filters or another order; begin without one"));
        }
        Ok(keys)
    }
}

/// 64 bits of SHA-256, hexadecimal.
fn short_hash(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let runs = Cursor::new("runs", &json!({ "kind": "a" }));
        let keys = [json!("é\n"), json!(1), json!(1.5), json!(null), json!(true), json!(i64::MIN)];
        let text = runs.encode(&keys);
        assert_eq!(runs.decode(&text).unwrap(), keys);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let message = |cursor: Cursor| cursor.decode(&text).unwrap_err().message().to_owned();
        assert!(message(Cursor::new("events", &json!({ "kind": "a" }))).contains("another list"));
        assert!(message(Cursor::new("runs", &json!({ "kind": "b" }))).contains("other filters"));
        assert_eq!(runs.decode(&runs.encode(&[])).unwrap(), [] as [Value; 0]);
    }

    #[test]
    fn damage_is_an_error_of_the_argument() {
        let runs = Cursor::new("runs", &json!({}));
        let text = runs.encode(&[json!("01ARZ3NDEKTSV4RRFFQ69G5FAV"), json!(7)]);
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(runs.decode(&other).unwrap_err().code(), crate::ErrorCode::InvalidArgument);
        }
        for bad in ["", "x", "é", "AAAA", "W10", "bnVsbA", &text[1..], &"W".repeat(100_000), &format!("{text}=")] {
            assert!(runs.decode(bad).unwrap_err().message().contains("damaged"));
        }
    }

    #[test]
    fn limits_have_two_ends() {
        assert_eq!((check_limit(0, MAX_LIMIT).unwrap(), check_limit(1_000, MAX_LIMIT).unwrap()), (0, 1_000));
        for bad in [-1, 1_001, i64::MIN, i64::MAX] {
            assert_eq!(check_limit(bad, MAX_LIMIT).unwrap_err().code(), crate::ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn a_page_is_its_items() {
        let page = Page { items: vec![1, 2], next_cursor: Some("c".to_owned()) };
        assert_eq!(serde_json::to_value(&page).unwrap(), json!({ "items": [1, 2], "nextCursor": "c" }));
        assert_eq!((page.len(), page.first()), (2, Some(&1)));
        assert_eq!(page.map(|n| n * 2).into_iter().sum::<i32>(), 6);
    }
}

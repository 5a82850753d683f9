//! Paths into a document, as filters, sorts and CSV headers write them: `a.b.0`, `\.` a dot, `\\` a backslash.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::text::{path_key, path_keys};

/// A path into a document: its keys, from the outside in. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads a path. A `.` descends, `\.` is a dot and `\\` a backslash within a key (DESIGN.md §15 "Reads").
    ///
    /// # Errors
    /// `invalid_argument` where a backslash stands before anything else.
    ///
    /// ```
    /// use sprongus::aux_store::path::Path;
    /// let path = Path::parse(r"file\.name.0")?;
    /// assert_eq!(path.keys(), ["file.name", "0"]);
    /// assert_eq!(path.to_string(), r"file\.name.0");
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let keys = path_keys(text).ok_or_else(|| {
            let right = r"\. is a dot in a key and \\ a backslash";
            Error::invalid(format!("in the path {text:?} a backslash stands alone; {right}"))
        })?;
        Ok(Self(keys))
    }

    /// The keys, from the outside in.
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// What stands there: keys descend into objects, decimal indexes into arrays. `None` is missing, which is not null.
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, key| match value {
            Value::Object(map) => map.get(key),
            Value::Array(items) => items.get(index(key)?),
            _ => None,
        })
    }
}

impl From<Vec<String>> for Path {
    fn from(keys: Vec<String>) -> Self {
        Self(keys)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, key) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            f.write_str(&path_key(key))?;
        }
        Ok(())
    }
}

/// An array index has one spelling: `0`, `1`, …, without a sign or leading zeros (as in RFC 6901).
pub(super) fn index(key: &str) -> Option<usize> {
    let canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    canonical.then(|| key.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn finds_by_key_and_index() {
        let document = json!({"a": {"b": [{"c": 1}, null]}, "x.y": {"\\": 2}, "": {"": 3}, "00": 4});
        let find = |text: &str| Path::parse(text).unwrap().find(&document).cloned();
        assert_eq!(find("a.b.0.c"), Some(json!(1)));
        assert_eq!(find("a.b.1"), Some(json!(null)));
        assert_eq!(find("a.b.2"), None);
        assert_eq!(find("a.b.00"), None);
        assert_eq!(find("a.b.+0"), None);
        assert_eq!(find("a.b.99999999999999999999999"), None);
        assert_eq!(find(r"x\.y.\\"), Some(json!(2)));
        assert_eq!(find("."), Some(json!(3)));
        assert_eq!(find("00"), Some(json!(4)));
        assert_eq!(find("a.b.0.c.d"), None);
    }

    #[test]
    fn a_lone_backslash_is_refused() {
        for text in [r"a\b", r"a\", r"\"] {
            assert_eq!(Path::parse(text).unwrap_err().code(), ErrorCode::InvalidArgument, "{text}");
        }
    }

    #[test]
    fn text_and_path_are_one_to_one() {
        for keys in [vec!["a", "b"], vec![""], vec!["", ""], vec!["a.b", r"c\d", r"\.", "."]] {
            let path = Path::from(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
            assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        }
    }
}

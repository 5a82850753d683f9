//! The order of a list: fields and metadata, ascending or descending, ties by id.

use std::cmp::Ordering;

use serde_json::Value;

use super::filter::{Field, Fields};
use super::order::compare;
use crate::error::{Error, Result};

/// Fields a sort may name: more than anyone reads, few enough to keep each entry's key small.
const MAX_FIELDS: usize = 16;

/// A parsed `sort`. The default is by id, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sort(Vec<Key>);

/// One field of a sort.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) field: Field,
    pub(super) descending: bool,
}

impl Sort {
    /// Reads `title`, `-year`, `-lastUpdated`, `$version`, `size.w`: a path or the name of metadata, `-` in front descends.
    ///
    /// # Errors
    /// `invalid_argument` for a malformed path, an empty name or more than 16 fields.
    pub fn parse<S: AsRef<str>>(fields: &[S]) -> Result<Self> {
        if fields.len() > MAX_FIELDS {
            return Err(Error::invalid(format!("sort names {} fields; at most {MAX_FIELDS} are taken", fields.len())));
        }
        fields.iter().map(|field| Key::parse(field.as_ref())).collect::<Result<_>>().map(Self)
    }

    /// The values an entry is sorted by, in the order of the fields.
    pub(super) fn keys(&self, entry: &impl Fields) -> Vec<Option<Value>> {
        self.0.iter().map(|key| entry.value(&key.field).map(std::borrow::Cow::into_owned)).collect()
    }

    /// Orders two entries by their [`keys`](Self::keys), then by id ascending.
    pub(super) fn compare(&self, a: (&[Option<Value>], &str), b: (&[Option<Value>], &str)) -> Ordering {
        let by_keys = self.0.iter().zip(a.0.iter().zip(b.0)).map(|(key, (a, b))| {
            let ordering = compare(a.as_ref(), b.as_ref());
            if key.descending { ordering.reverse() } else { ordering }
        });
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| a.1.cmp(b.1))
    }

    /// The fields, in their order.
    pub(super) fn fields(&self) -> &[Key] {
        &self.0
    }

    /// `Some(descending)` where the order is by id alone, which a database can give.
    pub(super) fn by_id(&self) -> Option<bool> {
        match self.0.first() {
            None => Some(false),
            Some(key) if key.field == Field::Id => Some(key.descending),
            Some(_) => None,
        }
    }

    /// `Some(descending)` where the order is by last update and then id alone, which a database can give.
    pub(super) fn by_last_updated(&self) -> Option<bool> {
        match self.0.as_slice() {
            [key] if key.field == Field::LastUpdated => Some(key.descending),
            _ => None,
        }
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        if name.is_empty() {
            return Err(Error::invalid("sort names a field, with - in front to descend: title, -year"));
        }
        Ok(Self { field: Field::parse(name)?, descending })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::aux_store::filter::Candidate;
    use crate::clock::Timestamp;

    fn sorted(fields: &[&str], documents: &[(&str, Value)]) -> String {
        let sort = Sort::parse(fields).unwrap();
        let time: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let entry = |(id, payload): &(&str, Value)| {
            sort.keys(&Candidate { id, version: id.len() as i64, last_updated: time, payload })
        };
        let mut keyed: Vec<_> = documents.iter().map(|document| (entry(document), document.0)).collect();
        keyed.sort_by(|a, b| sort.compare((&a.0, a.1), (&b.0, b.1)));
        keyed.iter().map(|(_, id)| *id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn null_and_missing_are_first_ascending_and_last_descending() {
        let documents = [
            ("e", json!({"x": "s"})),
            ("d", json!({"x": null})),
            ("b", json!({"x": 2})),
            ("c", json!({})),
            ("a", json!({"x": 2.0})),
        ];
        assert_eq!(sorted(&["x"], &documents), "c d a b e");
        assert_eq!(sorted(&["-x"], &documents), "e a b c d");
        assert_eq!(sorted(&[], &documents), "a b c d e");
        assert_eq!(sorted(&["-id"], &documents), "e d c b a");
    }

    #[test]
    fn several_fields_and_metadata() {
        let documents =
            [("aa", json!({"n": {"m": [1]}})), ("b", json!({"n": {"m": [1]}})), ("ccc", json!({"n": {"m": [0]}}))];
        assert_eq!(sorted(&["n.m.0", "$version"], &documents), "ccc b aa");
        assert_eq!(sorted(&["lastUpdated", "-$version"], &documents), "ccc aa b");
    }

    #[test]
    fn what_cannot_be_a_sort_is_refused() {
        for bad in [vec![""], vec!["-"], vec![r"a\b"], vec!["x"; 17]] {
            assert_eq!(Sort::parse(&bad).unwrap_err().code(), crate::ErrorCode::InvalidArgument, "{bad:?}");
        }
        assert_eq!(Sort::default().by_id(), Some(false));
        assert_eq!(Sort::parse(&["-id", "x"]).unwrap().by_id(), Some(true));
        assert_eq!(Sort::parse(&["-lastUpdated"]).unwrap().by_last_updated(), Some(true));
    }
}

//! A position of the feed, as text that a reader keeps.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::page::Cursor;

/// The form of the text; another one is of a later version of the library.
const VERSION: i64 = 1;

fn list() -> Cursor {
    Cursor::new("events", &Value::Null)
}

/// The text of the position after that one.
pub(super) fn text(position: i64) -> String {
    list().encode(&[json!(VERSION), json!(position)])
}

/// The position that a text stands for; none is the beginning. `invalid_argument` where it was never given out.
pub(super) fn position(cursor: Option<&str>) -> Result<i64> {
    let Some(cursor) = cursor else { return Ok(0) };
    let keys = list().decode(cursor)?;
    match keys.as_slice() {
        [version, position] if *version == json!(VERSION) => {
            position.as_i64().filter(|position| *position >= 0).ok_or_else(foreign)
        }
        _ => Err(foreign()),
    }
}

fn foreign() -> Error {
    Error::invalid("the cursor is of another version of the library; pass the cursor of a batch as it was given")
}

/// A position that this feed has not come to.
pub(super) fn future() -> Error {
    Error::invalid(
        "the cursor is past the end of this feed: it is of another store, of a transaction that was rolled back, or of this \
         store before it was restored from an older copy; begin without one",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn there_and_back() {
        for at in [0, 1, 1_000_000, i64::MAX] {
            assert_eq!(position(Some(&text(at))).unwrap(), at);
        }
        assert_eq!(position(None).unwrap(), 0);
    }

    #[test]
    fn what_was_never_given_out_is_refused() {
        let other = |keys: &[Value]| list().encode(keys);
        let forged = [
            String::new(),
            "garbage".to_owned(),
            "W".repeat(100_000),
            other(&[json!(VERSION), json!(-1)]),
            other(&[json!(VERSION), json!(u64::MAX)]),
            other(&[json!(VERSION), json!(1.5)]),
            other(&[json!(VERSION), json!("1")]),
            other(&[json!(VERSION + 1), json!(1)]),
            other(&[json!(1)]),
            Cursor::new("runs", &Value::Null).encode(&[json!(VERSION), json!(1)]),
        ];
        for cursor in forged {
            assert_eq!(position(Some(&cursor)).unwrap_err().code(), ErrorCode::InvalidArgument, "{cursor:.40}");
        }
    }
}

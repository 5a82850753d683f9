//! What looks like a credential in a document that is to be stored.

use serde_json::{Map, Value};

use super::resolve::name_of;
use super::{keys, shapes};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::{Segment, pointer};
use crate::json::{Json, parse_value};

/// Refuses a document that holds what looks like a credential, unless it is named as `{"$secret": name}`.
///
/// # Errors
/// `secret_detected` with the path of each.
pub(crate) fn refuse(document: &Json) -> Result<()> {
    refuse_text(document.as_str())
}

/// As [`refuse`], of a canonical JSON text. Most are looked over once and hold none; they are not parsed.
pub(crate) fn refuse_text(text: &str) -> Result<()> {
    if shapes::may_hold(text) { walk(&parse_value(text)?) } else { Ok(()) }
}

/// As [`refuse_text`], where the value of that text is at hand.
pub(crate) fn refuse_in(value: &Value, text: &str) -> Result<()> {
    if shapes::may_hold(text) { walk(value) } else { Ok(()) }
}

/// As [`refuse`], of a schema: its keys name what documents may hold, so only texts of a credential's shape count.
pub(crate) fn refuse_shapes(schema: &Json) -> Result<()> {
    if !shapes::may_hold(schema.as_str()) {
        return Ok(());
    }
    let schema = schema.to_value();
    let mut looking = Looking { shapes_only: true, ..Looking::default() };
    looking.at(None, &schema);
    looking.error()
}

fn walk(value: &Value) -> Result<()> {
    let mut looking = Looking::default();
    looking.at(None, value);
    looking.error()
}

/// A way through a document, and what was found on it.
#[derive(Default)]
struct Looking<'d> {
    path: Vec<Segment<'d>>,
    shapes_only: bool,
    found: Vec<Violation>,
}

impl<'d> Looking<'d> {
    /// Looks at a value; `key`: the nearest above it.
    fn at(&mut self, key: Option<&'d str>, value: &'d Value) {
        match value {
            Value::String(text) if self.is_credential(key, text) => {
                self.tell("looks like a credential; name it as {\"$secret\": NAME} and let it be resolved at use")
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.down(index.into(), |looking| looking.at(key, item));
                }
            }
            Value::Object(map) => match name_of(value) {
                // Somebody may take the secret for its name.
                Some(name) if shapes::is_shaped(name) => self.tell("is a secret and not the name of one"),
                Some(_) => {}
                None => self.into(map),
            },
            _ => {}
        }
    }

    fn into(&mut self, map: &'d Map<String, Value>) {
        for (key, value) in map {
            match shapes::is_shaped(key) {
                // Its path would tell it.
                true => self.tell("one of its keys looks like a credential"),
                false => self.down(key.as_str().into(), |looking| looking.at(Some(key), value)),
            }
        }
    }

    fn down(&mut self, step: Segment<'d>, look: impl FnOnce(&mut Self)) {
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    fn is_credential(&self, key: Option<&str>, text: &str) -> bool {
        let named = |key| !self.shapes_only && keys::is_credential(key) && !keys::is_obviously_none(key, text);
        key.is_some_and(named) || shapes::is_shaped(text)
    }

    fn error(self) -> Result<()> {
        if self.found.is_empty() { Ok(()) } else { Err(Error::violations(ErrorCode::SecretDetected, self.found)) }
    }

    fn tell(&mut self, message: &str) {
        self.found.push(Violation::new(pointer(self.path.iter().copied()), "secret", message));
    }
}

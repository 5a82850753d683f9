//! Cuts secrets out of what is told of their use.

use memchr::memmem;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::Json;

/// What stands in the place of a secret.
const HIDDEN: &str = "[secret]";

/// Fewer characters are no secret, and stand in every other word.
const FEWEST: usize = 4;

/// Secrets that were resolved, as texts to look for. They are shown nowhere.
#[derive(Default)]
pub(crate) struct Masks(Vec<String>);

impl Masks {
    /// Looks for that secret from now on: as it is, and as it is escaped in JSON, in which errors quote it.
    pub(crate) fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        let escaped = Value::from(secret).to_string();
        let escaped = escaped.trim_matches('"');
        // The longer first: what is left of it else would be looked for in vain.
        for text in [escaped, secret] {
            if secret.chars().count() >= FEWEST && !self.0.iter().any(|known| known == text) {
                self.0.push(text.to_owned());
            }
        }
        self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// Whether one of them stands in it.
    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|secret| memmem::find(bytes, secret.as_bytes()).is_some())
    }

    /// The text without them.
    pub(crate) fn hide_text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| if text.contains(secret) { text.replace(secret, HIDDEN) } else { text })
    }

    /// The document without them.
    pub(crate) fn hide_json(&self, json: Json) -> Json {
        match self.are_in(json.as_str().as_bytes()) {
            // It stays a document: no text of it grows by what JSON refuses.
            true => Json::from_value(&self.hide_in(&json.to_value())).unwrap_or_else(|_| Json::null()),
            false => json,
        }
    }

    /// The same error without them, should whoever was given them have put one into it.
    pub(crate) fn hide(&self, error: Error) -> Error {
        if self.0.is_empty() {
            return error;
        }
        // Its cause goes too: nobody can look into that.
        let hidden = Error::new(error.code(), self.hide_text(error.message().to_owned()));
        match error.details() {
            Some(details) => hidden.with_details(self.hide_in(details)),
            None => hidden,
        }
    }

    fn hide_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.hide_text(text.clone())),
            Value::Array(items) => items.iter().map(|item| self.hide_in(item)).collect(),
            Value::Object(map) => {
                let member = |(key, value): (&String, &Value)| (self.hide_text(key.clone()), self.hide_in(value));
                map.iter().map(member).collect::<Map<_, _>>().into()
            }
            value => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn masks(secrets: &[&str]) -> Masks {
        let mut masks = Masks::default();
        secrets.iter().for_each(|secret| masks.add(secret));
        masks
    }

    #[test]
    fn secrets_are_cut_out_of_texts_documents_and_errors() {
        let masks = masks(&["hunter2", "a\"b\\c", "hunter2-and-more\n"]);
        let text = "hunter2-and-more, hunter2 and {\"a\\\"b\\\\c\"}, a\"b\\c".to_owned();
        assert_eq!(masks.hide_text(text), "[secret], [secret] and {\"[secret]\"}, [secret]");
        let json = Json::from_value(&json!({"hunter2": ["xhunter2", 1], "b": "a\"b\\c"})).unwrap();
        assert_eq!(masks.hide_json(json).as_str(), r#"{"[secret]":["x[secret]",1],"b":"[secret]"}"#);
        let error = Error::invalid("401 for hunter2").with_details(json!({"hunter2": ["hunter2", 1]}));
        let hidden = masks.hide(error.with_source("hunter2"));
        assert_eq!(hidden.message(), "401 for [secret]");
        assert_eq!(hidden.details(), Some(&json!({"[secret]": ["[secret]", 1]})));
        assert!(!format!("{hidden:?}").contains("hunter2"));
        assert!(masks.are_in(b"\0hunter2\0") && !masks.are_in(b"hunter"));
    }

    #[test]
    fn too_short_a_secret_leaves_texts_as_they_are() {
        let masks = masks(&["", "a", "abc", " \n"]);
        assert_eq!(masks.hide_text("abc is a text".to_owned()), "abc is a text");
        let json = Json::from_value(&json!({"a": "abc"})).unwrap();
        assert_eq!(masks.hide_json(json.clone()), json);
    }
}
